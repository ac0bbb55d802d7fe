// SPDX-License-Identifier: Apache-2.0
#include "ecommerce/domain/money.hpp"

#include <gtest/gtest.h>

namespace flow::ecommerce {
namespace {

std::string parsed(std::string_view text) {
  const auto money = Money::parse(text);
  return money ? money->text() : "refused";
}

TEST(Money, KeepsTwoDecimalsAndRoundsHalfUp) {
  EXPECT_EQ(parsed("5"), "5.00");
  EXPECT_EQ(parsed("10.5"), "10.50");
  EXPECT_EQ(parsed("1.005"), "1.01");
  EXPECT_EQ(parsed("1.00499999999999999999999999999999999999999999999"), "1.00");
  EXPECT_EQ(parsed("-1.005"), "-1.01");
  EXPECT_EQ(parsed("0.005"), "0.01");
  EXPECT_EQ(parsed("0.0049"), "0.00");
  EXPECT_EQ(parsed("-0.00"), "0.00");
  EXPECT_EQ(parsed("0.1"), "0.10");
  EXPECT_EQ(parsed("-0.05"), "-0.05");
}

TEST(Money, ReadsExponents) {
  EXPECT_EQ(parsed("1e3"), "1000.00");
  EXPECT_EQ(parsed("1E+3"), "1000.00");
  EXPECT_EQ(parsed("15e-1"), "1.50");
  EXPECT_EQ(parsed("5e-3"), "0.01");
  EXPECT_EQ(parsed("5e-4"), "0.00");
  EXPECT_EQ(parsed("1e-999999999999999999999"), "0.00");
  EXPECT_EQ(parsed("0e999999999999999999999"), "0.00");
  EXPECT_EQ(parsed("1e999999999999999999999"), "refused");
  EXPECT_EQ(parsed("0.00000000001e11"), "1.00");
}

TEST(Money, HoldsThirtySixDigitsBeforeThePointAndNoMore) {
  const std::string widest(36, '9');

  EXPECT_EQ(parsed(widest + ".99"), widest + ".99");
  EXPECT_EQ(parsed("-" + widest + ".99"), "-" + widest + ".99");
  EXPECT_EQ(parsed(widest + ".995"), "refused");  // Rounds up into a 37th digit.
  EXPECT_EQ(parsed("1" + std::string(36, '0')), "refused");
  EXPECT_EQ(parsed("000" + widest), widest + ".00");
}

TEST(Money, RefusesWhatIsNoNumber) {
  for (const char* text : {"", "-", ".", "abc", "1.2.3", "1e", "1e+", "--1", "1 ", "0x10", "NaN"}) {
    EXPECT_EQ(parsed(text), "refused") << text;
  }
}

TEST(Money, CutsTheFractionForWholeNumbers) {
  EXPECT_EQ(parse_whole_part("1.5"), 1);
  EXPECT_EQ(parse_whole_part("1.999999"), 1);
  EXPECT_EQ(parse_whole_part("-1.999999"), -1);
  EXPECT_EQ(parse_whole_part("1e2"), 100);
  EXPECT_EQ(parse_whole_part("9223372036854775807"), INT64_MAX);
  EXPECT_EQ(parse_whole_part("-9223372036854775808"), INT64_MIN);
  EXPECT_EQ(parse_whole_part("9223372036854775808"), std::nullopt);
  EXPECT_EQ(parse_whole_part("1e400"), std::nullopt);
}

}  // namespace
}  // namespace flow::ecommerce

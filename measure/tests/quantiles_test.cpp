// SPDX-License-Identifier: Apache-2.0
#include "measure/quantiles.hpp"

#include <gmock/gmock.h>

namespace flow::measure {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

Histogram one_to(int n) {
  Histogram histogram({.highest = std::chrono::microseconds(10), .significant_digits = 3});
  for (int i = 1; i <= n; ++i) histogram.record(Nanos{i});
  return histogram;
}

TEST(Quantile, IsTheOrderStatisticWhenEverythingWasAnswered) {
  EXPECT_EQ(quantile(one_to(100), 0, 0.99), (Quantile{Nanos{99}, false}));
  EXPECT_EQ(quantile(one_to(100), 0, 0.5), (Quantile{Nanos{50}, false}));
}

TEST(Quantile, CountsFailuresAboveEveryAnswer) {
  // 100 requests, 1 failed: p99 is rank 99 of the 99 answered.
  EXPECT_EQ(quantile(one_to(99), 1, 0.99), (Quantile{Nanos{99}, false}));
  // 2 failed is more than 1 %: p99 is only known to be larger.
  EXPECT_EQ(quantile(one_to(98), 2, 0.99), (Quantile{Nanos{98}, true}));
  EXPECT_EQ(quantile(one_to(98), 2, 0.98), (Quantile{Nanos{98}, false}));
}

TEST(Quantile, TurnsIntoABoundExactlyWhenMoreThanTheRestFailed) {
  for (std::uint64_t failed = 0; failed <= 100; ++failed) {
    for (int percent = 1; percent < 100; ++percent) {
      const auto found = quantile(one_to(static_cast<int>(100 - failed)), failed, percent / 100.0);
      ASSERT_TRUE(found.has_value());
      EXPECT_EQ(found->is_beyond, static_cast<int>(failed) > 100 - percent);
    }
  }
}

TEST(Quantile, BoundUsesTheTimeThatUnfinishedRequestsHaveWaited) {
  Histogram answered, censored;
  for (int i = 0; i < 90; ++i) answered.record(milliseconds(10));
  for (int i = 0; i < 10; ++i) censored.record(seconds(30));

  const auto p99 = quantile(answered, censored, 0, 0.99);
  const auto p90 = quantile(answered, censored, 0, 0.90);

  ASSERT_TRUE(p99 && p90);
  EXPECT_TRUE(p99->is_beyond);
  EXPECT_EQ(p99->value, Nanos(seconds(30)));
  EXPECT_FALSE(p90->is_beyond);
}

TEST(Quantile, IsBeyondTheRangeOfTheHistogramInItsOverflow) {
  Histogram answered;
  answered.record(std::chrono::hours(2));

  const auto p50 = quantile(answered, 0, 0.5);

  EXPECT_EQ(p50, (Quantile{std::chrono::hours(1), true}));
}

TEST(Quantile, OfNoRequestIsNone) {
  EXPECT_EQ(quantile(Histogram(), 0, 0.99), std::nullopt);
  EXPECT_EQ(format_quantile(std::nullopt), "-");
}

TEST(Quantile, OfOnlyFailuresIsAboveZero) {
  EXPECT_EQ(quantile(Histogram(), 3, 0.5), (Quantile{Nanos{0}, true}));
}

TEST(FormatDuration, KeepsThreeSignificantDigits) {
  EXPECT_EQ(format_duration(Nanos{999}), "999 ns");
  EXPECT_EQ(format_duration(Nanos{1'234}), "1.23 us");
  EXPECT_EQ(format_duration(Nanos{999'600}), "1.00 ms");
  EXPECT_EQ(format_duration(Nanos{12'340'000}), "12.3 ms");
  EXPECT_EQ(format_duration(Nanos{123'400'000}), "123 ms");
  EXPECT_EQ(format_duration(seconds(3600)), "3600 s");
  EXPECT_EQ(format_quantile(Quantile{seconds(30), true}), "> 30.0 s");
}

}  // namespace
}  // namespace flow::measure

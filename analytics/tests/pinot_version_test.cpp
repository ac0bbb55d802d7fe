// SPDX-License-Identifier: Apache-2.0
#include "analytics/pinot_version.hpp"

#include <gmock/gmock.h>

namespace flow::analytics {
namespace {

using base::Errc;
namespace json = base::json;

TEST(PinotVersion, IsReadWithWhatPinotPutsBehindIt) {
  EXPECT_EQ(parse_pinot_version("0.11.0").value(), (PinotVersion{0, 11, 0}));
  EXPECT_EQ(parse_pinot_version("0.11.0-1b4d6b6b0a27").value(), (PinotVersion{0, 11, 0}));
  EXPECT_EQ(parse_pinot_version("1.3.0-SNAPSHOT").value(), (PinotVersion{1, 3, 0}));
  EXPECT_EQ(parse_pinot_version("1.10.2").value().text(), "1.10.2");
}

TEST(PinotVersion, IsOrderedByNumbers) {
  EXPECT_LT((PinotVersion{0, 11, 0}), (PinotVersion{1, 0, 0}));
  EXPECT_LT((PinotVersion{1, 4, 9}), (PinotVersion{1, 10, 0}));
}

TEST(PinotVersion, RefusesWhatIsNone) {
  for (const char* text : {"", "1", "1.2", "1.2.", "a.b.c", "1.2.x", "-1.2.3", "1.2.3x", "1..3",
                           "99999999999.1.1", "1.-2.3", " 1.2.3"}) {
    const auto version = parse_pinot_version(text);
    ASSERT_FALSE(version) << text;
    EXPECT_EQ(version.error().code, Errc::config);
  }
}

TEST(PinotVersion, IsTheControllersAndNotAPlugins) {
  const auto answer = json::parse(
      R"({"pinot-kafka-2.0":"9.9.9","pinot-core":"0.11.0-1b4d","pinot-spi":"0.11.0-1b4d"})");

  EXPECT_EQ(pinot_version_in(answer).value(), (PinotVersion{0, 11, 0}));
}

TEST(PinotVersion, OfAnAnswerWithoutOneIsTheServersFault) {
  for (const char* text : {"null", "[]", "{}", R"({"pinot-core":7})", R"({"pinot-core":"Unknown"})",
                           R"({"pinot-kafka-2.0":"0.11.0"})"}) {
    const auto version = pinot_version_in(json::parse(text));
    ASSERT_FALSE(version) << text;
    EXPECT_EQ(version.error().code, Errc::protocol) << text;
  }
}

}  // namespace
}  // namespace flow::analytics

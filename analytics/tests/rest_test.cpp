// SPDX-License-Identifier: Apache-2.0
#include "analytics/rest.hpp"

#include <gmock/gmock.h>

namespace flow::analytics {
namespace {

using base::Errc;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Le;
using ::testing::SizeIs;
namespace json = base::json;

TEST(Stack, IsLeftOutOfAnException) {
  EXPECT_EQ(without_stack("java.lang.RuntimeException: Caught it\n\tat a.b.C.d(C.java:1)\n\tat e\n"
                          "Caused by: java.lang.NumberFormatException: For input string: \"nope\"\n"
                          "\tat f\n\t... 7 more\n"),
            "Caught it; For input string: \"nope\"");
}

TEST(Stack, CausesThatRepeatTheExceptionAreToldOnce) {
  EXPECT_EQ(without_stack("a.B: same\nCaused by: c.D: same\nCaused by: e.F: other"), "same; other");
}

TEST(Stack, OfNothingIsNothing) {
  EXPECT_EQ(without_stack(""), "");
  EXPECT_EQ(without_stack("\n\n\tat x\n"), "");
}

TEST(Stack, KeepsWordsThatOnlyLookLikeAClass) {
  EXPECT_EQ(without_stack("no such table: kafka.orders: gone"),
            "no such table: kafka.orders: gone");
}

TEST(Stack, IsCutBetweenTwoCharacters) {
  std::string text;
  while (text.size() < 2000) text += "漢";

  const std::string words = without_stack(text);

  EXPECT_THAT(words, SizeIs(Le(303u)));
  EXPECT_THAT(words, EndsWith("漢…"));
}

TEST(RestAnswer, SaysWhatPinotSaid) {
  EXPECT_EQ(words_of({404, json::parse(R"({"code":404,"error":"Table nope not found"})")}),
            "Table nope not found");
  EXPECT_EQ(words_of({500, json::parse(R"({"message":"a.B: c"})")}), "c");
  EXPECT_EQ(words_of({500, json::parse(R"({"error":7})")}), R"({"error":7})");
  EXPECT_EQ(words_of({500, nullptr}), "no words");
}

TEST(RestAnswer, OfAMissingLoginIsTheOperatorsMistake) {
  EXPECT_EQ(refused("GET /x", {401, nullptr}).error().code, Errc::config);
  EXPECT_EQ(refused("GET /x", {403, nullptr}).error().code, Errc::config);
  const auto error = refused("GET /x", {500, nullptr}).error();
  EXPECT_EQ(error.code, Errc::refused);
  EXPECT_THAT(error.what, HasSubstr("GET /x: HTTP 500"));
}

TEST(PercentEncoding, LeavesPlainCharactersAlone) {
  EXPECT_EQ(percent_encoded("kafka_orders__0__1__20261124T1951Z"),
            "kafka_orders__0__1__20261124T1951Z");
  EXPECT_EQ(percent_encoded("/flow/LIVE INSTANCES?a=ü"), "%2Fflow%2FLIVE%20INSTANCES%3Fa%3D%C3%BC");
}

}  // namespace
}  // namespace flow::analytics

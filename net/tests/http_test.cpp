// SPDX-License-Identifier: Apache-2.0
#include "net/http.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace flow::net {
namespace {

TEST(HttpHeaders, FindsAFieldInAnyCase) {
  HttpHeaders headers;
  headers.add("Content-Type", "text/plain");

  EXPECT_EQ(headers.get("content-type"), "text/plain");
  EXPECT_EQ(headers.get("CONTENT-TYPE"), "text/plain");
  EXPECT_TRUE(headers.has("Content-type"));
}

TEST(HttpHeaders, TellsAnAbsentFieldFromAnEmptyOne) {
  HttpHeaders headers;
  headers.add("Accept", "");

  EXPECT_EQ(headers.get("Accept"), "");
  EXPECT_TRUE(headers.has("Accept"));
  EXPECT_FALSE(headers.has("Host"));
  EXPECT_FALSE(headers.has("Accep"));
}

TEST(HttpHeaders, KeepsRepeatedFieldsInOrderAndGetsTheFirst) {
  HttpHeaders headers;
  headers.add("tracestate", "a=1");
  headers.add("tracestate", "b=2");

  EXPECT_EQ(headers.get("tracestate"), "a=1");
  EXPECT_THAT(
      std::vector(headers.begin(), headers.end()),
      testing::ElementsAre(testing::Pair("tracestate", "a=1"), testing::Pair("tracestate", "b=2")));
}

TEST(HttpRequest, CutsThePathFromTheQuery) {
  HttpRequest request;

  request.target = "/products/1?x=y?z";
  EXPECT_EQ(request.path(), "/products/1");
  request.target = "/products";
  EXPECT_EQ(request.path(), "/products");
  request.target = "?x";
  EXPECT_EQ(request.path(), "");
}

TEST(HttpText, ComparesOnlyAsciiLettersWithoutCase) {
  EXPECT_TRUE(equal_ignoring_case("Keep-Alive", "kEEP-aLIVE"));
  EXPECT_FALSE(equal_ignoring_case("@", "`"));  // 32 apart, and no letters.
  EXPECT_FALSE(equal_ignoring_case("[", "{"));
  EXPECT_FALSE(equal_ignoring_case("abc", "ab"));
}

}  // namespace
}  // namespace flow::net

// SPDX-License-Identifier: Apache-2.0
#include "ecommerce/http/route.hpp"

#include <gtest/gtest.h>

#include "ecommerce/http/negotiation.hpp"
#include "ecommerce/http/problem.hpp"

namespace flow::ecommerce {
namespace {

TEST(Route, FindsEveryResourceWithAndWithoutTrailingSlash) {
  const std::pair<const char*, Resource> all[] = {
      {"/api/v1/auth/register", Resource::auth_register},
      {"/api/v1/auth/signin", Resource::auth_signin},
      {"/api/v1/users/me", Resource::users_me},
      {"/api/v1/users", Resource::users},
      {"/api/v1/products", Resource::products},
      {"/api/v1/products/7", Resource::product},
      {"/api/v1/orders", Resource::orders},
      {"/api/v1/orders/7", Resource::order},
      {"/api/v1/orders/user/7", Resource::orders_of_user},
      {"/api/v1/orders/7/pay", Resource::order_payment},
      {"/api/v1/%70roducts", Resource::products},
  };
  for (const auto& [path, resource] : all) {
    EXPECT_EQ(match_route(path).resource, resource) << path;
    EXPECT_EQ(match_route(std::string(path) + "/").resource, resource) << path;
  }
}

TEST(Route, FindsNothingElsewhere) {
  for (const char* path :
       {"", "/", "/api", "/api/v1", "/api/v1/", "/api/v2/products", "/products", "/api/v1/product",
        "/api/v1/products/1/2", "/api/v1/orders/1/pay/2", "/api/v1/orders/1/cancel",
        "/api/v1/users/7", "/api/v1/auth", "/api/v1/auth/register/x", "/actuator/health",
        "/api/v1/a/b/c/d/e/f/g"}) {
    EXPECT_EQ(match_route(path).resource, Resource::none) << path;
  }
}

TEST(Route, KnowsMethods) {
  EXPECT_TRUE(is_allowed(Resource::product, "GET"));
  EXPECT_TRUE(is_allowed(Resource::product, "HEAD"));
  EXPECT_TRUE(is_allowed(Resource::product, "PATCH"));
  EXPECT_FALSE(is_allowed(Resource::product, "PUT"));
  EXPECT_FALSE(is_allowed(Resource::product, "get"));
  EXPECT_FALSE(is_allowed(Resource::orders, "GET"));
  EXPECT_FALSE(is_allowed(Resource::orders, "HEAD"));
  EXPECT_FALSE(is_allowed(Resource::none, "GET"));
}

TEST(Route, ReadsIdsAsTheContractSays) {
  EXPECT_EQ(parse_id("1"), 1);
  EXPECT_EQ(parse_id("+1"), 1);
  EXPECT_EQ(parse_id(" 1"), 1);
  EXPECT_EQ(parse_id("0x1f"), 31);
  EXPECT_EQ(parse_id("-5"), -5);
  EXPECT_EQ(parse_id("9223372036854775807"), INT64_MAX);
  EXPECT_EQ(parse_id("-9223372036854775808"), INT64_MIN);
  for (const char* text : {"", "abc", "1.5", "9223372036854775808", "99999999999999999999", "1e3",
                           "0x", "--1", "+-1", "1;2", "' OR 1=1"}) {
    EXPECT_EQ(parse_id(text), std::nullopt) << text;
  }
  EXPECT_EQ(match_route("/api/v1/products/%201").id, " 1");
}

TEST(Route, RefusesPathsThatMeanTwoThings) {
  EXPECT_EQ(defect_of("/api/v1//products"), PathDefect::ambiguous);
  EXPECT_EQ(defect_of("/api/v1/products;x=1"), PathDefect::ambiguous);
  for (const char* path : {"/a%2Fb", "/a%2fb", "/a%5cb", "/a%00", "/a%3bb", "/a%25", "/a%", "/a%2",
                           "/a%zz", "/a%0a"}) {
    EXPECT_EQ(defect_of(path), PathDefect::bad_escape) << path;
  }
  EXPECT_EQ(defect_of("/api/v1/products/%201"), PathDefect::none);
}

TEST(MediaTypes, JsonIsRecognised) {
  EXPECT_TRUE(is_json_type("application/json"));
  EXPECT_TRUE(is_json_type("Application/JSON; charset=UTF-8"));
  EXPECT_TRUE(is_json_type("application/vnd.x+json"));
  EXPECT_FALSE(is_json_type("application/json; charset=latin1"));
  EXPECT_FALSE(is_json_type("text/plain"));
  EXPECT_FALSE(is_json_type("application/jsonx"));
  EXPECT_FALSE(is_json_type(""));
}

TEST(MediaTypes, AcceptIsReadWithWeights) {
  EXPECT_TRUE(accepts_json(""));
  EXPECT_TRUE(accepts_json("*/*"));
  EXPECT_TRUE(accepts_json("text/html, application/json;q=0.5"));
  EXPECT_TRUE(accepts_json("text/html,*/*;q=0.1"));
  EXPECT_TRUE(accepts_json("application/*"));
  EXPECT_FALSE(accepts_json("text/html"));
  EXPECT_FALSE(accepts_json("application/json;q=0"));
  EXPECT_FALSE(accepts_json("*/*, application/json;q=0.0"));
  EXPECT_FALSE(accepts_json("application/xml, text/*"));
}

TEST(Problem, HasItsFieldsInOrder) {
  const Problem problem{.status = 400,
                        .title = "Bad Request",
                        .detail = "a \"b\"",
                        .description = "more",
                        .errors = {{"x", "y"}, {"z", "w"}}};

  const auto response = problem_response(problem, "/p\x80");

  EXPECT_EQ(
      response.body,
      R"({"type":"about:blank","title":"Bad Request","status":400,"detail":"a \"b\"","instance":"/p%80","description":"more","errors":[{"field":"x","message":"y"},{"field":"z","message":"w"}]})");
  EXPECT_EQ(response.headers.get("Content-Type"), "application/problem+json");
}

}  // namespace
}  // namespace flow::ecommerce

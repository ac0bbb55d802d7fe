// Accounts and tokens over HTTP, on a real database.
// SPDX-License-Identifier: Apache-2.0
#include <ctime>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ecommerce/auth/token.hpp"
#include "ecommerce/tests/support/test_shop.hpp"

namespace flow::ecommerce {
namespace {

using testing::detail_of;
using testing::errors_of;
using testing::json_of;
using ::testing::MatchesRegex;
using testing::number_at;
using testing::TestShop;
using testing::title_of;

constexpr const char* ada =
    R"({"email":"ada@example.test","password":"pass","firstName":"Ada","lastName":null})";

class Accounts : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { shop_ = std::make_unique<TestShop>(); }
  static void TearDownTestSuite() { shop_.reset(); }
  net::HttpResponse register_user(std::string_view body, const TestShop::Headers& headers = {}) {
    return shop_->send("POST", "/api/v1/auth/register", "", body, headers);
  }
  static inline std::unique_ptr<TestShop> shop_;
};

TEST_F(Accounts, RegisterAnswersTheUserWithoutThePassword) {
  const auto response = register_user(ada);

  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.headers.get("Content-Type"), "application/json");
  EXPECT_THAT(
      response.body,
      MatchesRegex(
          "\\{\"user\":\\{\"id\":[0-9]+,\"email\":\"ada@example.test\",\"firstName\":\"Ada\","
          "\"lastName\":null,\"createdAt\":[0-9]{13},\"updatedAt\":[0-9]{13},\"enabled\":true,"
          "\"authorities\":\\[\\],\"username\":\"ada@example.test\",\"accountNonExpired\":true,"
          "\"accountNonLocked\":true,\"credentialsNonExpired\":true\\}\\}"));
}

TEST_F(Accounts, RegisterTwiceIsAConflict) {
  register_user(R"({"email":"twice@example.test","password":"p","firstName":"A"})");
  const auto again =
      register_user(R"({"email":"twice@example.test","password":"p","firstName":"A"})");

  EXPECT_EQ(again.status, 409);
  EXPECT_EQ(again.headers.get("Content-Type"), "application/problem+json");
  EXPECT_EQ(again.body,
            R"({"type":"about:blank","title":"Resource conflict","status":409,"detail":)"
            R"("User with email 'twice@example.test' already exists",)"
            R"("instance":"/api/v1/auth/register"})");
  // Addresses are told apart by case.
  EXPECT_EQ(
      register_user(R"({"email":"Twice@example.test","password":"p","firstName":"A"})").status,
      200);
}

TEST_F(Accounts, RegisterListsWhatIsInvalid) {
  const auto response = register_user(R"({"email":"","lastName":"x"})");

  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(title_of(response), "Bad Request");
  EXPECT_EQ(detail_of(response), "Invalid request content.");
  EXPECT_EQ(errors_of(response),
            "email: must not be blank; password: must not be blank; firstName: must not be blank");
}

TEST_F(Accounts, RegisterNeedsAReadableJsonBody) {
  const auto malformed = register_user("{");
  const auto missing = register_user("");
  const auto wrong_type = register_user(ada, {{"Content-Type", "text/plain;charset=UTF-8"}});
  const auto no_type = register_user(ada, {{"Content-Type", ""}});
  const auto get = shop_->get("/api/v1/auth/register");
  const auto bad_utf8 =
      register_user("{\"email\":\"\xc3\x28\",\"password\":\"p\",\"firstName\":\"A\"}");

  EXPECT_EQ(malformed.status, 400);
  EXPECT_EQ(detail_of(malformed), "Failed to read request");
  EXPECT_EQ(missing.status, 400);
  EXPECT_EQ(detail_of(missing), "Failed to read request");
  EXPECT_EQ(wrong_type.status, 415);
  EXPECT_EQ(detail_of(wrong_type), "Content-Type 'text/plain;charset=UTF-8' is not supported.");
  EXPECT_EQ(wrong_type.headers.get("Accept"), "application/json, application/*+json");
  EXPECT_EQ(no_type.status, 415);
  EXPECT_EQ(get.status, 405);
  EXPECT_EQ(detail_of(get), "Method 'GET' is not supported.");
  EXPECT_EQ(get.headers.get("Allow"), "POST");
  EXPECT_EQ(bad_utf8.status, 400);
}

TEST_F(Accounts, SignInGivesATokenForTwoHours) {
  shop_->sign_up("signin@example.test");
  const auto response = shop_->send("POST", "/api/v1/auth/signin/", "",
                                    R"({"email":"signin@example.test","password":"pass"})");

  EXPECT_EQ(response.status, 200);
  EXPECT_THAT(response.body,
              MatchesRegex("\\{\"token\":\"[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]{43}\","
                           "\"expiresIn\":7200000\\}"));
}

TEST_F(Accounts, SignInRefusesAllBadCredentialsAlike) {
  shop_->sign_up("cred@example.test");
  const auto sign_in = [&](std::string_view body) {
    return shop_->send("POST", "/api/v1/auth/signin", "", body);
  };
  const auto wrong = sign_in(R"({"email":"cred@example.test","password":"Pass"})");
  const auto unknown = sign_in(R"({"email":"nobody@example.test","password":"pass"})");
  const auto missing = sign_in(R"({"email":"cred@example.test"})");

  EXPECT_EQ(wrong.body,
            R"({"type":"about:blank","title":"Authentication Failed","status":401,"detail":)"
            R"("Bad credentials","instance":"/api/v1/auth/signin",)"
            R"("description":"Incorrect username or password."})");
  EXPECT_EQ(wrong.status, 401);
  EXPECT_EQ(wrong.body, unknown.body);
  EXPECT_EQ(wrong.body, missing.body);
}

TEST_F(Accounts, UsersMeIsTheTokensUser) {
  const std::string token = shop_->sign_up("me@example.test");

  const auto me = shop_->get("/api/v1/users/me", token);
  const auto head = shop_->send("HEAD", "/api/v1/users/me", token);

  EXPECT_EQ(me.status, 200);
  EXPECT_EQ(json_of(me).at("email").as_string(), "me@example.test");
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.body, "");
  EXPECT_EQ(head.headers.get("Content-Length"), std::to_string(me.body.size()));
}

TEST_F(Accounts, OnlyAdministratorsListUsers) {
  const std::string token = shop_->sign_up("list@example.test");

  const auto refused = shop_->get("/api/v1/users/", token);
  const auto listed = shop_->get("/api/v1/users/", shop_->admin_token());
  const auto without_slash = shop_->get("/api/v1/users", shop_->admin_token());

  EXPECT_EQ(refused.status, 403);
  EXPECT_EQ(title_of(refused), "Access Denied");
  EXPECT_EQ(listed.status, 200);
  EXPECT_EQ(listed.body, without_slash.body);
  const auto users = json_of(listed);
  for (std::size_t i = 1; i < users.as_array().size(); ++i) {
    EXPECT_LT(users.at(i - 1).at("id").as_int64(), users.at(i).at("id").as_int64());
  }
  EXPECT_EQ(listed.body.find("$2"), std::string::npos);
}

TEST_F(Accounts, EveryOtherPathNeedsAToken) {
  for (const char* path : {"/api/v1/users/me", "/api/v1/products", "/api/v1/nothing", "/", "/x/y",
                           "/actuator/health"}) {
    const auto response = shop_->get(path);
    EXPECT_EQ(response.status, 401) << path;
    EXPECT_EQ(response.headers.get("WWW-Authenticate"), "Bearer") << path;
    EXPECT_EQ(json_of(response).at("instance").as_string(), path);
  }
  const std::string token = shop_->sign_up("case@example.test");
  const auto lower =
      shop_->send("GET", "/api/v1/users/me", "", "", {{"Authorization", "bearer " + token}});
  const auto other =
      shop_->send("GET", "/api/v1/users/me", "", "", {{"Authorization", "Basic YTpi"}});
  EXPECT_EQ(lower.status, 401);
  EXPECT_EQ(other.status, 401);
}

TEST_F(Accounts, BadTokensAreRefusedInTheContractsWords) {
  auto tokens = std::move(TokenSigner::create(shop_->secret()).value());
  auto others = std::move(TokenSigner::create(TokenSigner::random_secret_base64()).value());
  const auto now = static_cast<std::int64_t>(std::time(nullptr));
  const auto me = [&](const std::string& token) { return shop_->get("/api/v1/users/me", token); };

  const auto malformed = me("x.y.z");
  const auto forged = me(others.sign("admin@example.test", now));
  const auto expired = me(tokens.sign("admin@example.test", now - 9000));
  const auto unknown = me(tokens.sign("nobody@example.test", now));

  EXPECT_EQ(malformed.status, 401);
  EXPECT_EQ(title_of(malformed), "Invalid Token");
  EXPECT_EQ(title_of(forged), "Invalid Token Signature");
  EXPECT_EQ(detail_of(forged),
            "JWT signature does not match locally computed signature. JWT validity cannot be "
            "asserted and should not be trusted.");
  EXPECT_EQ(title_of(expired), "Token Expired");
  EXPECT_THAT(
      detail_of(expired),
      MatchesRegex("JWT expired at 20[0-9T:-]+Z\\. Current time: 20[0-9T:-]+Z, a difference "
                   "of 180[0-9]{4} milliseconds\\.  Allowed clock skew: 0 milliseconds\\."));
  EXPECT_EQ(unknown.status, 401);
  for (const auto& response : {malformed, forged, expired, unknown}) {
    EXPECT_EQ(response.status, 401);
    EXPECT_EQ(response.headers.get("WWW-Authenticate"), "Bearer");
  }
  // A broken token makes even a public path fail.
  EXPECT_EQ(shop_->send("POST", "/api/v1/auth/signin", "x.y.z", ada).status, 401);
}

TEST_F(Accounts, ADeletedUserLosesAccessAtOnce) {
  const std::string token = shop_->sign_up("gone@example.test");
  EXPECT_EQ(shop_->get("/api/v1/products", token).status, 200);

  shop_->query("DELETE FROM users WHERE email = 'gone@example.test'");

  for (const char* path : {"/api/v1/products", "/api/v1/products/1", "/api/v1/orders/1",
                           "/api/v1/orders/user/1", "/api/v1/users/me", "/api/v1/nothing"}) {
    EXPECT_EQ(shop_->get(path, token).status, 401) << path;
  }
}

TEST_F(Accounts, TextIsStoredAsSent) {
  const std::string email = "'; DROP TABLE users; --\\u00e9\\ud83d\\ude00 %s $1 \\\"quoted\\\"";

  const auto response =
      register_user(R"({"email":")" + email + R"(","password":"p","firstName":"Robert');--"})");
  const auto again =
      register_user(R"({"email":")" + email + R"(","password":"p","firstName":"Robert');--"})");

  ASSERT_EQ(response.status, 200) << response.body;
  EXPECT_EQ(json_of(response).at("user").at("email").as_string(),
            "'; DROP TABLE users; --é😀 %s $1 \"quoted\"");
  EXPECT_EQ(json_of(response).at("user").at("firstName").as_string(), "Robert');--");
  EXPECT_EQ(again.status, 409);
}

TEST_F(Accounts, SecurityHeadersAreOnEveryAnswer) {
  for (const auto& response :
       {shop_->get("/api/v1/products", shop_->admin_token()), shop_->get("/api/v1/products"),
        register_user("{"), shop_->get("/api/v1//products")}) {
    EXPECT_EQ(response.headers.get("X-Content-Type-Options"), "nosniff");
    EXPECT_EQ(response.headers.get("X-XSS-Protection"), "0");
    EXPECT_EQ(response.headers.get("Cache-Control"),
              "no-cache, no-store, max-age=0, must-revalidate");
    EXPECT_EQ(response.headers.get("Pragma"), "no-cache");
    EXPECT_EQ(response.headers.get("Expires"), "0");
    EXPECT_EQ(response.headers.get("X-Frame-Options"), "DENY");
    EXPECT_TRUE(response.headers.has("Date"));
  }
}

}  // namespace
}  // namespace flow::ecommerce

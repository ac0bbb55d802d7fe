// Products over HTTP, on a real database.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

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

constexpr const char* nib =
    R"({"name":"Nib","price":1.005,"currency":"USD","category":"pens","description":"fine"})";

class Products : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    shop_ = std::make_unique<TestShop>();
    token_ = shop_->sign_up("user@example.test");
    admin_ = shop_->admin_token();
  }
  static void TearDownTestSuite() { shop_.reset(); }
  std::string path(std::int64_t id) { return fmt::format("/api/v1/products/{}", id); }

  static inline std::unique_ptr<TestShop> shop_;
  static inline std::string token_;
  static inline std::string admin_;
};

TEST_F(Products, AreCreatedByAdministratorsWithMoneyAsStored) {
  const auto created = shop_->send("POST", "/api/v1/products/", admin_, nib);
  const auto refused = shop_->send("POST", "/api/v1/products/", token_, nib);

  ASSERT_EQ(created.status, 201) << created.body;
  EXPECT_THAT(
      created.body,
      MatchesRegex("\\{\"id\":[0-9]+,\"name\":\"Nib\",\"price\":1\\.01,\"currency\":\"USD\","
                   "\"category\":\"pens\",\"description\":\"fine\",\"createdAt\":[0-9]{13},"
                   "\"updatedAt\":[0-9]{13}\\}"));
  EXPECT_FALSE(created.headers.has("Location"));
  EXPECT_EQ(refused.status, 403);
  EXPECT_EQ(shop_->get(path(number_at(created, "id")), token_).body, created.body);
}

TEST_F(Products, AreRefusedWithAListOfWhatIsInvalid) {
  const auto response = shop_->send("POST", "/api/v1/products", admin_,
                                    R"({"name":"  ","price":-1,"currency":"EURO"})");
  const auto unreadable = shop_->send("POST", "/api/v1/products", admin_,
                                      R"({"name":"n","price":"abc","currency":"USD"})");
  const auto too_big = shop_->send("POST", "/api/v1/products", admin_,
                                   R"({"name":"n","price":1e36,"currency":"USD"})");

  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(errors_of(response),
            "name: must not be blank; price: must not be negative; currency: must have exactly 3 "
            "characters");
  EXPECT_EQ(detail_of(unreadable), "Failed to read request");
  EXPECT_EQ(too_big.status, 400);
}

TEST_F(Products, TakeTheWidestPriceThatTheTableHolds) {
  const std::string widest = std::string(36, '9') + ".99";
  const auto created = shop_->send("POST", "/api/v1/products", admin_,
                                   R"({"name":"n","currency":"USD","price":)" + widest + "}");

  ASSERT_EQ(created.status, 201) << created.body;
  EXPECT_THAT(created.body, ::testing::HasSubstr("\"price\":" + widest + ","));
}

TEST_F(Products, AreListedInOrderOfId) {
  shop_->create_product("1");
  shop_->create_product("2");
  const auto list = shop_->get("/api/v1/products", token_);

  EXPECT_EQ(list.status, 200);
  const auto products = json_of(list);
  ASSERT_GE(products.as_array().size(), 2U);
  for (std::size_t i = 1; i < products.as_array().size(); ++i) {
    EXPECT_LT(products.at(i - 1).at("id").as_int64(), products.at(i).at("id").as_int64());
  }
  EXPECT_EQ(shop_->get("/api/v1/products/", token_).body, list.body);
  EXPECT_EQ(shop_->get("/api/v1/products?page=2&x=%zz", token_).body, list.body);
}

TEST_F(Products, ViewPublishesTheSameBytes) {
  TestShop shop;
  const std::string token = shop.sign_up("viewer@example.test");
  const auto id = shop.create_product("10.5");

  const auto viewed = shop.get(path(id), token);
  const auto head = shop.send("HEAD", path(id), token);
  const auto records = shop.records(4);

  ASSERT_EQ(records.size(), 4U);  // The user, the product created, viewed, viewed by HEAD.
  EXPECT_EQ(records[0].topic, "users");
  int views = 0;
  for (const auto& record : records) {
    if (record.topic != "products") continue;
    EXPECT_EQ(record.key, std::to_string(id));
    EXPECT_EQ(record.value, viewed.body);
    ++views;
  }
  EXPECT_EQ(views, 3);
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.body, "");
}

TEST_F(Products, UnknownOnesAreNotFound) {
  for (const char* id : {"999999", "0", "-1"}) {
    const std::string one = "/api/v1/products/" + std::string(id);
    const auto viewed = shop_->get(one, token_);
    EXPECT_EQ(viewed.status, 404);
    EXPECT_EQ(viewed.body,
              fmt::format(R"({{"type":"about:blank","title":"Resource not found","status":404,)"
                          R"("detail":"Product not found with ID: {0}",)"
                          R"("instance":"/api/v1/products/{0}"}})",
                          id));
    EXPECT_EQ(shop_->send("PATCH", one, admin_, "{}").status, 404);
    EXPECT_EQ(shop_->send("DELETE", one, admin_).status, 404);
  }
}

TEST_F(Products, IdsAreReadAsTheContractSays) {
  const auto id = shop_->create_product("1");
  const auto expected = shop_->get(path(id), token_).body;

  EXPECT_EQ(shop_->get(fmt::format("/api/v1/products/+{}", id), token_).body, expected);
  EXPECT_EQ(shop_->get(fmt::format("/api/v1/products/%20{}", id), token_).body, expected);
  EXPECT_EQ(shop_->get(fmt::format("/api/v1/products/0x{:x}/", id), token_).body, expected);
  for (const char* bad : {"abc", "1.5", "9223372036854775808", "'%20OR%201=1", "%f0%9f"}) {
    const auto response = shop_->get("/api/v1/products/" + std::string(bad), token_);
    EXPECT_EQ(response.status, 400) << bad;
    EXPECT_EQ(errors_of(response), "id: must be a 64-bit whole number");
  }
  EXPECT_EQ(detail_of(shop_->get("/api/v1/products/abc", token_)),
            "Failed to convert 'id' with value: 'abc'");
}

TEST_F(Products, PatchChangesOnlyWhatIsSent) {
  const auto created = shop_->send("POST", "/api/v1/products", admin_, nib);
  const auto id = number_at(created, "id");
  shop_->query("UPDATE products SET updated_at = updated_at - interval '1 hour'");
  const auto before = shop_->get(path(id), token_);

  const auto nothing = shop_->send("PATCH", path(id), admin_, R"({"id":77,"name":null})");
  const auto same = shop_->send("PATCH", path(id), admin_, R"({"name":"Nib","price":1.01})");
  const auto changed = shop_->send("PATCH", path(id), admin_, R"({"price":"2.5"})");
  const auto refused = shop_->send("PATCH", path(id), token_, R"({"price":"2.5"})");

  EXPECT_EQ(nothing.status, 200);
  EXPECT_EQ(nothing.body, before.body);
  EXPECT_EQ(same.body, before.body);
  EXPECT_EQ(changed.status, 200);
  EXPECT_THAT(changed.body, ::testing::HasSubstr(R"("name":"Nib","price":2.50,)"));
  EXPECT_GT(number_at(changed, "updatedAt"), number_at(before, "updatedAt"));
  EXPECT_EQ(number_at(changed, "createdAt"), number_at(before, "createdAt"));
  EXPECT_EQ(refused.status, 403);
}

TEST_F(Products, PatchIsValidated) {
  const auto id = shop_->create_product("1");
  const auto response = shop_->send("PATCH", path(id), admin_, R"({"price":-1,"name":" "})");

  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(errors_of(response), "name: must not be blank; price: must not be negative");
}

TEST_F(Products, EditsArePublishedOnlyWhenTheyChangeSomething) {
  TestShop shop;
  const std::string admin = shop.admin_token();
  const auto id = shop.create_product("1");
  shop.send("PATCH", path(id), admin, "{}");
  const auto changed = shop.send("PATCH", path(id), admin, R"({"price":2})");

  const auto records = shop.records(2);

  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(records[1].value, changed.body);
}

TEST_F(Products, AreDeletedOnce) {
  const auto id = shop_->create_product("1");

  EXPECT_EQ(shop_->send("DELETE", path(id), token_).status, 403);
  const auto deleted = shop_->send("DELETE", path(id), admin_);
  EXPECT_EQ(deleted.status, 204);
  EXPECT_EQ(deleted.body, "");
  EXPECT_FALSE(deleted.headers.has("Content-Length"));
  EXPECT_EQ(shop_->send("DELETE", path(id), admin_).status, 404);
  EXPECT_EQ(shop_->get(path(id), token_).status, 404);
}

TEST_F(Products, OtherMethodsAreNotAllowed) {
  const auto put = shop_->send("PUT", "/api/v1/products/1", token_, "{}");
  const auto list = shop_->send("DELETE", "/api/v1/products", token_);
  const auto lower = shop_->send("get", "/api/v1/products", token_);

  EXPECT_EQ(put.status, 405);
  EXPECT_EQ(put.headers.get("Allow"), "GET, PATCH, DELETE");
  EXPECT_EQ(list.headers.get("Allow"), "GET, POST");
  EXPECT_EQ(lower.status, 405);
}

TEST_F(Products, UnknownPathsAreNotFound) {
  const auto response = shop_->get("/api/v1/nothing/?x=1", token_);

  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(response.body,
            R"({"type":"about:blank","title":"Not Found","status":404,"detail":)"
            R"("No static resource api/v1/nothing.","instance":"/api/v1/nothing/"})");
  int vary = 0;
  for (const auto& [name, value] : response.headers) vary += name == "Vary" ? 1 : 0;
  EXPECT_EQ(vary, 3);
}

TEST_F(Products, AnswersMustBeWanted) {
  const auto refused =
      shop_->send("GET", "/api/v1/products", token_, "", {{"Accept", "text/html"}});
  const auto wanted = shop_->send("GET", "/api/v1/products", token_, "",
                                  {{"Accept", "text/html, application/json;q=0.1"}});

  EXPECT_EQ(refused.status, 406);
  EXPECT_EQ(detail_of(refused),
            "Acceptable representations: [application/json, application/*+json].");
  EXPECT_EQ(wanted.status, 200);
}

TEST_F(Products, StrangePathsAreRefused) {
  EXPECT_EQ(shop_->get("/api/v1//products", token_).status, 403);
  EXPECT_EQ(shop_->get("/api/v1/products;a=b", token_).status, 403);
  const auto escaped = shop_->get("/api/v1/products%2F1", token_);
  EXPECT_EQ(escaped.status, 400);
  EXPECT_FALSE(errors_of(escaped).empty());
}

TEST_F(Products, OptionsTellTheMethods) {
  const auto known = shop_->send("OPTIONS", "/api/v1/products/1", token_);
  const auto unknown = shop_->send("OPTIONS", "/api/v1/nothing", token_);
  const auto preflight =
      shop_->send("OPTIONS", "/api/v1/products", "", "",
                  {{"Origin", "http://a.test"}, {"Access-Control-Request-Method", "GET"}});

  EXPECT_EQ(known.status, 200);
  EXPECT_EQ(known.headers.get("Allow"), "GET,HEAD,PATCH,DELETE,OPTIONS");
  EXPECT_EQ(unknown.status, 404);
  EXPECT_EQ(preflight.status, 401);  // CORS is off unless configured.
  EXPECT_FALSE(preflight.headers.has("Access-Control-Allow-Origin"));
}

}  // namespace
}  // namespace flow::ecommerce

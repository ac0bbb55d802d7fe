// Orders over HTTP, on a real database.
// SPDX-License-Identifier: Apache-2.0
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ecommerce/tests/support/test_shop.hpp"

namespace flow::ecommerce {
namespace {

using testing::detail_of;
using testing::errors_of;
using ::testing::HasSubstr;
using testing::json_of;
using ::testing::MatchesRegex;
using testing::number_at;
using testing::TestShop;
using testing::title_of;

class Orders : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    shop_ = std::make_unique<TestShop>();
    token_ = shop_->sign_up("user@example.test");
    other_ = shop_->sign_up("other@example.test");
    product_ = shop_->create_product("10.50");
  }
  static void TearDownTestSuite() { shop_.reset(); }

  net::HttpResponse place(std::string_view body) {
    return shop_->send("POST", "/api/v1/orders", token_, body);
  }
  static std::string path(std::int64_t id, const char* more = "") {
    return fmt::format("/api/v1/orders/{}{}", id, more);
  }
  static net::HttpResponse pay(std::int64_t id, std::string_view token) {
    return shop_->send("POST", path(id, "/pay"), token);
  }
  static net::HttpResponse cancel(std::int64_t id, std::string_view token,
                                  std::string_view body = "{}") {
    return shop_->send("DELETE", path(id), token, body);
  }

  static inline std::unique_ptr<TestShop> shop_;
  static inline std::string token_;
  static inline std::string other_;
  static inline std::int64_t product_ = 0;
};

TEST_F(Orders, ArePlacedWithPricesOfTheProducts) {
  const auto response = place(fmt::format(
      R"({{"userId":999,"orderItems":[{{"productId":{0},"quantity":2}},{{"productId":{0},"quantity":1}}]}})",
      product_));

  ASSERT_EQ(response.status, 201) << response.body;
  const std::string item = fmt::format(
      "\\{{\"id\":[0-9]+,\"productId\":{},\"quantity\":%\"pricePerUnit\":10\\.50,\"currency\":"
      "\"USD\",\"createdAt\":[0-9]{{13}},\"updatedAt\":[0-9]{{13}}\\}}",
      product_);
  const auto with_quantity = [&](const char* quantity) {
    return std::string(item).replace(item.find('%'), 1, std::string(quantity) + ",");
  };
  EXPECT_THAT(
      response.body,
      MatchesRegex("\\{\"order\":\\{\"id\":[0-9]+,\"userId\":[0-9]+,\"orderItems\":\\[" +
                   with_quantity("2") + "," + with_quantity("1") +
                   "\\],\"totalAmount\":31\\.50,\"currency\":\"USD\",\"currentStatus\":0,"
                   "\"createdAt\":[0-9]{13},\"updatedAt\":[0-9]{13}\\},\"success\":true\\}"));
  const auto id = number_at(response, "order", "id");
  EXPECT_EQ(shop_->get(path(id), token_).body, response.body);
  EXPECT_NE(number_at(response, "order", "userId"), 999);
}

TEST_F(Orders, HaveTheCurrencyOfTheLastItem) {
  const auto euro = shop_->create_product("1", "EUR");
  const auto response = place(fmt::format(
      R"({{"orderItems":[{{"productId":{},"quantity":1}},{{"productId":{},"quantity":1}}]}})",
      product_, euro));

  EXPECT_EQ(json_of(response).at("order").at("currency").as_string(), "EUR");
  EXPECT_THAT(response.body, HasSubstr("\"totalAmount\":11.50"));
}

TEST_F(Orders, MayBeEmpty) {
  const auto response = place(R"({"orderItems":[]})");

  ASSERT_EQ(response.status, 201) << response.body;
  EXPECT_THAT(response.body, HasSubstr(R"("orderItems":[],"totalAmount":0.00,"currency":"USD")"));
  EXPECT_EQ(shop_->get(path(number_at(response, "order", "id")), token_).body, response.body);
}

TEST_F(Orders, OfUnknownProductsStoreAndPublishNothing) {
  const auto count = [&] { return shop_->query("SELECT count(*) FROM orders"); };
  const std::string before = count();

  const auto response = place(fmt::format(
      R"({{"orderItems":[{{"productId":{},"quantity":1}},{{"productId":999999,"quantity":1}},{{"productId":0,"quantity":1}}]}})",
      product_));

  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(title_of(response), "Resource not found");
  EXPECT_EQ(detail_of(response), "Product not found with ID: 999999");
  EXPECT_EQ(count(), before);
}

TEST_F(Orders, AreRefusedWithAListOfWhatIsInvalid) {
  const auto zero = place(fmt::format(
      R"({{"orderItems":[{{"productId":{},"quantity":0}},{{"quantity":-1}}]}})", product_));
  const auto missing = place("{}");
  const auto no_body = place("");

  EXPECT_EQ(zero.status, 400);
  EXPECT_EQ(errors_of(zero),
            "orderItems[0].quantity: must be at least 1; orderItems[1].productId: must not be "
            "null; orderItems[1].quantity: must be at least 1");
  EXPECT_EQ(missing.status, 400);
  EXPECT_EQ(errors_of(missing), "orderItems: must not be null");
  EXPECT_EQ(no_body.status, 400);
  EXPECT_EQ(detail_of(no_body), "Failed to read request");
}

TEST_F(Orders, BeyondTheTablesBoundsAreInvalid) {
  const auto dear = shop_->create_product("99999999.99");
  const auto too_dear = shop_->create_product("100000000");
  const auto order = [&](std::int64_t id, int quantity) {
    return place(
        fmt::format(R"({{"orderItems":[{{"productId":{},"quantity":{}}}]}})", id, quantity));
  };

  EXPECT_EQ(order(dear, 100).status, 201);
  EXPECT_EQ(order(dear, 101).status, 400);
  EXPECT_EQ(order(dear, 2147483647).status, 400);
  EXPECT_EQ(order(too_dear, 1).status, 400);
  EXPECT_THAT(errors_of(order(too_dear, 1)), HasSubstr("orderItems: a price must be below"));
}

TEST_F(Orders, ArePaidOnce) {
  const auto id = shop_->place_order(token_, product_, 2);

  const auto paid = pay(id, token_);
  const auto again = pay(id, token_);
  const auto cancelled = cancel(id, token_);

  EXPECT_EQ(paid.status, 200);
  EXPECT_EQ(number_at(paid, "order", "currentStatus"), 3);
  EXPECT_GE(number_at(paid, "order", "updatedAt"), number_at(paid, "order", "createdAt"));
  EXPECT_EQ(shop_->get(path(id), token_).body, paid.body);
  EXPECT_EQ(again.status, 409);
  EXPECT_EQ(title_of(again), "Resource conflict");
  EXPECT_EQ(detail_of(again),
            fmt::format("Found conflicting 'OrderPayment' resource for resource Id: {}", id));
  EXPECT_EQ(cancelled.status, 409);
  EXPECT_EQ(detail_of(cancelled), detail_of(again));
}

TEST_F(Orders, AreCancelledOnceAndNeedABodyForIt) {
  const auto id = shop_->place_order(token_, product_, 2);

  const auto without_body = cancel(id, token_, "");
  const auto cancelled = cancel(id, token_, R"({"reason":"too late"})");
  const auto again = cancel(id, token_);
  const auto paid = pay(id, token_);

  EXPECT_EQ(without_body.status, 400);
  EXPECT_EQ(detail_of(without_body), "Failed to read request");
  EXPECT_EQ(cancelled.status, 204);
  EXPECT_EQ(cancelled.body, "");
  EXPECT_EQ(again.status, 409);
  EXPECT_EQ(
      detail_of(again),
      fmt::format("Found conflicting 'OrderStatusTerminal' resource for resource Id: {}", id));
  EXPECT_EQ(detail_of(paid), detail_of(again));
  EXPECT_EQ(number_at(shop_->get(path(id), token_), "order", "currentStatus"), 1);
}

TEST_F(Orders, OfAnotherUserAreAsIfTheyWereNotThere) {
  const auto id = shop_->place_order(token_, product_, 1);
  const std::string not_found = fmt::format("Order not found with ID: {}", id);

  for (const auto& response : {shop_->get(path(id), other_), pay(id, other_), cancel(id, other_)}) {
    EXPECT_EQ(response.status, 404);
    EXPECT_EQ(detail_of(response), not_found);
  }
  EXPECT_EQ(number_at(shop_->get(path(id), token_), "order", "currentStatus"), 0);
  EXPECT_EQ(detail_of(shop_->get(path(999999), token_)), "Order not found with ID: 999999");
  EXPECT_EQ(pay(-1, token_).status, 404);
}

TEST_F(Orders, AreListedForTheirOwnerOnly) {
  const std::string token = shop_->sign_up("lister@example.test");
  const auto user = number_at(shop_->get("/api/v1/users/me", token), "id");
  const auto none = shop_->get(fmt::format("/api/v1/orders/user/{}", user), token);
  const auto first = shop_->place_order(token, product_, 1);
  const auto second = shop_->place_order(token, product_, 2);

  const auto listed = shop_->get(fmt::format("/api/v1/orders/user/{}", user), token);
  const auto refused = shop_->get(fmt::format("/api/v1/orders/user/{}", user), other_);
  const auto bad = shop_->get("/api/v1/orders/user/abc", token);

  EXPECT_EQ(none.body, R"({"orders":[],"success":true})");
  EXPECT_EQ(listed.status, 200);
  const auto orders = json_of(listed).at("orders");
  ASSERT_EQ(orders.as_array().size(), 2U);
  EXPECT_EQ(orders.at(0).at("id").as_int64(), first);
  EXPECT_EQ(orders.at(1).at("id").as_int64(), second);
  EXPECT_EQ(refused.status, 403);
  EXPECT_EQ(title_of(refused), "Access Denied");
  EXPECT_EQ(detail_of(refused), "Cannot view orders for another user");
  EXPECT_EQ(detail_of(bad), "Failed to convert 'userId' with value: 'abc'");
}

TEST_F(Orders, StayReadableWhenTheirProductIsDeleted) {
  const auto product = shop_->create_product("3");
  const auto id = shop_->place_order(token_, product, 1);
  shop_->send("DELETE", fmt::format("/api/v1/products/{}", product), shop_->admin_token());

  EXPECT_EQ(shop_->get(path(id), token_).status, 200);
}

TEST_F(Orders, HaveTheMethodsOfTheContract) {
  EXPECT_EQ(shop_->get("/api/v1/orders", token_).headers.get("Allow"), "POST");
  EXPECT_EQ(shop_->send("PATCH", "/api/v1/orders/1", token_, "{}").headers.get("Allow"),
            "GET, DELETE");
  EXPECT_EQ(shop_->get("/api/v1/orders/1/pay", token_).headers.get("Allow"), "POST");
  EXPECT_EQ(shop_->send("POST", "/api/v1/orders/", token_, R"({"orderItems":[]})").status, 201);
}

TEST_F(Orders, PublishWhatWasCommitted) {
  TestShop shop;
  const std::string token = shop.sign_up("events@example.test");
  const auto product = shop.create_product("10.50");
  const auto id = shop.place_order(token, product, 2);
  const auto placed = shop.get(path(id), token);
  const auto paid = shop.send("POST", path(id, "/pay"), token);
  const auto second = shop.place_order(token, product, 1);
  shop.send("DELETE", path(second), token, "{}");
  const auto cancelled = shop.get(path(second), token);

  std::vector<testing::SeenRecord> orders;
  for (const auto& record : shop.records(6)) {
    if (record.topic == "orders") orders.push_back(record);
  }

  ASSERT_EQ(orders.size(), 4U);
  std::vector<std::string> of_first, of_second;
  for (const auto& record : orders) {
    const std::string wrapped = "{\"order\":" + record.value + ",\"success\":true}";
    (record.key == std::to_string(id) ? of_first : of_second).push_back(wrapped);
  }
  ASSERT_EQ(of_first.size(), 2U);
  EXPECT_EQ(of_first[0], placed.body);
  EXPECT_EQ(of_first[1], paid.body);
  ASSERT_EQ(of_second.size(), 2U);
  EXPECT_EQ(of_second[1], cancelled.body);
}

// Many clients pay and cancel one order at the same moment: exactly one of them wins, and exactly
// one event says so.
TEST_F(Orders, AreChangedByExactlyOneOfManyAtOnce) {
  TestShop shop;
  const std::string token = shop.sign_up("race@example.test");
  const auto product = shop.create_product("1");
  std::size_t expected = 2;
  for (int round = 0; round < 10; ++round) {
    const auto id = shop.place_order(token, product, 1);
    std::vector<int> statuses(8);
    {
      std::vector<std::jthread> clients;
      for (std::size_t i = 0; i < statuses.size(); ++i) {
        clients.emplace_back([&, i] {
          statuses[i] = (i % 2 == 0 ? shop.send("POST", path(id, "/pay"), token)
                                    : shop.send("DELETE", path(id), token, "{}"))
                            .status;
        });
      }
    }
    const auto won = std::ranges::count_if(statuses, [](int s) { return s == 200 || s == 204; });
    const auto lost = std::ranges::count(statuses, 409);
    EXPECT_EQ(won, 1);
    EXPECT_EQ(lost, 7);
    expected += 2;  // Placed, and changed once.
  }

  ASSERT_TRUE(shop.shop().drain(base::now() + std::chrono::seconds(10)));
  EXPECT_EQ(shop.shop().totals().attempts, expected);
  EXPECT_EQ(shop.records(expected).size(), expected);
}

}  // namespace
}  // namespace flow::ecommerce

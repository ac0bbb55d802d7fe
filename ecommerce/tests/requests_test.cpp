// SPDX-License-Identifier: Apache-2.0
#include "ecommerce/domain/requests.hpp"

#include <gtest/gtest.h>

#include "ecommerce/domain/json_input.hpp"

namespace flow::ecommerce {
namespace {

// "400 field: message; …", with "unreadable" in front when the JSON itself does not fit.
template <class T>
std::string outcome(const Input<T>& input) {
  if (input) return "good";
  std::string text = input.error().unreadable ? "unreadable " : "";
  for (const FieldError& error : input.error().errors) {
    if (&error != &input.error().errors.front()) text += "; ";
    text += error.field + ": " + error.message;
  }
  return text;
}

TEST(RegisterRequest, ListsEverythingThatIsWrong) {
  EXPECT_EQ(outcome(read_register("{}")),
            "email: must not be blank; password: must not be blank; firstName: must not be blank");
  EXPECT_EQ(outcome(read_register(R"({"email":" ","password":"p","firstName":null})")),
            "email: must not be blank; firstName: must not be blank");
  EXPECT_EQ(
      outcome(read_register(R"({"email":"e","password":"p","firstName":")" + std::string(51, 'x') +
                            R"(","lastName":")" + std::string(51, 'y') + "\"}")),
      "firstName: must have at most 50 characters; lastName: must have at most 50 characters");
}

TEST(RegisterRequest, CountsCharactersInNamesAndBytesInPasswords) {
  std::string fifty;
  for (int i = 0; i < 50; ++i) fifty += "é";
  const auto body = [&](const std::string& password) {
    return R"({"email":"e","password":")" + password + R"(","firstName":")" + fifty + "\"}";
  };

  EXPECT_EQ(outcome(read_register(body(std::string(72, 'p')))), "good");
  EXPECT_EQ(outcome(read_register(body(std::string(73, 'p')))),
            "password: must have at most 72 bytes");
  EXPECT_EQ(outcome(read_register(body(std::string(70, 'p') + "éé"))),
            "password: must have at most 72 bytes");
}

TEST(RegisterRequest, RefusesTheCharacterThatEndsStringsInC) {
  EXPECT_EQ(outcome(read_register(R"({"email":"e","password":"a\u0000b","firstName":"f"})")),
            "password: must not contain the character U+0000");
}

TEST(Requests, TakeScalarsForTextAsTheirText) {
  const auto request = read_register(R"({"email":12345,"password":true,"firstName":1.50,"x":[]})");

  ASSERT_EQ(outcome(request), "good");
  EXPECT_EQ(request->email, "12345");
  EXPECT_EQ(request->password, "true");
  EXPECT_EQ(request->first_name, "1.50");
  EXPECT_EQ(request->last_name, std::nullopt);
}

TEST(Requests, AreUnreadableWhenTheyAreNoJsonObject) {
  for (const char* body : {"", " ", "{", "[1]", "5", "\"x\"", "null", "{\"email\":}", "{'a':1}",
                           "{\"email\":\"\xff\xfe\"}", "{\"email\":\"\\ud800\"}"}) {
    const auto request = read_register(body);
    ASSERT_FALSE(request) << body;
    EXPECT_TRUE(request.error().unreadable) << body;
    EXPECT_EQ(request.error().errors.size(), 1U) << body;
    EXPECT_EQ(request.error().errors[0].field, "body") << body;
  }
}

TEST(Requests, IgnoreTextAfterTheJsonAndUnknownFields) {
  EXPECT_EQ(outcome(read_cancel(R"({"reason":"r","more":{"a":[1,2]}} and so on)")), "good");
  EXPECT_EQ(outcome(read_cancel("{}")), "good");
  EXPECT_EQ(outcome(read_cancel(R"({"reason":[]})")), "unreadable reason: must be text");
}

TEST(Requests, RefuseJsonThatIsDeepOrHasTooManyValues) {
  const std::string deep = std::string(100, '[') + std::string(100, ']');
  std::string many = "{\"a\":[0";
  for (int i = 0; i < 30'000; ++i) many += ",0";
  many += "]}";

  EXPECT_FALSE(parse_json_input(deep));
  EXPECT_FALSE(parse_json_input(many));
}

TEST(Requests, TakeTheLastOfARepeatedKey) {
  const auto product = read_new_product(R"({"name":"a","name":"b","price":1,"currency":"USD"})");

  ASSERT_TRUE(product);
  EXPECT_EQ(product->name, "b");
}

TEST(NewProduct, TakesAPriceAsNumberOrText) {
  const auto price = [](const std::string& text) {
    const auto product = read_new_product(R"({"name":"n","currency":"USD","price":)" + text + "}");
    return product ? product->price.text() : outcome(product);
  };

  EXPECT_EQ(price("1.005"), "1.01");
  EXPECT_EQ(price("\"1.005\""), "1.01");
  EXPECT_EQ(price("1e3"), "1000.00");
  EXPECT_EQ(price("0"), "0.00");
  EXPECT_EQ(price("-0.00"), "0.00");
  EXPECT_EQ(price("-1"), "price: must not be negative");
  EXPECT_EQ(price("null"), "price: must not be null");
  EXPECT_EQ(price("\"\""), "price: must not be null");
  EXPECT_EQ(price("\"abc\""), "unreadable price: must be a number");
  EXPECT_EQ(price("true"), "unreadable price: must be a number");
  EXPECT_EQ(price("[]"), "unreadable price: must be a number");
  EXPECT_EQ(price("1e36"), "price: must have at most 36 digits before the point");
}

TEST(NewProduct, ListsEverythingThatIsWrong) {
  EXPECT_EQ(outcome(read_new_product("{}")),
            "name: must not be blank; price: must not be null; currency: must not be blank");
  EXPECT_EQ(outcome(read_new_product(R"({"name":"n","price":1,"currency":"US"})")),
            "currency: must have exactly 3 characters");
  EXPECT_EQ(
      outcome(read_new_product(
          R"({"name":")" + std::string(256, 'n') + R"(","price":1,"currency":"USD","category":")" +
          std::string(256, 'c') + R"(","description":")" + std::string(256, 'd') + "\"}")),
      "name: must have at most 255 characters; category: must have at most 255 characters; "
      "description: must have at most 255 characters");
}

TEST(ProductPatch, ChecksOnlyWhatIsSent) {
  EXPECT_EQ(outcome(read_product_patch("{}")), "good");
  EXPECT_EQ(outcome(read_product_patch(R"({"id":99,"name":null})")), "good");
  EXPECT_EQ(outcome(read_product_patch(R"({"name":"  ","price":-1,"currency":"EURO"})")),
            "name: must not be blank; price: must not be negative; currency: must have exactly 3 "
            "characters");
}

TEST(NewOrder, ChecksEveryItem) {
  EXPECT_EQ(outcome(read_new_order("{}")), "orderItems: must not be null");
  EXPECT_EQ(outcome(read_new_order(R"({"orderItems":{}})")),
            "unreadable orderItems: must be a JSON array");
  EXPECT_EQ(outcome(read_new_order(R"({"orderItems":[]})")), "good");
  EXPECT_EQ(outcome(read_new_order(R"({"orderItems":[{},{"productId":1,"quantity":0},7]})")),
            "unreadable orderItems[0].productId: must not be null; orderItems[0].quantity: must "
            "not be null; orderItems[1].quantity: must be at least 1; orderItems[2]: must be a "
            "JSON object");
  EXPECT_EQ(outcome(read_new_order(R"({"orderItems":[{"productId":1,"quantity":2147483648}]})")),
            "unreadable orderItems[0].quantity: must be a whole number from -2147483648 to "
            "2147483647");
}

TEST(NewOrder, CutsFractionsAndTakesText) {
  const auto order =
      read_new_order(R"({"userId":9,"orderItems":[{"productId":"7","quantity":1.999}]})");

  ASSERT_TRUE(order);
  EXPECT_EQ(order->items[0].product_id, 7);
  EXPECT_EQ(order->items[0].quantity, 1);
  EXPECT_FALSE(read_new_order(R"({"orderItems":[{"productId":"7.5","quantity":1}]})"));
}

TEST(NewOrder, HasABound) {
  std::string body = R"({"orderItems":[)";
  for (std::size_t i = 0; i <= order_items_max; ++i) {
    body += std::string(i == 0 ? "" : ",") + R"({"productId":1,"quantity":1})";
  }

  EXPECT_EQ(outcome(read_new_order(body + "]}")), "orderItems: must have at most 1000 items");
}

}  // namespace
}  // namespace flow::ecommerce

// Golden texts: records as the original service wrote them.
// SPDX-License-Identifier: Apache-2.0
#include "ecommerce/domain/entity_json.hpp"

#include <gtest/gtest.h>

namespace flow::ecommerce {
namespace {

TEST(EntityJson, WritesAUserWithNullsAndWithoutThePassword) {
  User user;
  user.id = 2;
  user.email = "u1@example.test";
  user.first_name = "Ada";
  user.created_at = user.updated_at = 1795381784066;
  user.is_admin = true;
  user.password_hash = "$2b$secret";

  EXPECT_EQ(
      to_json(user),
      R"({"id":2,"email":"u1@example.test","firstName":"Ada","lastName":null,"createdAt":1795381784066,"updatedAt":1795381784066,"enabled":true,"authorities":[],"username":"u1@example.test","accountNonExpired":true,"accountNonLocked":true,"credentialsNonExpired":true})");
}

TEST(EntityJson, WritesAProductWithMoneyAsStored) {
  Product product;
  product.id = 12;
  product.name = "Nib";
  product.price = *Money::parse("5");
  product.currency = "USD";
  product.created_at = product.updated_at = 1795381786974;

  EXPECT_EQ(
      to_json(product),
      R"({"id":12,"name":"Nib","price":5.00,"currency":"USD","category":null,"description":null,"createdAt":1795381786974,"updatedAt":1795381786974})");
}

TEST(EntityJson, WritesAnOrderWithItsItems) {
  Order order;
  order.id = 1;
  order.user_id = 2;
  order.total_amount = *Money::parse("21");
  order.currency = "USD";
  order.status = OrderStatus::paid;
  order.created_at = order.updated_at = 1795381788463;
  order.items.push_back({.id = 1,
                         .product_id = 1,
                         .quantity = 2,
                         .price_per_unit = *Money::parse("10.5"),
                         .currency = "USD",
                         .created_at = 1795381788470,
                         .updated_at = 1795381788470});

  EXPECT_EQ(
      to_json(order),
      R"({"id":1,"userId":2,"orderItems":[{"id":1,"productId":1,"quantity":2,"pricePerUnit":10.50,"currency":"USD","createdAt":1795381788470,"updatedAt":1795381788470}],"totalAmount":21.00,"currency":"USD","currentStatus":3,"createdAt":1795381788463,"updatedAt":1795381788463})");
}

TEST(EntityJson, EscapesWhatMustBeAndNothingElse) {
  std::string out;

  append_json_text(out, std::string_view("a\"b\\c\n\r\t\b\f\x01\x1f/<>&\xe2\x80\xa8é😀\0z", 27));

  EXPECT_EQ(out,
            std::string("\"a\\\"b\\\\c\\n\\r\\t\\b\\f\\u0001\\u001f/<>&\xe2\x80\xa8é😀\\u0000z\""));
}

}  // namespace
}  // namespace flow::ecommerce

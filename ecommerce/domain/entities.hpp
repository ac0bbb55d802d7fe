// What the shop keeps: users, products, orders. Field order is the order in JSON.
// Thread: any; plain values.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ecommerce/domain/money.hpp"

namespace flow::ecommerce {

using Id = std::int64_t;           // A row's number, from 1.
using EpochMillis = std::int64_t;  // Milliseconds since 1970.

struct User {
  Id id = 0;
  std::string email;
  std::string first_name;
  std::optional<std::string> last_name;
  EpochMillis created_at = 0;
  EpochMillis updated_at = 0;
  bool is_admin = false;      // Never written to JSON.
  std::string password_hash;  // Read for sign-in only; never written to JSON.
};

struct Product {
  Id id = 0;
  std::string name;
  Money price;
  std::string currency;
  std::optional<std::string> category;
  std::optional<std::string> description;
  EpochMillis created_at = 0;
  EpochMillis updated_at = 0;
};

struct OrderItem {
  Id id = 0;
  Id product_id = 0;
  std::int32_t quantity = 0;
  Money price_per_unit;
  std::string currency;
  EpochMillis created_at = 0;
  EpochMillis updated_at = 0;
};

enum class OrderStatus : std::int32_t {
  placed = 0,
  cancelled = 1,
  failed = 2,
  paid = 3,
  shipped = 4
};

struct Order {
  Id id = 0;
  Id user_id = 0;
  std::vector<OrderItem> items;
  Money total_amount;
  std::string currency;
  OrderStatus status = OrderStatus::placed;
  EpochMillis created_at = 0;
  EpochMillis updated_at = 0;
};

}  // namespace flow::ecommerce

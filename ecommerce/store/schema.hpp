// The shop's tables and the statements that it prepares on every connection.
// Thread: any; constants.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace flow::ecommerce {

// Makes what is missing and leaves what is there; safe when several shops start at once.
extern const std::string_view create_tables_sql;

namespace statement {
enum Index : std::size_t {
  ping,
  user_by_email,    // $1 email
  user_for_signin,  // $1 email; with the password hash
  users,
  insert_user,    // $1 email, $2 first name, $3 last name, $4 hash; no row: email is taken
  upsert_admin,   // $1 email, $2 hash
  product_by_id,  // $1 id
  products,
  insert_product,  // $1 name, $2 price, $3 currency, $4 category, $5 description
  update_product,  // $1 id, $2… as insert_product, null: unchanged; last column: has changed
  delete_product,  // $1 id
  next_order_ids,
  place_order,     // $1 order id, $2 user id, $3 product ids, $4 quantities
  order_by_id,     // $1 order id, $2 email of its owner
  orders_of_user,  // $1 user id, $2 email of the same user
  change_order,    // $1 order id, $2 user id, $3 new status; no row: not placed (any more)
  order_status,    // $1 order id, $2 user id
  count
};
}  // namespace statement

// By statement::Index.
std::span<const std::string_view> shop_statements();

// `orders_seq` counts in blocks: nextval N stands for the ids N - 50 … N - 1.
inline constexpr int order_ids_per_block = 50;

}  // namespace flow::ecommerce

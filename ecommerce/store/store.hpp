// What the shop asks of its database, in its own words. Most requests cost one round trip: the
// look-up of the token's user and the read travel together.
// Thread: the pool's.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "ecommerce/domain/entities.hpp"
#include "ecommerce/domain/requests.hpp"
#include "ecommerce/store/pg_pool.hpp"

namespace flow::ecommerce {

// What a read found, and the user on whose behalf it was made (none: no such user any more).
template <class T>
struct Seen {
  std::optional<User> caller;
  T value;
};

struct PatchedProduct {
  Product product;
  bool has_changed = false;
};

struct MissingProduct {
  Id id;
};
struct TotalTooLarge {};
using Placed = std::variant<Order, MissingProduct, TotalTooLarge>;

// Why an order could not be changed: its status (it is not `placed`), or none: there is no such
// order of this user.
using Changed = std::variant<Order, std::optional<OrderStatus>>;

class Store {
 public:
  explicit Store(PgPool& pool) : pool_(pool) {}

  net::Task<DbResult<void>> ping();

  net::Task<DbResult<std::optional<User>>> user_by_email(std::string email);
  net::Task<DbResult<std::optional<User>>> user_for_signin(std::string email);  // With hash.
  net::Task<DbResult<std::vector<User>>> users();
  // nullopt: the email is taken.
  net::Task<DbResult<std::optional<User>>> insert_user(RegisterRequest request, std::string hash);
  net::Task<DbResult<void>> upsert_admin(std::string email, std::string hash);

  net::Task<DbResult<Seen<std::optional<Product>>>> product(std::string caller, Id id);
  net::Task<DbResult<Seen<std::vector<Product>>>> products(std::string caller);
  net::Task<DbResult<Product>> insert_product(NewProduct product);
  net::Task<DbResult<std::optional<PatchedProduct>>> patch_product(Id id, ProductPatch patch);
  net::Task<DbResult<bool>> delete_product(Id id);

  net::Task<DbResult<Placed>> place_order(Id user_id, NewOrder order);
  // Only orders of the caller.
  net::Task<DbResult<Seen<std::optional<Order>>>> order(std::string caller, Id id);
  net::Task<DbResult<Seen<std::vector<Order>>>> orders_of_user(std::string caller, Id user_id);
  // From `placed` to `status`; of several simultaneous calls one succeeds.
  net::Task<DbResult<Changed>> change_order(Id user_id, Id id, OrderStatus status);

 private:
  net::Task<DbResult<Id>> next_order_id();
  net::Task<DbResult<PgRows>> run_one(PgQuery query);

  PgPool& pool_;
  struct IdBlock {
    Id next;
    Id end;
  };
  std::deque<IdBlock> order_ids_;
};

// Connects once, creates what is missing, disconnects.
net::Task<DbResult<void>> create_tables(net::asio::io_context& context, std::string conninfo,
                                        base::TimePoint deadline);

}  // namespace flow::ecommerce

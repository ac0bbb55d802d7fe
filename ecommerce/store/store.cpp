// SPDX-License-Identifier: Apache-2.0
#include "ecommerce/store/store.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>

#include "base/check.hpp"
#include "ecommerce/store/schema.hpp"

namespace flow::ecommerce {
namespace {

User read_user(const PgRows& rows, int row) {
  User user;
  user.id = rows.number(row, 0);
  user.email = rows.text(row, 1);
  user.first_name = rows.text(row, 2);
  user.last_name = rows.optional_text(row, 3);
  user.created_at = rows.epoch_millis(row, 4);
  user.updated_at = rows.epoch_millis(row, 5);
  user.is_admin = rows.boolean(row, 6);
  return user;
}

std::optional<User> first_user(const PgRows& rows) {
  if (rows.count() == 0) return std::nullopt;
  return read_user(rows, 0);
}

Money read_money(const PgRows& rows, int row, int column) {
  // A value that is no amount (NaN, which numeric allows) is shown as zero rather than not at all.
  return Money::parse(rows.bytes(row, column)).value_or(Money{});
}

Product read_product(const PgRows& rows, int row) {
  Product product;
  product.id = rows.number(row, 0);
  product.name = rows.text(row, 1);
  product.price = read_money(rows, row, 2);
  product.currency = rows.text(row, 3);
  product.category = rows.optional_text(row, 4);
  product.description = rows.optional_text(row, 5);
  product.created_at = rows.epoch_millis(row, 6);
  product.updated_at = rows.epoch_millis(row, 7);
  return product;
}

Order read_order_head(const PgRows& rows, int row) {
  Order order;
  order.id = rows.number(row, 0);
  order.user_id = rows.number(row, 1);
  order.total_amount = read_money(rows, row, 2);
  order.currency = rows.text(row, 3);
  order.status = static_cast<OrderStatus>(rows.number32(row, 4));
  order.created_at = rows.epoch_millis(row, 5);
  order.updated_at = rows.epoch_millis(row, 6);
  return order;
}

OrderItem read_item(const PgRows& rows, int row) {
  OrderItem item;
  item.id = rows.number(row, 7);
  item.product_id = rows.number(row, 8);
  item.quantity = rows.number32(row, 9);
  item.price_per_unit = read_money(rows, row, 10);
  item.currency = rows.text(row, 11);
  item.created_at = rows.epoch_millis(row, 12);
  item.updated_at = rows.epoch_millis(row, 13);
  return item;
}

// One row per item; an order without items has one row without an item. Sorted by order.
std::vector<Order> read_orders(const PgRows& rows) {
  std::vector<Order> orders;
  for (int row = 0; row < rows.count(); ++row) {
    if (rows.is_null(row, 0)) continue;  // place_order(): nothing was stored.
    if (orders.empty() || orders.back().id != rows.number(row, 0)) {
      orders.push_back(read_order_head(rows, row));
    }
    if (!rows.is_null(row, 7)) orders.back().items.push_back(read_item(rows, row));
  }
  return orders;
}

std::string array_text(const std::vector<NewOrderItem>& items, auto member) {
  std::string text = "{";
  for (const NewOrderItem& item : items) {
    if (text.size() > 1) text += ',';
    text += std::to_string(item.*member);
  }
  return text += '}';
}

}  // namespace

net::Task<DbResult<PgRows>> Store::run_one(PgQuery query) {
  std::vector<PgQuery> queries;
  queries.push_back(std::move(query));
  auto rows = co_await pool_.run(std::move(queries));
  if (!rows) co_return std::unexpected(std::move(rows.error()));
  co_return std::move(rows->front());
}

net::Task<DbResult<void>> Store::ping() {
  auto query = PgQuery(statement::ping);
  auto rows = co_await run_one(std::move(query));
  if (!rows) co_return std::unexpected(std::move(rows.error()));
  co_return DbResult<void>{};
}

net::Task<DbResult<std::optional<User>>> Store::user_by_email(std::string email) {
  auto query = PgQuery(statement::user_by_email).text(email);
  auto rows = co_await run_one(std::move(query));
  if (!rows) co_return std::unexpected(std::move(rows.error()));
  co_return first_user(*rows);
}

net::Task<DbResult<std::optional<User>>> Store::user_for_signin(std::string email) {
  auto query = PgQuery(statement::user_for_signin).text(email);
  auto rows = co_await run_one(std::move(query));
  if (!rows) co_return std::unexpected(std::move(rows.error()));
  auto user = first_user(*rows);
  if (user) user->password_hash = rows->text(0, 7);
  co_return user;
}

net::Task<DbResult<std::vector<User>>> Store::users() {
  auto query = PgQuery(statement::users);
  auto rows = co_await run_one(std::move(query));
  if (!rows) co_return std::unexpected(std::move(rows.error()));
  std::vector<User> users;
  for (int row = 0; row < rows->count(); ++row) users.push_back(read_user(*rows, row));
  co_return users;
}

net::Task<DbResult<std::optional<User>>> Store::insert_user(RegisterRequest request,
                                                            std::string hash) {
  auto query = PgQuery(statement::insert_user)
                   .text(request.email)
                   .text(request.first_name)
                   .optional_text(request.last_name)
                   .text(hash);
  auto rows = co_await run_one(std::move(query));
  if (!rows) co_return std::unexpected(std::move(rows.error()));
  co_return first_user(*rows);
}

net::Task<DbResult<void>> Store::upsert_admin(std::string email, std::string hash) {
  auto query = PgQuery(statement::upsert_admin).text(email).text(hash);
  auto rows = co_await run_one(std::move(query));
  if (!rows) co_return std::unexpected(std::move(rows.error()));
  co_return DbResult<void>{};
}

net::Task<DbResult<Seen<std::optional<Product>>>> Store::product(std::string caller, Id id) {
  std::vector<PgQuery> queries;
  queries.push_back(PgQuery(statement::user_by_email).text(caller));
  queries.push_back(PgQuery(statement::product_by_id).number(id));
  auto rows = co_await pool_.run(std::move(queries));
  if (!rows) co_return std::unexpected(std::move(rows.error()));
  Seen<std::optional<Product>> seen;
  seen.caller = first_user((*rows)[0]);
  if ((*rows)[1].count() > 0) seen.value = read_product((*rows)[1], 0);
  co_return seen;
}

net::Task<DbResult<Seen<std::vector<Product>>>> Store::products(std::string caller) {
  std::vector<PgQuery> queries;
  queries.push_back(PgQuery(statement::user_by_email).text(caller));
  queries.push_back(PgQuery(statement::products));
  auto rows = co_await pool_.run(std::move(queries));
  if (!rows) co_return std::unexpected(std::move(rows.error()));
  Seen<std::vector<Product>> seen;
  seen.caller = first_user((*rows)[0]);
  const PgRows& found = (*rows)[1];
  seen.value.reserve(static_cast<std::size_t>(found.count()));
  for (int row = 0; row < found.count(); ++row) seen.value.push_back(read_product(found, row));
  co_return seen;
}

net::Task<DbResult<Product>> Store::insert_product(NewProduct product) {
  auto query = PgQuery(statement::insert_product)
                   .text(product.name)
                   .text(product.price.text())
                   .text(product.currency)
                   .optional_text(product.category)
                   .optional_text(product.description);
  auto rows = co_await run_one(std::move(query));
  if (!rows) co_return std::unexpected(std::move(rows.error()));
  co_return read_product(*rows, 0);
}

net::Task<DbResult<std::optional<PatchedProduct>>> Store::patch_product(Id id, ProductPatch patch) {
  std::optional<std::string> price;
  if (patch.price) price = patch.price->text();
  auto query = PgQuery(statement::update_product)
                   .number(id)
                   .optional_text(patch.name)
                   .optional_text(price)
                   .optional_text(patch.currency)
                   .optional_text(patch.category)
                   .optional_text(patch.description);
  auto rows = co_await run_one(std::move(query));
  if (!rows) co_return std::unexpected(std::move(rows.error()));
  std::optional<PatchedProduct> patched;
  if (rows->count() > 0) patched = PatchedProduct{read_product(*rows, 0), rows->boolean(0, 8)};
  co_return patched;
}

net::Task<DbResult<bool>> Store::delete_product(Id id) {
  auto query = PgQuery(statement::delete_product).number(id);
  auto rows = co_await run_one(std::move(query));
  if (!rows) co_return std::unexpected(std::move(rows.error()));
  co_return rows->count() > 0;
}

net::Task<DbResult<Id>> Store::next_order_id() {
  if (!order_ids_.empty()) {
    IdBlock& block = order_ids_.front();
    const Id id = block.next++;
    if (block.next == block.end) order_ids_.pop_front();
    co_return id;
  }
  for (;;) {
    PgQuery query(statement::next_order_ids);
    auto rows = co_await run_one(std::move(query));
    if (!rows) co_return std::unexpected(std::move(rows.error()));
    const Id end = rows->number(0, 0);
    if (end <= order_ids_per_block) continue;  // The sequence's first value stands for no block.
    const Id first = end - order_ids_per_block;
    order_ids_.push_back({first + 1, end});
    co_return first;
  }
}

net::Task<DbResult<Placed>> Store::place_order(Id user_id, NewOrder order) {
  auto id = co_await next_order_id();
  if (!id) co_return std::unexpected(std::move(id.error()));
  auto query = PgQuery(statement::place_order)
                   .number(*id)
                   .number(user_id)
                   .text(array_text(order.items, &NewOrderItem::product_id))
                   .text(array_text(order.items, &NewOrderItem::quantity));
  auto rows = co_await run_one(std::move(query));
  if (!rows) co_return std::unexpected(std::move(rows.error()));
  FLOW_CHECK(rows->count() > 0);
  if (!rows->is_null(0, 14)) co_return Placed(MissingProduct{rows->number(0, 14)});
  auto orders = read_orders(*rows);
  if (orders.empty()) co_return Placed(TotalTooLarge{});
  co_return Placed(std::move(orders.front()));
}

net::Task<DbResult<Seen<std::optional<Order>>>> Store::order(std::string caller, Id id) {
  std::vector<PgQuery> queries;
  queries.push_back(PgQuery(statement::user_by_email).text(caller));
  queries.push_back(PgQuery(statement::order_by_id).number(id).text(caller));
  auto rows = co_await pool_.run(std::move(queries));
  if (!rows) co_return std::unexpected(std::move(rows.error()));
  Seen<std::optional<Order>> seen;
  seen.caller = first_user((*rows)[0]);
  auto orders = read_orders((*rows)[1]);
  if (!orders.empty()) seen.value = std::move(orders.front());
  co_return seen;
}

net::Task<DbResult<Seen<std::vector<Order>>>> Store::orders_of_user(std::string caller,
                                                                    Id user_id) {
  std::vector<PgQuery> queries;
  queries.push_back(PgQuery(statement::user_by_email).text(caller));
  queries.push_back(PgQuery(statement::orders_of_user).number(user_id).text(caller));
  auto rows = co_await pool_.run(std::move(queries));
  if (!rows) co_return std::unexpected(std::move(rows.error()));
  Seen<std::vector<Order>> seen;
  seen.caller = first_user((*rows)[0]);
  seen.value = read_orders((*rows)[1]);
  co_return seen;
}

net::Task<DbResult<Changed>> Store::change_order(Id user_id, Id id, OrderStatus status) {
  auto query = PgQuery(statement::change_order)
                   .number(id)
                   .number(user_id)
                   .number32(static_cast<std::int32_t>(status));
  auto rows = co_await run_one(std::move(query));
  if (!rows) co_return std::unexpected(std::move(rows.error()));
  auto orders = read_orders(*rows);
  if (!orders.empty()) co_return Changed(std::move(orders.front()));
  auto question = PgQuery(statement::order_status).number(id).number(user_id);
  auto found = co_await run_one(std::move(question));
  if (!found) co_return std::unexpected(std::move(found.error()));
  std::optional<OrderStatus> now_is;
  if (found->count() > 0) now_is = static_cast<OrderStatus>(found->number32(0, 0));
  co_return Changed(now_is);
}

net::Task<DbResult<void>> create_tables(net::asio::io_context& context, std::string conninfo,
                                        base::TimePoint deadline) {
  const auto connection = std::make_shared<PgConnection>(context);
  // Nobody else watches this connection's deadline.
  net::asio::steady_timer timer(context, deadline);
  timer.async_wait([connection](const boost::system::error_code& error) {
    if (!error) connection->abort();
  });
  auto done = co_await connection->connect(std::move(conninfo), deadline);
  std::string sql(create_tables_sql);
  if (done) done = co_await connection->script(std::move(sql), deadline);
  timer.cancel();
  co_return done;
}

}  // namespace flow::ecommerce

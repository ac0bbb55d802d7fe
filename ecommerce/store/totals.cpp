// SPDX-License-Identifier: Apache-2.0
#include "ecommerce/store/totals.hpp"

#include <charconv>
#include <memory>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <libpq-fe.h>

namespace flow::ecommerce {
namespace {

using base::Errc;
using base::fail;
using base::Result;

struct Finish {
  void operator()(PGconn* connection) const { PQfinish(connection); }
};
struct Clear {
  void operator()(PGresult* result) const { PQclear(result); }
};
using Connection = std::unique_ptr<PGconn, Finish>;
using Row = std::vector<std::int64_t>;

Result<Connection> connect(const std::string& conninfo, std::chrono::seconds timeout) {
  const std::string seconds = std::to_string(timeout.count());
  const std::string options = fmt::format("-c statement_timeout={}", timeout.count() * 1000);
  const char* const keys[] = {"dbname", "connect_timeout", "options", nullptr};
  const char* const values[] = {conninfo.c_str(), seconds.c_str(), options.c_str(), nullptr};
  Connection connection(PQconnectdbParams(keys, values, /*expand_dbname=*/1));
  if (PQstatus(connection.get()) == CONNECTION_OK) return connection;
  return fail(Errc::io, "shop database: {}", PQerrorMessage(connection.get()));
}

// Rows of whole numbers.
Result<std::vector<Row>> numbers(PGconn* connection, const char* sql) {
  const std::unique_ptr<PGresult, Clear> result(PQexec(connection, sql));
  if (PQresultStatus(result.get()) != PGRES_TUPLES_OK) {
    return fail(Errc::io, "shop database: {}: {}", sql, PQerrorMessage(connection));
  }
  std::vector<Row> rows;
  for (int i = 0; i < PQntuples(result.get()); ++i) {
    Row& row = rows.emplace_back();
    for (int field = 0; field < PQnfields(result.get()); ++field) {
      const std::string_view text = PQgetvalue(result.get(), i, field);
      std::int64_t value = 0;
      std::from_chars(text.data(), text.data() + text.size(), value);
      row.push_back(value);
    }
  }
  return rows;
}

}  // namespace

Result<ShopTotals> read_totals(const std::string& conninfo, std::chrono::seconds timeout) {
  auto connection = connect(conninfo, timeout);
  if (!connection) return std::unexpected(connection.error());
  auto sums = numbers(connection->get(),
                      "SELECT (SELECT count(*) FROM users WHERE NOT is_admin), "
                      "(SELECT count(*) FROM orders), "
                      "(SELECT coalesce(sum(total_amount * 100), 0)::bigint FROM orders), "
                      "(SELECT coalesce(sum(quantity), 0) FROM order_items)");
  if (!sums) return std::unexpected(sums.error());
  auto states = numbers(connection->get(),
                        "SELECT current_status, count(*) FROM orders GROUP BY current_status");
  if (!states) return std::unexpected(states.error());
  const Row& row = sums->front();
  ShopTotals totals{.users = row[0], .orders = row[1], .order_cents = row[2], .items = row[3]};
  for (const Row& state : *states) totals.orders_by_status[static_cast<int>(state[0])] = state[1];
  return totals;
}

}  // namespace flow::ecommerce

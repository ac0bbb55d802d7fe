// One connection to PostgreSQL: libpq without blocking, in pipeline mode, so that several
// statements cost one round trip. What runs between two syncs is one transaction: all of it or
// nothing. Deadlines are enforced from outside: the owner calls expire() now and then (a timer per
// query would cost more than the query's own work).
// Thread: the one of `context`; one call at a time.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/posix/stream_descriptor.hpp>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "ecommerce/store/pg_types.hpp"
#include "net/io_thread.hpp"

namespace flow::ecommerce {

// Errc::config when `conninfo` is not what libpq takes; nothing is connected.
base::Result<void> check_conninfo(const std::string& conninfo);

class PgConnection {
 public:
  explicit PgConnection(net::asio::io_context& context);
  ~PgConnection();
  PgConnection(const PgConnection&) = delete;
  PgConnection& operator=(const PgConnection&) = delete;

  // `conninfo` as libpq takes it: "host=… dbname=…" or a URL.
  net::Task<DbResult<void>> connect(std::string conninfo, base::TimePoint deadline);

  // Statements separated by semicolons, without parameters. Before prepare() only.
  net::Task<DbResult<void>> script(std::string sql, base::TimePoint deadline);

  // Statement i gets the number i. From here on pipeline mode. `sql` outlives the call.
  net::Task<DbResult<void>> prepare(std::span<const std::string_view> sql,
                                    base::TimePoint deadline);

  // Runs the queries in order as one transaction; answers in the same order.
  net::Task<DbResult<std::vector<PgRows>>> run(std::vector<PgQuery> queries,
                                               base::TimePoint deadline);

  // Ends the call that is under way as timed out when its deadline has passed.
  void expire(base::TimePoint now);
  // Ends the call that is under way at once.
  void abort() { expire(base::TimePoint::max()); }

  // Nothing more can be run: the connection failed or timed out.
  bool is_broken() const { return is_broken_; }
  // Asks the kernel, without waiting, whether the server has closed an idle connection.
  bool is_alive_while_idle() const;

  int server_version() const;  // 150020

 private:
  using Wait = net::asio::posix::descriptor_base::wait_type;

  void begin(base::TimePoint deadline);
  net::Task<bool> wait(Wait what);  // False: expired or failed.
  net::Task<bool> flush();
  net::Task<bool> next_result_ready();
  net::Task<DbResult<PgRows>> take_result();
  net::Task<DbResult<void>> take_sync();
  void attach();
  void detach();
  DbError broken();
  DbError refused(pg_result* result);

  net::asio::posix::stream_descriptor socket_;
  pg_conn* connection_ = nullptr;
  base::TimePoint deadline_ = base::TimePoint::max();
  bool is_expired_ = false;
  bool is_broken_ = false;
};

}  // namespace flow::ecommerce

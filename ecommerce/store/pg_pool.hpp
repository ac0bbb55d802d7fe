// A bounded pool of connections to PostgreSQL. Requests that find none free wait in line, each with
// its deadline; the line is bounded too. Broken connections are replaced in the background, with a
// growing pause while the server is away; meanwhile queries fail at once.
// Thread: everything on the IoThread whose context it was given; stop() before destroying it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "ecommerce/store/pg_connection.hpp"
#include "net/io_thread.hpp"

namespace flow::ecommerce {

class PgPool {
 public:
  struct Options {
    std::string conninfo;
    std::size_t connections_min = 10;
    std::size_t connections_max = 20;
    std::size_t waiting_max = 2000;
    std::chrono::milliseconds query_timeout{5000};  // From the call, waiting in line included.
    std::chrono::milliseconds connect_timeout{5000};
    std::chrono::milliseconds retry_pause_min{100};
    std::chrono::milliseconds retry_pause_max{2000};
  };

  struct Counts {
    std::size_t open = 0;  // Connections ready or at work.
    std::size_t idle = 0;  // Subset of open.
    std::size_t waiting = 0;
    std::uint64_t connects_failed = 0;
  };

  // `statements` outlives the pool; a PgQuery names one by its index.
  PgPool(net::asio::io_context& context, Options options,
         std::span<const std::string_view> statements);
  ~PgPool();

  // Opens connections_min connections; the first that fails is the answer.
  net::Task<DbResult<void>> start();

  // As PgConnection::run(), on any free connection.
  net::Task<DbResult<std::vector<PgRows>>> run(std::vector<PgQuery> queries);

  // Ends what waits and what runs, then closes.
  net::Task<void> stop();

  Counts counts() const;
  int server_version() const { return server_version_; }

 private:
  using Connection = std::unique_ptr<PgConnection>;
  struct Waiter;

  net::Task<DbResult<Connection>> acquire(base::TimePoint deadline);
  void give_back(Connection connection);
  net::Task<DbResult<void>> open_one();
  net::Task<void> open_in_background();
  net::Task<void> keep();
  void grow();
  void connect_failed(const DbError& error);
  void fail_waiters(const DbError& error);
  std::size_t total() const { return open_ + opening_; }

  net::asio::io_context& context_;
  Options options_;
  std::span<const std::string_view> statements_;
  std::vector<Connection> idle_;           // Used from the back: the warmest first.
  std::vector<PgConnection*> supervised_;  // All that exist, for their deadlines.
  std::deque<Waiter*> waiters_;
  std::size_t open_ = 0;
  std::size_t opening_ = 0;
  std::size_t running_ = 0;  // Coroutines of this pool that are not done.
  bool is_stopping_ = false;
  int server_version_ = 0;
  std::uint64_t connects_failed_ = 0;
  DbError last_error_;
  std::chrono::milliseconds pause_{0};
  base::TimePoint next_attempt_{};
};

}  // namespace flow::ecommerce

// SPDX-License-Identifier: Apache-2.0
#include "ecommerce/store/pg_pool.hpp"

#include <algorithm>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>

#include "base/check.hpp"

namespace flow::ecommerce {
namespace {

namespace asio = net::asio;
using base::now;
using base::TimePoint;

constexpr std::chrono::milliseconds tick{50};  // How late a deadline may be noticed.

}  // namespace

struct PgPool::Waiter {
  explicit Waiter(asio::io_context& context) : timer(context) {}
  asio::steady_timer timer;
  Connection connection;
  std::optional<DbError> error;
};

PgPool::PgPool(asio::io_context& context, Options options,
               std::span<const std::string_view> statements)
    : context_(context), options_(std::move(options)), statements_(statements) {
  last_error_.what = "PostgreSQL: not connected";
}

PgPool::~PgPool() { FLOW_CHECK(running_ == 0); }

net::Task<DbResult<void>> PgPool::start() {
  asio::co_spawn(context_, keep(), net::Abort{});
  for (std::size_t i = 0; i < options_.connections_min; ++i) {
    ++opening_;
    auto opened = co_await open_one();
    if (!opened) co_return opened;
  }
  co_return DbResult<void>{};
}

// Counts down `opening_`, and up `open_` when it succeeds.
net::Task<DbResult<void>> PgPool::open_one() {
  auto connection = std::make_unique<PgConnection>(context_);
  PgConnection* const raw = connection.get();
  supervised_.push_back(raw);
  const TimePoint deadline = now() + options_.connect_timeout;
  auto done = co_await raw->connect(options_.conninfo, deadline);
  if (done) {
    // The server gives up on its own a little after we would have.
    const auto limit = options_.query_timeout.count() + 1000;
    std::string settings = fmt::format("SET statement_timeout={}", limit);
    done = co_await raw->script(std::move(settings), deadline);
  }
  if (done) done = co_await raw->prepare(statements_, deadline);
  --opening_;
  if (done && is_stopping_) done = std::unexpected(DbError{.what = "PostgreSQL: stopping"});
  if (!done) {
    std::erase(supervised_, raw);
    connect_failed(done.error());
    co_return done;
  }
  ++open_;
  server_version_ = raw->server_version();
  pause_ = {};
  give_back(std::move(connection));
  co_return DbResult<void>{};
}

net::Task<void> PgPool::open_in_background() {
  ++running_;
  co_await open_one();
  --running_;
}

void PgPool::connect_failed(const DbError& error) {
  ++connects_failed_;
  last_error_ = error;
  pause_ = std::clamp(pause_ * 2, options_.retry_pause_min, options_.retry_pause_max);
  next_attempt_ = now() + pause_;
  if (open_ == 0) fail_waiters(error);
}

void PgPool::fail_waiters(const DbError& error) {
  for (Waiter* waiter : waiters_) {
    waiter->error = error;
    waiter->timer.cancel();
  }
  waiters_.clear();
}

void PgPool::grow() {
  if (is_stopping_ || total() >= options_.connections_max || now() < next_attempt_) return;
  ++opening_;
  asio::co_spawn(context_, open_in_background(), net::Abort{});
}

// Enforces deadlines and keeps the number of connections at its minimum.
net::Task<void> PgPool::keep() {
  ++running_;
  while (!is_stopping_) {
    co_await net::sleep_until(now() + tick);
    const TimePoint at = now();
    for (PgConnection* connection : supervised_) connection->expire(at);
    // One at a time while the server is away: a whole pool of attempts tells nothing more.
    if (total() < options_.connections_min && (opening_ == 0 || pause_.count() == 0)) grow();
  }
  --running_;
}

net::Task<DbResult<PgPool::Connection>> PgPool::acquire(TimePoint deadline) {
  while (!idle_.empty()) {
    Connection connection = std::move(idle_.back());
    idle_.pop_back();
    if (connection->is_alive_while_idle()) co_return connection;
    std::erase(supervised_, connection.get());
    --open_;
  }
  if (is_stopping_) co_return std::unexpected(DbError{.what = "PostgreSQL: stopping"});
  if (opening_ <= waiters_.size()) grow();
  if (total() == 0) co_return std::unexpected(last_error_);  // Away, and not yet time to try again.
  if (waiters_.size() >= options_.waiting_max) {
    co_return std::unexpected(
        DbError{.what = "PostgreSQL: too many requests wait for a connection"});
  }
  Waiter waiter(context_);
  waiters_.push_back(&waiter);
  waiter.timer.expires_at(deadline);
  co_await waiter.timer.async_wait(asio::as_tuple(asio::use_awaitable));
  if (waiter.connection) co_return std::move(waiter.connection);
  if (waiter.error) co_return std::unexpected(std::move(*waiter.error));
  std::erase(waiters_, &waiter);
  co_return std::unexpected(
      DbError{DbError::Kind::timed_out, "PostgreSQL: no free connection before the deadline"});
}

void PgPool::give_back(Connection connection) {
  if (connection->is_broken() || is_stopping_) {
    std::erase(supervised_, connection.get());
    connection.reset();
    --open_;
    if (!is_stopping_ && (!waiters_.empty() || total() < options_.connections_min)) grow();
    if (total() == 0) fail_waiters(last_error_);
    return;
  }
  if (waiters_.empty()) {
    idle_.push_back(std::move(connection));
    return;
  }
  Waiter* const first = waiters_.front();
  waiters_.pop_front();
  first->connection = std::move(connection);
  first->timer.cancel();
}

net::Task<DbResult<std::vector<PgRows>>> PgPool::run(std::vector<PgQuery> queries) {
  const TimePoint deadline = now() + options_.query_timeout;
  auto connection = co_await acquire(deadline);
  if (!connection) co_return std::unexpected(std::move(connection.error()));
  ++running_;
  auto rows = co_await (*connection)->run(std::move(queries), deadline);
  --running_;
  if (!rows && (*connection)->is_broken()) last_error_ = rows.error();
  give_back(std::move(*connection));
  co_return rows;
}

net::Task<void> PgPool::stop() {
  is_stopping_ = true;
  fail_waiters(DbError{.what = "PostgreSQL: stopping"});
  for (PgConnection* connection : supervised_) connection->abort();
  while (running_ > 0 || opening_ > 0)
    co_await net::sleep_until(now() + std::chrono::milliseconds(1));
  for (const Connection& connection : idle_) std::erase(supervised_, connection.get());
  open_ -= idle_.size();
  idle_.clear();
}

PgPool::Counts PgPool::counts() const {
  return {.open = open_,
          .idle = idle_.size(),
          .waiting = waiters_.size(),
          .connects_failed = connects_failed_};
}

}  // namespace flow::ecommerce

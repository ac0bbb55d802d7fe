// SPDX-License-Identifier: Apache-2.0
#include "ecommerce/store/pg_connection.hpp"

#include <array>

#include <boost/asio/as_tuple.hpp>
#include <fmt/format.h>
#include <libpq-fe.h>
#include <sys/socket.h>

#include "base/check.hpp"

namespace flow::ecommerce {
namespace {

namespace asio = net::asio;

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
constexpr int binary = 1;

std::string one_line(const char* text) {
  std::string line(text == nullptr ? "" : text);
  while (!line.empty() && (line.back() == '\n' || line.back() == ' ')) line.pop_back();
  for (char& c : line) {
    if (c == '\n' || c == '\t') c = ' ';
  }
  return line;
}

// By SQLSTATE class: 08 connection, 53 resources, 57P0x shutdown or start-up, 40 serialisation and
// deadlock, 25006 a standby. All of them may be gone a moment later.
DbError::Kind kind_of(std::string_view state) {
  if (state == "57014") return DbError::Kind::timed_out;  // statement_timeout
  const bool passes = state.starts_with("08") || state.starts_with("53") ||
                      state.starts_with("57P") || state.starts_with("40") || state == "25006";
  return passes ? DbError::Kind::unavailable : DbError::Kind::statement;
}

bool send(pg_conn* connection, const PgQuery& query) {
  std::array<const char*, PgQuery::parameters_max> values{};
  std::array<int, PgQuery::parameters_max> lengths{};
  std::array<int, PgQuery::parameters_max> formats{};
  for (int i = 0; i < query.parameters(); ++i) {
    const auto at = static_cast<std::size_t>(i);
    values[at] = query.is_null(i) ? nullptr : query.bytes(i).c_str();
    lengths[at] = static_cast<int>(query.bytes(i).size());
    formats[at] = query.is_binary(i) ? 1 : 0;
  }
  char name[24];
  *fmt::format_to(name, "s{}", query.statement()) = '\0';
  return PQsendQueryPrepared(connection, name, query.parameters(), values.data(), lengths.data(),
                             formats.data(), binary) == 1;
}

}  // namespace

base::Result<void> check_conninfo(const std::string& conninfo) {
  char* message = nullptr;
  PQconninfoOption* const options = PQconninfoParse(conninfo.c_str(), &message);
  std::string why = one_line(message);
  PQfreemem(message);
  if (options == nullptr) {
    return base::fail(base::Errc::config, "PostgreSQL connection string: {}", why);
  }
  PQconninfoFree(options);
  return {};
}

PgConnection::PgConnection(asio::io_context& context) : socket_(context) {}

PgConnection::~PgConnection() {
  detach();
  if (connection_ != nullptr) PQfinish(connection_);
}

void PgConnection::attach() {
  boost::system::error_code ignored;
  if (const int fd = PQsocket(connection_); fd >= 0) socket_.assign(fd, ignored);
}

// The descriptor belongs to libpq.
void PgConnection::detach() {
  if (socket_.is_open()) socket_.release();
}

void PgConnection::begin(base::TimePoint deadline) {
  deadline_ = deadline;
  is_expired_ = false;
}

void PgConnection::expire(base::TimePoint now) {
  if (now < deadline_) return;
  is_expired_ = true;
  boost::system::error_code ignored;
  if (socket_.is_open()) socket_.cancel(ignored);
}

net::Task<bool> PgConnection::wait(Wait what) {
  if (is_expired_ || !socket_.is_open()) co_return false;
  const auto [error] = co_await socket_.async_wait(what, as_result);
  co_return !error && !is_expired_;
}

DbError PgConnection::broken() {
  is_broken_ = true;
  deadline_ = base::TimePoint::max();
  if (is_expired_) return {DbError::Kind::timed_out, "PostgreSQL: no answer before the deadline"};
  return {DbError::Kind::unavailable,
          "PostgreSQL: " + one_line(connection_ == nullptr ? "" : PQerrorMessage(connection_))};
}

DbError PgConnection::refused(pg_result* result) {
  const char* state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  DbError error{kind_of(state == nullptr ? "08000" : state),
                "PostgreSQL: " + one_line(PQresultErrorMessage(result))};
  if (state == nullptr || std::string_view(state).starts_with("57P")) is_broken_ = true;
  return error;
}

net::Task<DbResult<void>> PgConnection::connect(std::string conninfo, base::TimePoint deadline) {
  begin(deadline);
  // With expand_dbname the first value is a whole conninfo; what follows overrides or completes it.
  const char* const names[] = {"dbname", "fallback_application_name", "client_encoding", nullptr};
  const char* const values[] = {conninfo.c_str(), "flow shop", "UTF8", nullptr};
  connection_ = PQconnectStartParams(names, values, /*expand_dbname=*/1);
  FLOW_CHECK(connection_ != nullptr);
  auto state = PGRES_POLLING_WRITING;
  if (PQstatus(connection_) == CONNECTION_BAD) co_return std::unexpected(broken());
  while (state != PGRES_POLLING_OK) {
    attach();
    const bool ready =
        co_await wait(state == PGRES_POLLING_READING ? Wait::wait_read : Wait::wait_write);
    detach();  // libpq may go on with another socket.
    if (!ready) co_return std::unexpected(broken());
    state = PQconnectPoll(connection_);
    if (state == PGRES_POLLING_FAILED) co_return std::unexpected(broken());
  }
  attach();
  PQsetnonblocking(connection_, 1);
  PQsetNoticeProcessor(connection_, [](void*, const char*) {}, nullptr);
  deadline_ = base::TimePoint::max();
  co_return DbResult<void>{};
}

net::Task<bool> PgConnection::flush() {
  for (;;) {
    const int left = PQflush(connection_);
    if (left == 0) co_return true;
    if (left < 0) co_return false;
    const bool ready = co_await wait(Wait::wait_write);
    // Taking what has come keeps the server from waiting for us while we wait for it.
    if (!ready || PQconsumeInput(connection_) == 0) co_return false;
  }
}

net::Task<bool> PgConnection::next_result_ready() {
  while (PQisBusy(connection_) == 1) {
    const bool ready = co_await wait(Wait::wait_read);
    if (!ready || PQconsumeInput(connection_) == 0) co_return false;
  }
  co_return true;
}

net::Task<DbResult<void>> PgConnection::script(std::string sql, base::TimePoint deadline) {
  begin(deadline);
  if (PQsendQuery(connection_, sql.c_str()) != 1) co_return std::unexpected(broken());
  const bool flushed = co_await flush();
  if (!flushed) co_return std::unexpected(broken());
  DbResult<void> outcome;
  for (;;) {
    const bool ready = co_await next_result_ready();
    if (!ready) co_return std::unexpected(broken());
    pg_result* const result = PQgetResult(connection_);
    if (result == nullptr) break;
    const auto status = PQresultStatus(result);
    const bool good = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
    if (!good && outcome) outcome = std::unexpected(refused(result));
    PQclear(result);
  }
  deadline_ = base::TimePoint::max();
  co_return outcome;
}

net::Task<DbResult<PgRows>> PgConnection::take_result() {
  const bool ready = co_await next_result_ready();
  if (!ready) co_return std::unexpected(broken());
  pg_result* const result = PQgetResult(connection_);
  if (result == nullptr) co_return std::unexpected(broken());
  PgRows rows(result);
  const auto status = PQresultStatus(result);
  // Each statement's result is followed by an end mark.
  const bool end_ready = co_await next_result_ready();
  if (!end_ready || PQgetResult(connection_) != nullptr) co_return std::unexpected(broken());
  if (status == PGRES_PIPELINE_ABORTED) {
    co_return std::unexpected(DbError{DbError::Kind::statement, "an earlier statement failed"});
  }
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
    co_return std::unexpected(refused(result));
  }
  co_return rows;
}

net::Task<DbResult<void>> PgConnection::take_sync() {
  const bool ready = co_await next_result_ready();
  if (!ready) co_return std::unexpected(broken());
  pg_result* const result = PQgetResult(connection_);
  const bool is_sync = result != nullptr && PQresultStatus(result) == PGRES_PIPELINE_SYNC;
  PQclear(result);
  if (!is_sync) co_return std::unexpected(broken());
  co_return DbResult<void>{};
}

net::Task<DbResult<void>> PgConnection::prepare(std::span<const std::string_view> sql,
                                                base::TimePoint deadline) {
  begin(deadline);
  FLOW_CHECK(PQenterPipelineMode(connection_) == 1);
  for (std::size_t i = 0; i < sql.size(); ++i) {
    const std::string name = fmt::format("s{}", i);
    const std::string text(sql[i]);
    if (PQsendPrepare(connection_, name.c_str(), text.c_str(), 0, nullptr) != 1) {
      co_return std::unexpected(broken());
    }
  }
  if (PQpipelineSync(connection_) != 1) co_return std::unexpected(broken());
  const bool flushed = co_await flush();
  if (!flushed) co_return std::unexpected(broken());
  for (std::size_t i = 0; i < sql.size(); ++i) {
    auto result = co_await take_result();
    if (!result) {
      is_broken_ = true;
      co_return std::unexpected(std::move(result.error()));
    }
  }
  auto synced = co_await take_sync();
  deadline_ = base::TimePoint::max();
  co_return synced;
}

net::Task<DbResult<std::vector<PgRows>>> PgConnection::run(std::vector<PgQuery> queries,
                                                           base::TimePoint deadline) {
  begin(deadline);
  for (const PgQuery& query : queries) {
    if (!send(connection_, query)) co_return std::unexpected(broken());
  }
  if (PQpipelineSync(connection_) != 1) co_return std::unexpected(broken());
  const bool flushed = co_await flush();
  if (!flushed) co_return std::unexpected(broken());
  std::vector<PgRows> all;
  std::optional<DbError> first_error;
  all.reserve(queries.size());
  for (std::size_t i = 0; i < queries.size(); ++i) {
    auto rows = co_await take_result();
    if (!rows && !first_error) first_error = std::move(rows.error());
    if (is_broken_) co_return std::unexpected(std::move(*first_error));
    if (rows) all.push_back(std::move(*rows));
  }
  auto synced = co_await take_sync();
  deadline_ = base::TimePoint::max();
  if (first_error) co_return std::unexpected(std::move(*first_error));
  if (!synced) co_return std::unexpected(std::move(synced.error()));
  co_return all;
}

bool PgConnection::is_alive_while_idle() const {
  char byte = 0;
  const auto got = recv(PQsocket(connection_), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  // Anything readable on an idle connection is the server's farewell (or a notice: not worth it).
  return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

int PgConnection::server_version() const { return PQserverVersion(connection_); }

}  // namespace flow::ecommerce

// SQL on Pinot: one statement, one answer, through a broker's POST /query/sql.
// Thread: `io`'s, except the destructor, which may run on any other one. It outlives its queries.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "analytics/rest.hpp"

namespace flow::analytics {

struct SqlAnswer {
  std::vector<std::string> columns;
  std::vector<std::string> types;  // "LONG", "STRING_ARRAY" …; one for each column.
  base::json::array rows;          // Each an array with one value for each column.
  std::int64_t time_used_ms = 0;   // By the broker's clock, inside the broker.
  std::int64_t docs_scanned = 0;
  std::int64_t total_docs = 0;  // Rows in the segments that were asked.
  // The oldest of the times at which what each consuming segment indexed last was published; absent
  // when no consuming segment was asked.
  std::optional<std::int64_t> min_consuming_freshness_unix_ms;
  std::int64_t servers_queried = 0;
  std::int64_t servers_responded = 0;
  bool is_groups_limit_reached = false;  // Groups were left out: the answer is not exact.
  std::vector<std::string> exceptions;   // Empty, unless they were asked for.
};

// Pinot answers HTTP 200 with a list of exceptions when a statement failed, as a whole or on some
// servers.
enum class Exceptions : std::uint8_t {
  are_errors,    // Errc::config: the statement is wrong. Errc::refused: anything else.
  are_in_answer  // An answer of some servers is better than none.
};

struct SqlOptions {
  // Statements at the same time; beyond it they wait, with their deadline running.
  std::size_t connections_max = 16;
  std::string authorization = {};  // See Rest.
};

class SqlClient {
 public:
  SqlClient(net::IoThread& io, net::HttpUrl broker, SqlOptions options = {});

  // The deadline is told to Pinot, so that it does not go on with what nobody waits for. Errors as
  // net::http_request(), Errc::protocol for an answer that is none, and see Exceptions. An answer
  // without a word of some of the servers asked is treated as one with an exception.
  net::Task<base::Result<SqlAnswer>> query(std::string sql, base::TimePoint deadline,
                                           Exceptions exceptions = Exceptions::are_errors);

  const net::HttpUrl& broker() const { return rest_.server(); }

 private:
  Rest rest_;
};

// The body of Pinot's answer. Pure.
base::Result<SqlAnswer> parse_sql_answer(const base::json::value& body,
                                         Exceptions exceptions = Exceptions::are_errors);

// 'it''s': a text as SQL takes it.
std::string sql_text(std::string_view text);

}  // namespace flow::analytics

// SPDX-License-Identifier: Apache-2.0
#include "analytics/sql_client.hpp"

#include <algorithm>
#include <limits>

namespace flow::analytics {
namespace {

using base::Errc;
using base::fail;
using base::JsonView;
using base::Result;
namespace json = base::json;

// Codes of org.apache.pinot.common.exception.QueryException (0.11 to 1.x) that blame the statement:
// JSON and SQL parsing, a table that is not there, validation, a column that is not there.
constexpr std::int64_t statement_codes[] = {100, 101, 150, 190, 700, 710};

// A whole number that may be left out: older and newer versions have different members.
Result<std::int64_t> number_of(const json::object& object, std::string_view key) {
  const auto* member = object.if_contains(key);
  if (!member) return 0;
  return JsonView(*member, std::string(key)).whole_number();
}

Result<std::vector<std::string>> texts_of(const Result<JsonView>& view) {
  if (!view) return std::unexpected(view.error());
  const auto list = view->array();
  if (!list) return std::unexpected(list.error());
  std::vector<std::string> texts;
  for (const auto& each : **list) {
    const auto text = JsonView(each, view->path()).text();
    if (!text) return std::unexpected(text.error());
    texts.emplace_back(*text);
  }
  return texts;
}

Result<void> read_table(const JsonView& table, SqlAnswer& answer) {
  const auto schema = table.at("dataSchema");
  if (!schema) return std::unexpected(schema.error());
  auto columns = texts_of(schema->at("columnNames"));
  if (!columns) return std::unexpected(columns.error());
  auto types = texts_of(schema->at("columnDataTypes"));
  if (!types) return std::unexpected(types.error());
  if (types->size() != columns->size()) {
    return fail(Errc::protocol, "{} columns and {} types", columns->size(), types->size());
  }
  const auto rows = table.at("rows");
  if (!rows) return std::unexpected(rows.error());
  const auto list = rows->array();
  if (!list) return std::unexpected(list.error());
  for (std::size_t i = 0; i < (*list)->size(); ++i) {
    const auto* row = (**list)[i].if_array();
    if (!row || row->size() != columns->size()) {
      return fail(Errc::protocol, "row {}: expected {} values", i + 1, columns->size());
    }
  }
  answer.columns = std::move(*columns);
  answer.types = std::move(*types);
  answer.rows = **list;
  return {};
}

Result<void> read_counts(const json::object& body, SqlAnswer& answer) {
  for (const auto& [key, into] : {std::pair("timeUsedMs", &answer.time_used_ms),
                                  std::pair("numDocsScanned", &answer.docs_scanned),
                                  std::pair("totalDocs", &answer.total_docs),
                                  std::pair("numServersQueried", &answer.servers_queried),
                                  std::pair("numServersResponded", &answer.servers_responded)}) {
    const auto number = number_of(body, key);
    if (!number) return std::unexpected(number.error());
    *into = *number;
  }
  const auto freshness = number_of(body, "minConsumingFreshnessTimeMs");
  if (!freshness) return std::unexpected(freshness.error());
  // 0: nothing consuming was asked. Java's highest long: asked, and nothing was consumed yet.
  if (*freshness > 0 && *freshness < std::numeric_limits<std::int64_t>::max()) {
    answer.min_consuming_freshness_unix_ms = *freshness;
  }
  const auto* limit = body.if_contains("numGroupsLimitReached");
  answer.is_groups_limit_reached = limit && limit->is_bool() && limit->get_bool();
  return {};
}

struct Exception {
  std::int64_t code = 0;
  std::string words;
};

Result<std::vector<Exception>> exceptions_of(const json::object& body) {
  std::vector<Exception> exceptions;
  const auto* member = body.if_contains("exceptions");
  if (!member || member->is_null()) return exceptions;
  const auto list = JsonView(*member, "exceptions").array();
  if (!list) return std::unexpected(list.error());
  for (const auto& each : **list) {
    const auto* object = each.if_object();
    Exception exception{.words = object ? "" : json::serialize(each)};
    if (object) {
      const auto* code = object->if_contains("errorCode");
      const auto* words = object->if_contains("message");
      if (code && code->is_int64()) exception.code = code->get_int64();
      exception.words = words && words->is_string() ? std::string(words->get_string()) : "no words";
    }
    exception.words = without_stack(exception.words);
    exceptions.push_back(std::move(exception));
  }
  return exceptions;
}

Errc code_of(const std::vector<Exception>& exceptions) {
  const bool is_statement = std::ranges::any_of(exceptions, [](const Exception& exception) {
    return std::ranges::find(statement_codes, exception.code) != std::end(statement_codes);
  });
  return is_statement ? Errc::config : Errc::refused;
}

std::string as_text(const Exception& exception) {
  return exception.code == 0 ? exception.words
                             : fmt::format("{} (error {})", exception.words, exception.code);
}

}  // namespace

Result<SqlAnswer> parse_sql_answer(const json::value& body, Exceptions treatment) {
  const auto* object = body.if_object();
  if (!object) return fail(Errc::protocol, "pinot: the answer to a statement is no JSON object");
  SqlAnswer answer;
  if (auto ok = read_counts(*object, answer); !ok) return malformed("answer", ok.error());
  auto exceptions = exceptions_of(*object);
  if (!exceptions) return malformed("answer", exceptions.error());
  if (exceptions->empty() && answer.servers_responded < answer.servers_queried) {
    exceptions->push_back({0, fmt::format("{} of {} servers answered", answer.servers_responded,
                                          answer.servers_queried)});
  }
  if (!exceptions->empty() && treatment == Exceptions::are_errors) {
    return fail(code_of(*exceptions), "pinot: {}", as_text(exceptions->front()));
  }
  for (const auto& exception : *exceptions) answer.exceptions.push_back(as_text(exception));
  const auto* table = object->if_contains("resultTable");
  if (table && !table->is_null()) {
    const auto read = read_table(JsonView(*table, "resultTable"), answer);
    if (!read) return malformed("answer", read.error());
  } else if (exceptions->empty()) {
    return fail(Errc::protocol, "pinot: answer: neither a resultTable nor exceptions");
  }
  return answer;
}

std::string sql_text(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'') quoted += '\'';
    quoted += c;
  }
  return quoted + "'";
}

SqlClient::SqlClient(net::IoThread& io, net::HttpUrl broker, SqlOptions options)
    : rest_(io, std::move(broker), std::move(options.authorization),
            {.connections_max = options.connections_max, .posts_are_repeatable = true}) {}

net::Task<Result<SqlAnswer>> SqlClient::query(std::string sql, base::TimePoint deadline,
                                              Exceptions exceptions) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - base::now());
  const auto options = fmt::format("timeoutMs={}", std::max<std::int64_t>(1, left.count()));
  std::string body = json::serialize(json::object{{"sql", sql}, {"queryOptions", options}});
  const Result<json::value> answer =
      co_await rest_.call_well("POST", "/query/sql", std::move(body), deadline);
  if (!answer) co_return std::unexpected(answer.error());
  co_return parse_sql_answer(*answer, exceptions);
}

}  // namespace flow::analytics

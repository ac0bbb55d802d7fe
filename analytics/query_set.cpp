// SPDX-License-Identifier: Apache-2.0
#include "analytics/query_set.hpp"

#include <algorithm>
#include <optional>

#include "base/yaml.hpp"

namespace flow::analytics {
namespace {

using base::Errc;
using base::fail;
using base::Result;

constexpr std::string_view tables[] = {"users", "products", "orders"};
constexpr std::string_view now_name = "now_ms";

bool is_table(std::string_view name) { return std::ranges::find(tables, name) != std::end(tables); }

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

// Calls plain(text) and placeholder(name) for the pieces of `sql` in order. A brace without its
// partner goes to placeholder(), which nothing else could be.
void for_pieces(std::string_view sql, auto plain, auto placeholder) {
  while (!sql.empty()) {
    const std::size_t open = sql.find_first_of("{}");
    plain(sql.substr(0, open));
    if (open == std::string_view::npos) return;
    const std::size_t close = sql[open] == '{' ? sql.find('}', open) : std::string_view::npos;
    if (close == std::string_view::npos) {
      placeholder(sql.substr(open));
      return;
    }
    placeholder(sql.substr(open + 1, close - open - 1));
    sql.remove_prefix(close + 1);
  }
}

std::optional<std::string> unknown_placeholder(std::string_view sql) {
  std::optional<std::string> unknown;
  for_pieces(
      sql, [](std::string_view) {},
      [&](std::string_view name) {
        if (!unknown && !is_table(name) && name != now_name) unknown = std::string(name);
      });
  return unknown;
}

Result<Query> read_query(base::YamlMap& map, const QuerySet& before) {
  Query query;
  for (const auto* key : {"name", "title", "sql"}) map.require(key);
  map.text("name", query.name);
  map.text("title", query.title);
  map.text("sql", query.sql);
  if (auto done = map.finish(); !done) return std::unexpected(done.error());
  if (!is_name(query.name)) {
    return fail(Errc::config, "{}: expected 1 to 64 letters, digits and _, found '{}'",
                map.where("name"), query.name);
  }
  if (std::ranges::find(before.queries, query.name, &Query::name) != before.queries.end()) {
    return fail(Errc::config, "{}: '{}' occurs twice", map.where("name"), query.name);
  }
  if (query.sql.find_first_not_of(" \t\r\n") == std::string::npos) {
    return fail(Errc::config, "{}: expected a statement, found nothing", map.where("sql"));
  }
  if (const auto unknown = unknown_placeholder(query.sql)) {
    return fail(Errc::config,
                "{}: expected the placeholders {{users}}, {{products}}, {{orders}} and {{now_ms}}, "
                "found '{}'",
                map.where("sql"), *unknown);
  }
  return query;
}

Result<QuerySet> read(Result<base::YamlMap> file, const std::string& name) {
  if (!file) return std::unexpected(file.error());
  QuerySet set;
  file->require("queries");
  auto maps = file->maps("queries");
  if (auto done = file->finish(); !done) return std::unexpected(done.error());
  for (auto& map : maps) {
    auto query = read_query(map, set);
    if (!query) return std::unexpected(query.error());
    set.queries.push_back(std::move(*query));
  }
  if (set.queries.empty()) return fail(Errc::config, "{}: /queries: expected one at least", name);
  return set;
}

}  // namespace

Result<QuerySet> load_query_set(const std::string& path) {
  return read(base::load_yaml_file(path), path);
}

Result<QuerySet> parse_query_set(std::string_view text, const std::string& name) {
  return read(base::load_yaml(text, name), name);
}

std::string fill_in(std::string_view sql, std::string_view prefix, std::int64_t now_ms) {
  std::string out;
  for_pieces(
      sql, [&](std::string_view text) { out += text; },
      [&](std::string_view name) {
        out += name == now_name ? fmt::to_string(now_ms) : fmt::format("{}{}", prefix, name);
      });
  return out;
}

}  // namespace flow::analytics

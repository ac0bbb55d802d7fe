// The dashboard's statements as data: a strict YAML file (experiments/queries/*.yaml).
//   queries:
//     - name: orders_by_status        # letters, digits and _
//       title: Orders by status       # for people
//       sql: SELECT currentStatus, COUNT(*) FROM {orders} GROUP BY currentStatus LIMIT 10
// Placeholders: {users}, {products}, {orders} for the names of the tables, {now_ms} for the wall
// time at which the statement is sent, in milliseconds since 1970.
// Thread: any; plain values.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace flow::analytics {

struct Query {
  std::string name;
  std::string title;
  std::string sql;  // With placeholders.
};

struct QuerySet {
  std::vector<Query> queries;  // One at least, each name once.
};

// Errc::config names file and line: an unknown key or placeholder, a brace without its partner, a
// name that occurs twice, no query.
base::Result<QuerySet> load_query_set(const std::string& path);
base::Result<QuerySet> parse_query_set(std::string_view text, const std::string& name);

// Prefix of the tables' names; see TableOptions. `sql` is of a query set: its placeholders are
// known.
std::string fill_in(std::string_view sql, std::string_view prefix, std::int64_t now_ms);

}  // namespace flow::analytics

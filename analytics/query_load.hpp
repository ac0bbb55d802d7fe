// Dashboard queries at an open-loop rate while events arrive: each has its intended time from a
// seeded plan and keeps it, however long the ones before take.
// Thread: everything on the IoThread of the SqlClient; make_query_plan() is pure.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "analytics/sql_client.hpp"
#include "base/clock.hpp"
#include "net/io_thread.hpp"
#include "streaming/audit/records.hpp"

namespace flow::analytics {

struct PlannedQuery {
  base::Nanos intended{};   // After the start.
  std::uint16_t query = 0;  // Index in the set.
};

// round(rate * duration) queries at random times (a Poisson process of known count); each query of
// the set is asked once in every round of all of them, in an order drawn anew.
std::vector<PlannedQuery> make_query_plan(std::size_t queries, double per_second,
                                          base::Nanos duration, std::uint64_t seed);

struct QueryLoadOptions {
  base::TimePoint start{};
  base::ClockAnchor anchor = base::ClockAnchor::take();
  base::Nanos timeout = std::chrono::seconds(10);  // After the intended time.
};

class QueryLoad {
 public:
  using Sink = std::function<void(const streaming::audit::QueryRecord&)>;
  // The text of a query at the moment it is sent.
  using Text = std::function<std::string(std::uint16_t query, base::UnixNanos now)>;

  // `client` outlives the load. `sink` gets one record per query.
  QueryLoad(SqlClient& client, Text text, QueryLoadOptions options, Sink sink);

  // Returns when every query of the plan has ended. After stop() none is begun.
  net::Task<void> run(std::vector<PlannedQuery> plan);
  void stop() { is_stopped_ = true; }

 private:
  net::Task<void> ask(PlannedQuery planned);

  SqlClient& client_;
  Text text_;
  QueryLoadOptions options_;
  Sink sink_;
  std::size_t asking_ = 0;
  bool is_stopped_ = false;
};

}  // namespace flow::analytics

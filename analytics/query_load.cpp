// SPDX-License-Identifier: Apache-2.0
#include "analytics/query_load.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "base/random.hpp"

namespace flow::analytics {
namespace {

using namespace std::chrono_literals;
using base::TimePoint;
using streaming::audit::QueryRecord;
using streaming::audit::RequestEnd;

constexpr base::Nanos stop_seen_within = 100ms;

}  // namespace

std::vector<PlannedQuery> make_query_plan(std::size_t queries, double per_second,
                                          base::Nanos duration, std::uint64_t seed) {
  const double wanted = per_second * std::chrono::duration<double>(duration).count();
  std::vector<PlannedQuery> plan;
  if (queries == 0 || !(wanted >= 0.5)) return plan;
  plan.resize(static_cast<std::size_t>(std::llround(wanted)));
  base::SplitMix64 random(seed);
  for (auto& planned : plan) {
    planned.intended = base::Nanos{
        static_cast<std::int64_t>(random.next_unit() * static_cast<double>(duration.count()))};
  }
  std::ranges::sort(plan, {}, &PlannedQuery::intended);
  std::vector<std::uint16_t> round(queries);
  std::iota(round.begin(), round.end(), std::uint16_t{0});
  for (std::size_t i = 0; i < plan.size(); ++i) {
    const std::size_t nth = i % queries;
    // Fisher and Yates, a step per query.
    std::swap(round[nth], round[nth + random.next_below(queries - nth)]);
    plan[i].query = round[nth];
  }
  return plan;
}

QueryLoad::QueryLoad(SqlClient& client, Text text, QueryLoadOptions options, Sink sink)
    : client_(client), text_(std::move(text)), options_(options), sink_(std::move(sink)) {}

net::Task<void> QueryLoad::run(std::vector<PlannedQuery> plan) {
  const auto executor = co_await net::asio::this_coro::executor;
  for (const PlannedQuery& planned : plan) {
    const TimePoint at = options_.start + planned.intended;
    while (!is_stopped_ && base::now() < at) {
      co_await net::sleep_until(std::min(at, base::now() + stop_seen_within));
    }
    if (is_stopped_) break;
    ++asking_;
    net::asio::co_spawn(executor, ask(planned), net::Abort{});
  }
  while (asking_ > 0) co_await net::sleep_until(base::now() + 10ms);
}

net::Task<void> QueryLoad::ask(PlannedQuery planned) {
  const TimePoint intended = options_.start + planned.intended;
  const TimePoint sent = base::now();
  QueryRecord record{};
  record.query = planned.query;
  record.intended = base::count(options_.anchor.to_unix(intended));
  record.sent = base::count(options_.anchor.to_unix(sent));
  auto answer = co_await client_.query(text_(planned.query, options_.anchor.to_unix(sent)),
                                       intended + options_.timeout);
  record.answered = base::count(options_.anchor.to_unix(base::now()));
  if (answer && answer->servers_responded == answer->servers_queried) {
    record.rows = static_cast<std::uint32_t>(answer->rows.size());
    record.fresh_ms = answer->min_consuming_freshness_unix_ms.value_or(0);
  } else {
    record.end = !answer && answer.error().code == base::Errc::timed_out ? RequestEnd::unanswered
                                                                         : RequestEnd::failed;
  }
  sink_(record);
  --asking_;
}

}  // namespace flow::analytics

// SPDX-License-Identifier: Apache-2.0
#include "analytics/probe.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/random.hpp"
#include "base/stamp.hpp"

namespace flow::analytics {
namespace {

using namespace std::chrono_literals;
using base::Nanos;
using base::TimePoint;
using streaming::audit::ProbeRecord;

constexpr Nanos pause_first = 1ms;
constexpr Nanos pause_max = 200ms;
constexpr Nanos unused_budget_kept = 500ms;
constexpr Nanos stop_seen_within = 100ms;

Nanos seconds(double value) { return Nanos{static_cast<std::int64_t>(value * 1e9)}; }

// Whether the answer holds the event; nullopt when it does not tell.
std::optional<bool> holds_event(const base::Result<SqlAnswer>& answer) {
  if (!answer || answer->rows.empty() || !answer->rows.front().is_array()) return std::nullopt;
  if (answer->servers_responded < answer->servers_queried) return std::nullopt;
  const auto& row = answer->rows.front().get_array();
  if (row.empty() || !row.front().is_number()) return std::nullopt;
  return row.front().to_number<double>() > 0;
}

}  // namespace

std::vector<ProbeTarget> sample_targets(const std::vector<ProbeTarget>& candidates,
                                        double per_second, std::uint64_t seed) {
  std::vector<ProbeTarget> targets;
  if (per_second <= 0) return targets;
  base::SplitMix64 random(seed);
  const auto slot_of = [&](const ProbeTarget& target) {
    return static_cast<std::int64_t>(static_cast<double>(target.intended.count()) * per_second /
                                     1e9);
  };
  for (std::size_t first = 0; first < candidates.size();) {
    std::size_t last = first;
    while (last < candidates.size() && slot_of(candidates[last]) == slot_of(candidates[first])) {
      ++last;
    }
    targets.push_back(candidates[first + random.next_below(last - first)]);
    first = last;
  }
  return targets;
}

FreshnessProbe::FreshnessProbe(SqlClient& client, ProbeOptions options, Sink sink)
    : client_(client), options_(std::move(options)), sink_(std::move(sink)) {}

net::Task<void> FreshnessProbe::run(std::vector<ProbeTarget> targets) {
  const auto executor = co_await net::asio::this_coro::executor;
  for (const ProbeTarget& target : targets) {
    const TimePoint at = options_.start + target.intended + head_start_;
    while (!is_stopped_ && base::now() < at) {
      co_await net::sleep_until(std::min(at, base::now() + stop_seen_within));
    }
    if (is_stopped_) break;
    ++searching_;
    net::asio::co_spawn(executor, search(target), net::Abort{});
  }
  while (searching_ > 0) co_await net::sleep_until(base::now() + 10ms);
}

void FreshnessProbe::stop() { is_stopped_ = true; }

net::Task<void> FreshnessProbe::wait_for_budget() {
  const Nanos period = seconds(1 / options_.queries_per_second_max);
  budget_from_ = std::max(budget_from_, base::now() - unused_budget_kept) + period;
  const TimePoint at = budget_from_;
  if (at > base::now()) co_await net::sleep_until(at);
}

std::string FreshnessProbe::statement(const ProbeTarget& target) const {
  return fmt::format("SELECT COUNT(*) FROM {} WHERE flowIntended = {} AND flowEvent = '{}'",
                     options_.tables[target.topic],
                     base::count(options_.anchor.to_unix(options_.start + target.intended)),
                     base::format_trace_id(options_.trial, target.request));
}

// Aims at one answer without the event before the one that holds it.
void FreshnessProbe::learn(int answers_without_it) {
  if (answers_without_it == 0) head_start_ = std::max(Nanos{0}, head_start_ - Nanos(2ms));
  if (answers_without_it > 1) {
    head_start_ += std::min(Nanos(5ms), (answers_without_it - 1) * Nanos(500us));
  }
}

net::Task<void> FreshnessProbe::search(ProbeTarget target) {
  const std::string sql = statement(target);
  const TimePoint deadline = options_.start + target.intended + options_.give_up;
  const auto unix_of = [this](TimePoint at) { return base::count(options_.anchor.to_unix(at)); };
  ProbeRecord record{};
  record.request = target.request;
  record.intended = unix_of(options_.start + target.intended);
  record.topic = target.topic;
  int without_it = 0;
  for (Nanos pause = pause_first; !is_stopped_ && base::now() < deadline;) {
    co_await wait_for_budget();
    const TimePoint sent = base::now();
    ++record.queries;
    auto answer = co_await client_.query(sql, std::min(deadline, sent + Nanos(5s)));
    const auto holds = holds_event(answer);
    if (holds == true) {
      record.asked = unix_of(sent);
      break;
    }
    if (holds == false) {
      record.absent = unix_of(sent);
      ++without_it;
    }
    co_await net::sleep_until(base::now() + pause);
    pause = std::min(pause_max, pause * 3 / 2);
  }
  record.answered = unix_of(base::now());
  if (record.asked != 0) learn(without_it);
  sink_(record);
  --searching_;
}

}  // namespace flow::analytics

// Looks for single events by SQL, from about the time they can be there until an answer holds them:
// what a person at a dashboard would see, query included. Within a budget of queries.
//
// A search begins a little before the event is expected (learned from the searches before it), so
// that the first answers lack it and the moment it appeared lies between two answers. After each
// answer without it the pause grows, up to 200 ms.
// Thread: everything on the IoThread of the SqlClient.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "analytics/sql_client.hpp"
#include "base/clock.hpp"
#include "net/io_thread.hpp"
#include "streaming/audit/records.hpp"

namespace flow::analytics {

struct ProbeTarget {
  std::uint64_t request = 0;  // With the trial: the event.
  base::Nanos intended{};     // After the start.
  std::uint8_t topic = 0;     // Index of its table.
};

// At most one target in each slot of `1 / per_second` s, drawn by `seed` from the candidates that
// are intended in it, so that bursts do not break the budget. `candidates`: sorted by time.
std::vector<ProbeTarget> sample_targets(const std::vector<ProbeTarget>& candidates,
                                        double per_second, std::uint64_t seed);

struct ProbeOptions {
  std::uint64_t trial = 0;
  std::array<std::string, 3> tables;  // By topic.
  base::TimePoint start{};
  base::ClockAnchor anchor = base::ClockAnchor::take();
  double queries_per_second_max = 20;
  base::Nanos give_up = std::chrono::seconds(30);  // After the intended time.
};

class FreshnessProbe {
 public:
  using Sink = std::function<void(const streaming::audit::ProbeRecord&)>;

  // `client` outlives the probe. `sink` gets one record per target, found or not.
  FreshnessProbe(SqlClient& client, ProbeOptions options, Sink sink);

  // Looks for all targets, sorted by time; returns when each has its record. After stop() searches
  // end at their next step.
  net::Task<void> run(std::vector<ProbeTarget> targets);
  void stop();

 private:
  net::Task<void> search(ProbeTarget target);
  net::Task<void> wait_for_budget();
  std::string statement(const ProbeTarget& target) const;
  void learn(int answers_without_it);

  SqlClient& client_;
  ProbeOptions options_;
  Sink sink_;
  base::Nanos head_start_{};       // After the intended time: when a search begins.
  base::TimePoint budget_from_{};  // The time up to which the budget is used.
  std::size_t searching_ = 0;
  bool is_stopped_ = false;
};

}  // namespace flow::analytics

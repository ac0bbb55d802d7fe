// What a trial knows about itself when it is over, next to its record files: the input of its
// trial.json.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/json.hpp"
#include "lab/join/freshness.hpp"
#include "lab/join/hops.hpp"
#include "lab/join/steady_state.hpp"
#include "loadtest/generator.hpp"
#include "servers/resources.hpp"

namespace flow::lab {

struct Phases {
  PhaseRange registration{"registration", 0, 0};
  PhaseRange warm_up{"warm_up", 0, 0};
  PhaseRange measured{"measured", 0, 0};
};

// What the live part of the analytics found, next to its record files.
struct AnalyticsFacts {
  base::json::object pinot;                                  // version, origin, controller, stream
  std::array<std::string, 3> tables;                         // By topic.
  std::vector<std::pair<std::string, std::string>> queries;  // Name and title, by index.
  double queries_per_second = 0;
  double probe_queries_per_second = 0;
  std::optional<double> probe_cpu_seconds_per_query;  // Of all of Pinot's processes.
  std::vector<SegmentCommit> commits;
  base::json::array checks;  // Sums as the database and as Pinot has them.
  bool checks_hold = true;
  bool is_complete = false;  // The tables held all that the auditor read, and every row was read.
  std::string words;         // Why not.
};

struct TrialFacts {
  std::string state = "failed";  // "complete", "partial", "failed"
  std::string state_words;
  bool has_platform_fallen = false;  // A process of it ended by itself: an outcome, not a mishap.
  std::string schedule_hash;
  int trials_before = 0;  // That ran on the same servers.
  Phases phases;
  std::uint32_t warm_up_seconds = 0;
  std::optional<Steadiness> steadiness;  // At the end of the warm-up.
  base::UnixNanos started{};
  base::UnixNanos measured_from{};  // 0: the measured phase never began.
  base::UnixNanos measured_until{};
  base::UnixNanos finished{};
  std::size_t schedule_seconds = 0;
  std::vector<std::uint64_t> tick_requests;  // Planned, one per tick.
  std::optional<loadtest::LoadResult> load;  // Of the measured phase.
  std::optional<servers::ResourceUse> resources;
  base::Nanos clock_step{};
  bool is_audited = true;  // False for the null broker.
  bool audit_complete = false;
  std::string audit_words;
  std::optional<AnalyticsFacts> analytics;  // Trials with analytics.
  base::json::array faults;                 // Done on purpose, and how they went.
  base::json::object versions;
  base::json::object settings;
};

}  // namespace flow::lab

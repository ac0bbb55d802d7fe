// Whether a trial may be believed: the generator kept its promises, the machine was its own, the
// sums match. A trial in which a gate does not hold is void; its numbers are shown all the same,
// marked. A slow broker never voids a trial: that is a result.
// Thread: any; pure.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/json.hpp"
#include "lab/join/stationarity.hpp"

namespace flow::lab {

struct Gate {
  std::string name;
  double value = 0;
  double limit = 0;
  std::string unit;  // "s", "share", "count"; empty for a yes or no (0 = yes).
  bool holds = false;
  std::string words;  // One sentence with value and limit.
};

// Of the measured phase.
struct GateInputs {
  // Share of the planned requests that came due and were tried; with customers who wait for
  // answers, of those that came due.
  double completeness = 0;
  bool is_closed = false;
  base::Nanos start_error_p99{};
  base::Nanos response_p50{};
  double late_share = 0;           // More than 5 ms late although a connection was free.
  double generator_cpu_share = 0;  // CPU seconds of the busiest shard / wall seconds.
  double littles_law_error = 0;    // |N - X R| / N
  double steal_share = 0;          // Of all cores' time.
  base::Nanos clock_step{};        // Wall against monotonic clock over the trial.
  std::string schedule_hash;
  std::string block_schedule_hash;  // Of the block's first trial.
  std::size_t sums_broken = 0;
  std::size_t sums = 0;
  bool is_audited = true;  // False where nothing can be read back.
  bool audit_complete = false;
  bool has_analytics = false;  // The next two count.
  bool analytics_complete = false;
  std::optional<double> probe_cpu_share;     // Of Pinot's CPU time.
  std::optional<Stationarity> stationarity;  // A gate where it was judged.
};

std::vector<Gate> evaluate_gates(const GateInputs& inputs);

base::json::array describe(const std::vector<Gate>& gates);

}  // namespace flow::lab

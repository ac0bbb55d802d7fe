// Was the server steady, while the load by design was not? Of each tick the mean log latency is set
// against the other ticks that asked for as much; what is left must keep its level (KPSS) and shows
// how far the server drifted.
// Thread: any; pure.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/json.hpp"
#include "lab/join/volume_classes.hpp"
#include "measure/class_residuals.hpp"

namespace flow::lab {

// Ticks in classes that have a level of their own, which a judgement needs. 32 ticks have 20 of
// them, 64 have 50.
inline constexpr std::size_t ticks_to_judge = 30;

struct Stationarity {
  std::string hop;           // publish_response; without events response_time.
  std::size_t ticks = 0;     // With a value.
  std::size_t queued = 0;    // Of them, left out: a queue stood in them or in the one before.
  std::size_t in_large = 0;  // Of the rest, those in a class of at least measure::class_ticks_min.
  base::Nanos tick{0};
  std::optional<measure::Steadiness> found;  // None for fewer than 10 ticks.

  bool is_judged() const { return found && in_large >= ticks_to_judge; }
  double drift_per_minute(double slope) const;  // A slope of log latency per tick, as a share.
  std::string words() const;
};

Stationarity stationarity_of(const TickTally& tally);

base::json::object describe(const Stationarity& stationarity);

}  // namespace flow::lab

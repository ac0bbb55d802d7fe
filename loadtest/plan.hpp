// What the generator is asked to send, and to whom. Plain values; the spans are borrowed and
// outlive the run.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "net/url.hpp"
#include "traffic/actions.hpp"

namespace flow::loadtest {

using base::Nanos;
using base::TimePoint;

struct LoadPlan {
  net::HttpUrl base;                         // http://host:port, with or without /api/v1.
  std::span<const Nanos> intended;           // Sorted; one HTTP request each, counted from start.
  std::span<const traffic::Action> actions;  // One per slot, unless get_path says what to send.
  std::string get_path;                      // Not empty: GET of this path for every slot.
  std::span<const std::string> tokens;       // By user index; empty: no Authorization field.

  std::uint64_t trial = 1;          // Not 0.
  std::uint64_t first_request = 1;  // Number of slot 0 in the trial.
  base::ClockAnchor anchor = base::ClockAnchor::take();

  std::optional<TimePoint> start;          // Default: 200 ms after run() is called.
  Nanos drain = std::chrono::seconds(10);  // From the last intended time to the deadline.
  unsigned shards = 1;                     // Threads; the requests are the same for any number.
  std::size_t connections_max = 2000;      // Over all shards.
  std::size_t connections_spare = 8;       // Idle connections kept ready, over all shards.
};

// Errc::config names what does not fit together.
base::Result<void> check_plan(const LoadPlan& plan);

}  // namespace flow::loadtest

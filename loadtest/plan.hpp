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
#include "traffic/visits.hpp"

namespace flow::loadtest {

using base::Nanos;
using base::TimePoint;

struct LoadPlan {
  net::HttpUrl base;  // http://host:port, with or without /api/v1.
  // Open: when each request starts, and what it is.
  std::span<const Nanos> intended;           // Sorted; one HTTP request each, counted from start.
  std::span<const traffic::Action> actions;  // One per slot, unless get_path says what to send.
  // Closed: customers who wait for answers. Not null: `intended` and `actions` are empty.
  const traffic::VisitPlan* visits = nullptr;
  std::string get_path;                 // Not empty: GET of this path instead of every action.
  std::span<const std::string> tokens;  // By user index; empty: no Authorization field, but for
                                        // customers who sign in during the run.

  std::uint64_t trial = 1;          // Not 0.
  std::uint64_t first_request = 1;  // Number of slot 0 in the trial.
  base::ClockAnchor anchor = base::ClockAnchor::take();

  std::optional<TimePoint> start;          // Default: 200 ms after run() is called.
  Nanos drain = std::chrono::seconds(10);  // From the end of duration() to the deadline.
  unsigned shards = 1;                     // Threads; the requests are the same for any number.
  std::size_t connections_max = 2000;      // Over all shards.
  std::size_t connections_spare = 8;       // Idle connections kept ready, over all shards; open.

  // To the last intended time; of visits, to the end of their plan.
  Nanos duration() const;
  // Open: requests. Closed: those that would come due if every answer came at once.
  std::size_t planned() const { return visits ? visits->actions.size() : intended.size(); }
  const traffic::Action& action(std::size_t i) const {
    return visits ? visits->actions[i] : actions[i];
  }
};

// Errc::config names what does not fit together.
base::Result<void> check_plan(const LoadPlan& plan);

// A part of it that can be known before anybody is signed in: whether every customer who is present
// at once can have a connection.
base::Result<void> check_connections(const LoadPlan& plan);

}  // namespace flow::loadtest

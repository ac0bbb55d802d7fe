// Customers who wait for an answer before they ask for more: every visit to the shop, what it asks
// for and how long it pauses before each request, fixed by a seed before anything is sent. What an
// answer decides is when a request is meant to start, never which one it is, so that both platforms
// get the identical actions and pauses; the hash proves it. docs/concepts/workload-modes.md says
// which mode answers which question.
// Thread: any; pure functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "traffic/actions.hpp"
#include "traffic/operational_time.hpp"
#include "traffic/schedule.hpp"
#include "traffic/think_time.hpp"

namespace flow::traffic {

enum class Mode : std::uint8_t {
  open,           // Every request by the schedule: schedule.hpp; here no visits.
  sessions,       // Visits start by a b-model schedule; inside one the customer waits and thinks.
  population,     // The number of customers present follows the b-model, tick by tick.
  closed,         // A fixed number of customers.
  closed_warped,  // The same, whose thinking passes in operational time: bursts without arrivals.
};

std::string_view name_of(Mode mode);
base::Result<Mode> parse_mode(std::string_view text);  // Errc::config.

// How the customers begin who are there at once: at the start, or (population) after a tick.
enum class FirstWait : std::uint8_t {
  // With the residual life of a pause, as somebody who has been there for ever: the rate is right
  // from the first second.
  equilibrium,
  // With a request at once: a burst that nobody asked for, as naive tools make it.
  none,
};

std::string_view name_of(FirstWait wait);
base::Result<FirstWait> parse_first_wait(std::string_view text);  // Errc::config.

struct VisitSpec {
  Mode mode = Mode::sessions;
  // Length and seed for all modes; the b-model's shape for all but `closed`. Rate and placement:
  // sessions only; the rate is the mean wanted of requests, not of sessions.
  ScheduleSpec shape = {};
  // Customers signed in beforehand. sessions: returning ones, in turn. population: those of the
  // busiest tick. closed, closed_warped: all.
  std::uint32_t users = 100;
  std::uint32_t users_min = 1;  // population: in the calmest tick.
  // Share of the visits that begin with registering and signing in, spread evenly (every 50th). The
  // others hold a token already. Each costs the shop two bcrypt hashes.
  double new_share = 0;
  double steps_mean = 5;  // sessions: of the geometric number of steps, at least 1.
  BoundedThinkTime think = {};
  FirstWait first_wait = FirstWait::equilibrium;
};

// One customer from arriving to leaving.
struct Visit {
  base::Nanos arrives{0};
  base::Nanos until{0};        // Nothing is asked for at or after this.
  std::uint64_t first = 0;     // Its requests are [first, first + requests) of the plan:
  std::uint32_t requests = 0;  // as many as come due when every answer comes at once.
  std::uint32_t user = 0;      // Below VisitSpec::users: signed in beforehand.
  std::uint32_t lane = 0;      // Visits of one lane belong on one thread; lanes are equally full.
  bool is_new = false;         // Its first two requests register and sign in.
  bool stays = false;          // Leaves at `until`; else after its last answer.

  bool operator==(const Visit&) const = default;
};

struct VisitPlan {
  Mode mode = Mode::sessions;
  std::vector<Visit> visits;        // By arrival.
  std::vector<Action> actions;      // Of all visits' requests.
  std::vector<base::Nanos> pauses;  // Before each: from arrival, or from the end of the one before.
  std::optional<OperationalTime> operational;  // The clock of the pauses; empty: the real one.
  base::Nanos duration{0};
  base::Nanos tick{0};
  // What is to be expected when every answer comes at once; slower ones make it less.
  std::vector<std::uint64_t> counts;    // Requests meant to start in each tick.
  std::vector<std::uint64_t> arrivals;  // Visits that begin in each tick.
  std::uint64_t new_visits = 0;
  double present_mean = 0;        // Customers, over `duration`.
  std::uint64_t present_max = 0;  // At once: so many connections are needed at least.
  std::uint64_t hash = 0;         // FNV-1a, 64 bits, over all that is drawn.

  // When a pause that begins at `from` ends.
  base::Nanos end_of_pause(base::Nanos from, base::Nanos pause) const {
    return operational ? operational->advance(from, pause) : from + pause;
  }
};

// Errc::config names the field that is out of range, or that the plan would hold more than 50
// million requests, 5 million visits, or no request. The mode is not `open`.
base::Result<VisitPlan> make_visits(const VisitSpec& spec);

// Requests of a mean visit, by the law, not by the draws: sessions only.
double requests_per_session(const VisitSpec& spec);

// The shape of a population: the b-model scaled so that its busiest tick is `users`, rounded, and
// no tick below `users_min`.
base::Result<std::vector<std::uint32_t>> population_targets(const VisitSpec& spec);

}  // namespace flow::traffic

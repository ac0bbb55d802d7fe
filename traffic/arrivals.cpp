// SPDX-License-Identifier: Apache-2.0
#include "traffic/arrivals.hpp"

#include <algorithm>
#include <cmath>

#include "base/random.hpp"

namespace flow::traffic {
namespace {

using base::Errc;
using base::fail;
using base::Nanos;

constexpr std::uint64_t length_purpose = 0x73746570;  // "step"
constexpr std::uint32_t spawn_rate_min = 50;          // Customers a second.
constexpr double steps_max = 1e6;

// At least 1, mean `mean`: P(n) = (1 - p) p^(n-1) with p = 1 - 1 / mean. What is left of such a
// number, once some of it has passed, is distributed alike.
std::uint32_t geometric(double u, double mean) {
  if (mean <= 1) return 1;
  const double more = std::floor(std::log1p(-u) / std::log(1 - 1 / mean));
  return 1 + static_cast<std::uint32_t>(std::min(more, steps_max));
}

// Those who are in a session, thinking, when the run begins: rate x (steps - 1) x mean pause, by
// Little's law.
double carried_over(const VisitSpec& spec, double sessions_per_second) {
  if (spec.first_wait == FirstWait::none) return 0;
  return std::round(sessions_per_second * (spec.steps_mean - 1) * spec.think.mean());
}

base::Result<void> check_count(const VisitSpec& spec, double visits) {
  if (visits <= static_cast<double>(visits_max)) return {};
  return fail(Errc::config, "{}: {:.0f} visits: expected at most {}", name_of(spec.mode), visits,
              visits_max);
}

}  // namespace

base::Result<std::vector<Arrival>> session_arrivals(const VisitSpec& spec) {
  ScheduleSpec starts = spec.shape;
  starts.requests_per_second = spec.shape.requests_per_second / requests_per_session(spec);
  const auto schedule = make_schedule(starts);
  if (!schedule) return base::with_context("sessions", schedule.error());
  const double carried = carried_over(spec, starts.requests_per_second);
  const double visits = carried + static_cast<double>(schedule->intended.size());
  if (const auto ok = check_count(spec, visits); !ok) return std::unexpected(ok.error());
  std::vector<Arrival> arrivals(static_cast<std::size_t>(carried),
                                Arrival{.is_waiting = true, .may_be_new = false});
  for (const Nanos at : schedule->intended) arrivals.push_back({.arrives = at});
  const std::uint64_t lengths = base::derive_seed(spec.shape.seed, length_purpose);
  for (std::size_t i = 0; i < arrivals.size(); ++i) {
    base::SplitMix64 random(base::derive_seed(lengths, i));
    arrivals[i].steps = geometric(random.next_unit(), spec.steps_mean);
    arrivals[i].until = schedule->duration;
    arrivals[i].lane = static_cast<std::uint32_t>(i);
  }
  return arrivals;
}

base::Result<std::vector<std::uint32_t>> population_targets(const VisitSpec& spec) {
  const auto volumes = tick_volumes(spec.shape, 1);
  if (!volumes) return base::with_context("population", volumes.error());
  const double scale = spec.users / *std::ranges::max_element(*volumes);
  std::vector<std::uint32_t> targets;
  for (const double volume : *volumes) {
    const auto users = static_cast<std::uint32_t>(std::floor(volume * scale + 0.5));
    targets.push_back(std::clamp(users, spec.users_min, spec.users));
  }
  return targets;
}

std::vector<Arrival> lives_of(std::span<const std::uint32_t> targets, Nanos tick,
                              FirstWait first_wait) {
  const bool waits = first_wait == FirstWait::equilibrium;
  std::vector<Arrival> lives;
  std::vector<std::size_t> present;  // Positions in `lives`, newest last.
  Nanos begins{0};
  for (const std::uint32_t target : targets) {
    const auto now = static_cast<std::uint32_t>(present.size());
    const std::int64_t change = target > now ? target - now : now - target;
    const bool is_at_once = waits && begins == Nanos{0};  // They have been there for ever.
    const Nanos second = std::min<Nanos>(tick, std::chrono::seconds(1));
    for (std::int64_t i = 0; i < change; ++i) {
      const Nanos at = begins + second * i / std::max<std::int64_t>(spawn_rate_min, change);
      if (target > now) {
        present.push_back(lives.size());
        lives.push_back({.arrives = is_at_once ? begins : at,
                         .lane = static_cast<std::uint32_t>(present.size() - 1),
                         .is_waiting = waits});
      } else {
        lives[present.back()].until = at;
        present.pop_back();
      }
    }
    begins += tick;
  }
  for (const std::size_t life : present) lives[life].until = begins;
  return lives;
}

base::Result<std::vector<Arrival>> population_arrivals(const VisitSpec& spec) {
  if (spec.users_min < 1 || spec.users_min > spec.users) {
    return fail(Errc::config, "users_min {}: expected 1 to users, which is {}", spec.users_min,
                spec.users);
  }
  const auto targets = population_targets(spec);
  if (!targets) return std::unexpected(targets.error());
  double lives = targets->front();
  for (std::size_t i = 1; i < targets->size(); ++i) {
    lives += std::max(0.0, static_cast<double>((*targets)[i]) - (*targets)[i - 1]);
  }
  if (const auto ok = check_count(spec, lives); !ok) return std::unexpected(ok.error());
  return lives_of(*targets, spec.shape.tick, spec.first_wait);
}

std::vector<Arrival> closed_arrivals(const VisitSpec& spec) {
  const Nanos duration = spec.shape.tick * spec.shape.ticks;
  std::vector<Arrival> arrivals;
  for (std::uint32_t user = 0; user < spec.users; ++user) {
    arrivals.push_back(
        {.until = duration, .lane = user, .is_waiting = spec.first_wait == FirstWait::equilibrium});
  }
  return arrivals;
}

}  // namespace flow::traffic

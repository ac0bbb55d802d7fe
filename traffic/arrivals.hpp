// Who comes when: the visits of each mode before they are told what to do. A part of visits.hpp.
// Thread: any; pure functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "traffic/visits.hpp"

namespace flow::traffic {

inline constexpr std::size_t visits_max = 5'000'000;
inline constexpr std::uint32_t steps_unlimited = std::numeric_limits<std::uint32_t>::max();

struct Arrival {
  base::Nanos arrives{0};
  base::Nanos until{0};
  std::uint32_t lane = 0;
  bool is_waiting = false;  // Was there before: begins with the residual life of a pause.
  bool may_be_new = true;
  std::uint32_t steps = steps_unlimited;
};

// All by arrival. Errc::config: the shape, or too many.
base::Result<std::vector<Arrival>> session_arrivals(const VisitSpec& spec);
base::Result<std::vector<Arrival>> population_arrivals(const VisitSpec& spec);
std::vector<Arrival> closed_arrivals(const VisitSpec& spec);

// Customers by tick -> visits. At a change of n customers they come, or leave, evenly spaced at
// max(50, n) a second; who came last leaves first.
std::vector<Arrival> lives_of(std::span<const std::uint32_t> targets, base::Nanos tick,
                              FirstWait first_wait);

}  // namespace flow::traffic

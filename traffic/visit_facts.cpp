// SPDX-License-Identifier: Apache-2.0
#include "traffic/visit_facts.hpp"

#include <algorithm>
#include <chrono>
#include <vector>

namespace flow::traffic {
namespace {

std::vector<double> volumes_of(const std::vector<std::uint64_t>& counts) {
  return {counts.begin(), counts.end()};
}

}  // namespace

VisitFacts visit_facts_of(const VisitPlan& plan, std::span<const double> capacities_per_second) {
  VisitFacts facts;
  facts.requests = facts_of(volumes_of(plan.counts), plan.tick, capacities_per_second);
  std::vector<double> arrivals = volumes_of(plan.arrivals);
  std::vector<double> passwords(plan.counts.size());
  for (const Visit& visit : plan.visits) {
    // Who arrives with the first moment was there before, but for a session that just starts.
    const bool is_carried =
        visit.arrives == base::Nanos{0} && (plan.mode != Mode::sessions || visit.requests == 0 ||
                                            plan.pauses[visit.first] > base::Nanos{0});
    facts.carried += is_carried;
    arrivals[0] -= is_carried;
    if (!visit.is_new || visit.requests == 0) continue;
    ++facts.admitted;
    const base::Nanos at = plan.end_of_pause(visit.arrives, plan.pauses[visit.first]);
    passwords[static_cast<std::size_t>(at / plan.tick)] += 2;
  }
  if (std::ranges::any_of(arrivals, [](double count) { return count > 0; })) {
    facts.arrivals = facts_of(arrivals, plan.tick);
  }
  facts.passwords_per_second = 2 * static_cast<double>(facts.admitted) /
                               std::chrono::duration<double>(plan.duration).count();
  facts.passwords_peak_per_second =
      *std::ranges::max_element(passwords) / std::chrono::duration<double>(plan.tick).count();
  return facts;
}

Schedule expected_schedule(const VisitPlan& plan) {
  Schedule schedule;
  schedule.counts = plan.counts;
  schedule.hash = plan.hash;
  schedule.duration = plan.duration;
  schedule.tick = plan.tick;
  schedule.intended.reserve(plan.actions.size());
  for (const Visit& visit : plan.visits) {
    base::Nanos at = visit.arrives;
    for (std::uint64_t i = visit.first; i < visit.first + visit.requests; ++i) {
      at = plan.end_of_pause(at, plan.pauses[i]);
      schedule.intended.push_back(at);
    }
  }
  std::ranges::sort(schedule.intended);
  return schedule;
}

}  // namespace flow::traffic

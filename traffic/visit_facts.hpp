// What a plan of visits will do to a server, known before it runs: what is to be expected when
// every answer comes at once. Slower answers make it less, never more.
// Thread: any; pure functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include "traffic/facts.hpp"
#include "traffic/visits.hpp"

namespace flow::traffic {

struct VisitFacts {
  Facts requests;
  Facts arrivals;              // Of visits that begin after the start; their total may be 0.
  std::uint64_t carried = 0;   // Visits that are there when the run begins.
  std::uint64_t admitted = 0;  // New customers who come to register before the run ends.
  // Registering and signing in: two bcrypt hashes each, what the shop's processors notice first.
  double passwords_per_second = 0;       // Mean.
  double passwords_peak_per_second = 0;  // In the tick with most of them.
};

// The plan has at least one request.
VisitFacts visit_facts_of(const VisitPlan& plan,
                          std::span<const double> capacities_per_second = {});

// The same as a schedule, for what reads schedules: every request at the moment for which it is
// meant when every answer comes at once. Its hash is the plan's.
Schedule expected_schedule(const VisitPlan& plan);

}  // namespace flow::traffic

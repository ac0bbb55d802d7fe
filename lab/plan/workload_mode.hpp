// The mode of a workload: whether its requests follow a schedule or customers who wait for answers;
// as a person writes it, as results keep it, and as trials play it.
// docs/concepts/workload-modes.md says which mode answers which question.
// Thread: any; pure.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "base/json.hpp"
#include "base/result.hpp"
#include "base/yaml.hpp"
#include "lab/plan/experiment.hpp"
#include "traffic/schedule.hpp"
#include "traffic/visits.hpp"

namespace flow::lab {

// The key `mode` and those that only some modes have. Users, bias and ticks are read already. Where
// the rate follows from users and pauses, sets `requests_per_second` to it.
void read_mode(base::YamlMap& map, Workload& workload);

// A key that would do nothing in this mode is a mistake. Errc::config.
base::Result<void> check_mode(const base::YamlMap& map, const Workload& workload);

// What the mode cannot be together with. Errc::config.
base::Result<void> check_mode(const Experiment& experiment);

// What read_mode() reads, and what follows from it. Open: `mode` alone.
base::json::object describe_mode(const Workload& workload);

traffic::VisitSpec visit_spec(const Workload& workload, std::uint64_t seed);

// The traffic of a workload under one seed. With visits, the schedule is what is to be expected of
// them when every answer comes at once, and its hash is theirs.
struct Traffic {
  traffic::Schedule schedule;
  std::optional<traffic::VisitPlan> visits;  // Every mode but open.
};
base::Result<Traffic> make_traffic(const Workload& workload, std::uint64_t seed);

// Whether the rate of requests in a tick is what the model says of it. In sessions only arrivals
// are: requests come later, spread by the pauses.
bool has_rate_by_tick(const Workload& workload);

// What visits will do, beside their requests: customers present, passwords hashed.
base::json::object visit_facts(const traffic::VisitPlan& visits);

// What a reader must know who compares platforms in this mode; empty for open.
std::string comparison_words(const Workload& workload);

}  // namespace flow::lab

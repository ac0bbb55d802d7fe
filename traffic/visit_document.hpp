// A VisitSpec as people write it (YAML keys of a workload) and as results keep it (JSON).
// Thread: any; pure.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/json.hpp"
#include "base/yaml.hpp"
#include "traffic/visits.hpp"

namespace flow::traffic {

// Share of new customers among the sessions unless somebody says otherwise: enough that every kind
// of event occurs, little enough that bcrypt does not become the load.
inline constexpr double new_share_default = 0.02;
double default_new_share(Mode mode);                        // 0 but for sessions.
std::uint32_t default_users_min(std::uint32_t users_most);  // A fiftieth, as in the study; from 1.

// The keys mode, users_min, new_share, steps_mean, think_alpha, think_xm_seconds,
// think_limit_seconds, think_limit_kind and first_wait; all optional, errors by map.finish(). Sets
// nothing of `shape`; `spec.users` and `spec.mode` are the defaults that the caller wants.
void read_visit_keys(base::YamlMap& map, VisitSpec& spec);

// What read_visit_keys() reads, and what follows from it. Open: the mode alone.
base::json::object describe(const VisitSpec& spec);

}  // namespace flow::traffic

// SPDX-License-Identifier: Apache-2.0
#include "traffic/visit_document.hpp"

#include <algorithm>
#include <string>

namespace flow::traffic {

double default_new_share(Mode mode) { return mode == Mode::sessions ? new_share_default : 0; }

std::uint32_t default_users_min(std::uint32_t users_most) { return std::max(1U, users_most / 50); }

void read_visit_keys(base::YamlMap& map, VisitSpec& spec) {
  std::string mode(name_of(spec.mode));
  map.choice("mode", mode, {"open", "sessions", "population", "closed", "closed-warped"});
  spec.mode = parse_mode(mode).value_or(spec.mode);
  std::int64_t users_min = default_users_min(spec.users);
  map.whole_number("users_min", users_min, 1, spec.users);
  spec.users_min = static_cast<std::uint32_t>(users_min);
  spec.new_share = default_new_share(spec.mode);
  map.number("new_share", spec.new_share, 0, 1);
  map.number("steps_mean", spec.steps_mean, 1, 1000);
  map.number("think_alpha", spec.think.pareto.alpha, 1.01, 100);
  map.number("think_xm_seconds", spec.think.pareto.xm_seconds, 0.001, 3600);
  map.number("think_limit_seconds", spec.think.limit_seconds, 0.001, 1e7);
  std::string kind(name_of(spec.think.limit_kind));
  map.choice("think_limit_kind", kind, {"clip", "redraw"});
  spec.think.limit_kind = parse_think_limit(kind).value_or(spec.think.limit_kind);
  std::string first_wait(name_of(spec.first_wait));
  map.choice("first_wait", first_wait, {"equilibrium", "none"});
  spec.first_wait = parse_first_wait(first_wait).value_or(spec.first_wait);
}

base::json::object describe(const VisitSpec& spec) {
  base::json::object object{{"mode", name_of(spec.mode)}};
  if (spec.mode == Mode::open) return object;
  if (spec.mode == Mode::population) object["users_min"] = spec.users_min;
  if (spec.mode == Mode::sessions) object["steps_mean"] = spec.steps_mean;
  object["new_share"] = spec.new_share;
  object["think_alpha"] = spec.think.pareto.alpha;
  object["think_xm_seconds"] = spec.think.pareto.xm_seconds;
  object["think_mean_seconds"] = spec.think.mean();
  object["think_limit_seconds"] = nullptr;
  if (spec.think.is_limited()) {
    object["think_limit_seconds"] = spec.think.limit_seconds;
    object["think_limit_kind"] = name_of(spec.think.limit_kind);
    object["think_limit_rate_change"] = spec.think.rate_change();
  }
  object["first_wait"] = name_of(spec.first_wait);
  return object;
}

}  // namespace flow::traffic

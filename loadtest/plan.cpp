// SPDX-License-Identifier: Apache-2.0
#include "loadtest/plan.hpp"

#include <algorithm>

namespace flow::loadtest {

using base::Errc;
using base::fail;
using base::Result;

namespace {

constexpr unsigned shards_max = 64;

Result<void> check_actions(const LoadPlan& plan) {
  if (!plan.get_path.empty()) {
    if (plan.get_path.front() == '/' &&
        plan.get_path.find_first_of(" \r\n\t") == std::string::npos) {
      return {};
    }
    return fail(Errc::config, "path '{}': expected /path without blanks", plan.get_path);
  }
  if (plan.actions.size() != plan.intended.size()) {
    return fail(Errc::config, "load plan: {} actions for {} slots", plan.actions.size(),
                plan.intended.size());
  }
  for (const traffic::Action& action : plan.actions) {
    if (action.kind > traffic::ActionKind::place_order) {
      return fail(Errc::config, "load plan: a schedule cannot send '{}'", name_of(action.kind));
    }
    if (!plan.tokens.empty() && action.user >= plan.tokens.size()) {
      return fail(Errc::config, "load plan: user {} has no token, {} are signed in", action.user,
                  plan.tokens.size());
    }
  }
  return {};
}

}  // namespace

Result<void> check_plan(const LoadPlan& plan) {
  if (plan.trial == 0 || plan.first_request == 0) {
    return fail(Errc::config, "load plan: trial and first request count from 1");
  }
  if (plan.shards == 0 || plan.shards > shards_max) {
    return fail(Errc::config, "shards {}: expected 1 to {}", plan.shards, shards_max);
  }
  if (plan.connections_max < plan.shards) {
    return fail(Errc::config, "connections {}: expected at least one per shard ({})",
                plan.connections_max, plan.shards);
  }
  if (plan.drain < Nanos{0}) return fail(Errc::config, "load plan: a negative drain time");
  if (!std::ranges::is_sorted(plan.intended)) {
    return fail(Errc::config, "load plan: the intended times are not sorted");
  }
  return check_actions(plan);
}

}  // namespace flow::loadtest

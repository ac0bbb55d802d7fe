// SPDX-License-Identifier: Apache-2.0
#include "loadtest/plan.hpp"

#include <algorithm>

namespace flow::loadtest {

using base::Errc;
using base::fail;
using base::Result;

namespace {

constexpr unsigned shards_max = 64;

Result<void> check_path(const std::string& path) {
  if (path.front() == '/' && path.find_first_of(" \r\n\t") == std::string::npos) return {};
  return fail(Errc::config, "path '{}': expected /path without blanks", path);
}

// Without any tokens nobody needs one; but once some customers sign in, so must all.
Result<void> check_token(const LoadPlan& plan, std::uint32_t user) {
  const bool some_sign_in = plan.visits && plan.visits->new_visits > 0;
  if ((plan.tokens.empty() && !some_sign_in) || user < plan.tokens.size()) return {};
  return fail(Errc::config, "load plan: user {} has no token, {} are signed in", user,
              plan.tokens.size());
}

Result<void> check_schedule(const LoadPlan& plan) {
  if (!std::ranges::is_sorted(plan.intended)) {
    return fail(Errc::config, "load plan: the intended times are not sorted");
  }
  if (!plan.get_path.empty()) return check_path(plan.get_path);
  if (plan.actions.size() != plan.intended.size()) {
    return fail(Errc::config, "load plan: {} actions for {} slots", plan.actions.size(),
                plan.intended.size());
  }
  for (const traffic::Action& action : plan.actions) {
    if (action.kind > traffic::ActionKind::place_order) {
      return fail(Errc::config, "load plan: a schedule cannot send '{}'", name_of(action.kind));
    }
    if (auto has_token = check_token(plan, action.user); !has_token) return has_token;
  }
  return {};
}

Result<void> check_visits(const LoadPlan& plan) {
  if (!plan.intended.empty() || !plan.actions.empty()) {
    return fail(Errc::config, "load plan: expected either a schedule or visits");
  }
  if (auto fits = check_connections(plan); !fits) return fits;
  if (!plan.get_path.empty()) return check_path(plan.get_path);
  for (const traffic::Visit& visit : plan.visits->visits) {
    if (visit.is_new) continue;
    if (auto has_token = check_token(plan, visit.user); !has_token) return has_token;
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
  return plan.visits ? check_visits(plan) : check_schedule(plan);
}

Result<void> check_connections(const LoadPlan& plan) {
  if (!plan.visits || plan.connections_max >= plan.visits->present_max) return {};
  return fail(Errc::config,
              "connections {}: expected one for each of the {} customers who are present at once",
              plan.connections_max, plan.visits->present_max);
}

Nanos LoadPlan::duration() const {
  if (visits) return visits->duration;
  return intended.empty() ? Nanos{0} : intended.back();
}

}  // namespace flow::loadtest

// SPDX-License-Identifier: Apache-2.0
#include "lab/plan/workload_mode.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string_view>
#include <vector>

#include "traffic/visit_document.hpp"
#include "traffic/visit_facts.hpp"

namespace flow::lab {
namespace {

using base::Errc;
using base::fail;
using base::Result;
using traffic::Mode;

struct ModeKey {
  std::string_view name;
  std::vector<Mode> modes;  // In which it says something.
};

const std::vector<ModeKey>& mode_keys() {
  static const std::vector<Mode> with_visits{Mode::sessions, Mode::population, Mode::closed,
                                             Mode::closed_warped};
  static const std::vector<ModeKey> keys{
      {"bias", {Mode::open, Mode::sessions, Mode::population, Mode::closed_warped}},
      {"requests_per_second", {Mode::open, Mode::sessions}},
      {"placement", {Mode::open, Mode::sessions}},
      {"users_min", {Mode::population}},
      {"steps_mean", {Mode::sessions}},
      {"new_share", with_visits},
      {"think_alpha", with_visits},
      {"think_xm_seconds", with_visits},
      {"think_limit_seconds", with_visits},
      {"think_limit_kind", with_visits},
      {"first_wait", with_visits}};
  return keys;
}

std::string names_of(const std::vector<Mode>& modes) {
  std::string names;
  for (std::size_t i = 0; i < modes.size(); ++i) {
    if (i > 0) names += i + 1 == modes.size() ? " or " : ", ";
    names += name_of(modes[i]);
  }
  return names;
}

double customers_mean(const traffic::VisitSpec& spec) {
  if (spec.mode != Mode::population) return spec.users;
  const auto targets = traffic::population_targets(spec);
  if (!targets) return spec.users;  // Said when the visits are made.
  return std::accumulate(targets->begin(), targets->end(), 0.0) /
         static_cast<double>(targets->size());
}

// Two requests a step, a pause between steps, answers at once; to a tenth.
double expected_rate(const traffic::VisitSpec& spec) {
  const double rate = 2 * customers_mean(spec) / spec.think.mean();
  return std::clamp(std::round(10 * rate) / 10, 0.1, 1e6);
}

bool is_given_a_rate(Mode mode) { return mode == Mode::open || mode == Mode::sessions; }

}  // namespace

void read_mode(base::YamlMap& map, Workload& workload) {
  workload.customers.users = workload.users;
  traffic::read_visit_keys(map, workload.customers);
  if (is_given_a_rate(workload.customers.mode)) return;
  if (workload.customers.mode == Mode::closed) workload.bias = 0.5;  // No tick is like a burst.
  workload.requests_per_second = expected_rate(visit_spec(workload, 0));
}

Result<void> check_mode(const base::YamlMap& map, const Workload& workload) {
  const traffic::VisitSpec& customers = workload.customers;
  for (const auto& key : mode_keys()) {
    const bool is_used = std::ranges::find(key.modes, customers.mode) != key.modes.end();
    if (is_used || !map.has(key.name)) continue;
    return fail(Errc::config, "{}: only with mode {}; this workload's is {}", map.where(key.name),
                names_of(key.modes), name_of(customers.mode));
  }
  if (map.has("think_limit_kind") && !customers.think.is_limited()) {
    return fail(Errc::config, "{}: only with think_limit_seconds", map.where("think_limit_kind"));
  }
  if (customers.think.limit_seconds <= customers.think.pareto.xm_seconds) {
    return fail(Errc::config, "{}: expected above think_xm_seconds, which is {}",
                map.where("think_limit_seconds"), customers.think.pareto.xm_seconds);
  }
  return {};
}

Result<void> check_mode(const Experiment& experiment) {
  for (const Workload& workload : experiment.workloads) {
    if (workload.customers.mode == Mode::open) continue;
    const std::string subject =
        fmt::format("workload {}: mode {}", workload.name, name_of(workload.customers.mode));
    if (experiment.analytics.is_on && experiment.analytics.probe_queries_per_second > 0) {
      return fail(Errc::config,
                  "{}: the freshness probe looks for events whose times a schedule knows; expected "
                  "probe_queries_per_second: 0 (rows still tell freshness)",
                  subject);
    }
    for (const std::uint64_t seed : experiment.seeds) {
      const auto traffic = make_traffic(workload, seed);
      if (!traffic) return base::with_context(subject, traffic.error());
      if (traffic->visits->present_max <= experiment.connections_max) continue;
      return fail(Errc::config,
                  "{}: connections_max {}: expected one for each of the {} customers who are "
                  "present at once under seed {}",
                  subject, experiment.connections_max, traffic->visits->present_max, seed);
    }
  }
  return {};
}

base::json::object describe_mode(const Workload& workload) {
  return traffic::describe(workload.customers);
}

traffic::VisitSpec visit_spec(const Workload& workload, std::uint64_t seed) {
  traffic::VisitSpec spec = workload.customers;
  spec.shape = schedule_spec(workload, seed);
  spec.users = workload.users;
  return spec;
}

Result<Traffic> make_traffic(const Workload& workload, std::uint64_t seed) {
  Traffic traffic;
  if (workload.customers.mode == Mode::open) {
    auto schedule = traffic::make_schedule(schedule_spec(workload, seed));
    if (!schedule) return std::unexpected(schedule.error());
    traffic.schedule = std::move(*schedule);
    return traffic;
  }
  auto visits = traffic::make_visits(visit_spec(workload, seed));
  if (!visits) return std::unexpected(visits.error());
  traffic.schedule = traffic::expected_schedule(*visits);
  traffic.visits = std::move(*visits);
  return traffic;
}

bool has_rate_by_tick(const Workload& workload) {
  return workload.customers.mode != Mode::sessions;
}

base::json::object visit_facts(const traffic::VisitPlan& visits) {
  const traffic::VisitFacts facts = traffic::visit_facts_of(visits);
  return {{"visits", visits.visits.size()},
          {"visits_carried", facts.carried},
          {"present_mean", visits.present_mean},
          {"present_max", visits.present_max},
          {"new_customers", facts.admitted},
          {"passwords_per_second", facts.passwords_per_second},
          {"passwords_peak_per_second", facts.passwords_peak_per_second}};
}

std::string comparison_words(const Workload& workload) {
  if (workload.customers.mode == Mode::open) return "";
  return fmt::format(
      "workload {}: mode {}: customers wait for answers, so the moments of requests depend on the "
      "platform. In a block all platforms get the same visits, actions and pauses (the hash proves "
      "it); a slower one is asked for less, at other moments. What was never asked for is each "
      "trial's omitted share, which no response time shows. Compare platforms in this mode alone, "
      "and numbers of different modes not at all",
      workload.name, name_of(workload.customers.mode));
}

}  // namespace flow::lab

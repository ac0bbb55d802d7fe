// The traffic as flags: what `flow load` and `flow traffic` share, and what they say about it
// before anything is sent.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include <CLI/CLI.hpp>

#include "base/json.hpp"
#include "base/result.hpp"
#include "traffic/schedule.hpp"
#include "traffic/visit_facts.hpp"
#include "traffic/visits.hpp"

namespace flow::apps {

struct TrafficFlags {
  std::string mode = "open";
  double rate = 300;
  double bias = 0.705;
  std::uint32_t ticks = 32;
  double tick_ms = 1000;
  std::string placement = "uniform";
  std::uint64_t seed = 1;
  std::uint32_t users = 100;
  std::uint32_t users_min = 0;      // 0: a fiftieth of `users`, as in the study.
  std::optional<double> new_share;  // Left out: traffic::default_new_share().
  double steps_mean = 5;
  double think_alpha = 1.6;
  double think_xm_seconds = 1.875;
  double think_limit_seconds = 0;  // 0: none.
  std::string think_limit_kind = "clip";
  std::string first_wait = "equilibrium";
};

void add_traffic_flags(CLI::App& command, TrafficFlags& flags);

// What the flags ask for; its mode may be open. Errc::config names the flag's value.
base::Result<traffic::VisitSpec> visit_spec_of(const TrafficFlags& flags);

// Sparkline and facts, several lines.
std::string schedule_text(const traffic::Schedule& schedule);
std::string visits_text(const traffic::VisitPlan& plan, const traffic::VisitSpec& spec);

base::json::object describe(const traffic::VisitSpec& spec);
base::json::object describe(const traffic::VisitPlan& plan, const traffic::VisitFacts& facts);

}  // namespace flow::apps

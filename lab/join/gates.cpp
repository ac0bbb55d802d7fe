// SPDX-License-Identifier: Apache-2.0
#include "lab/join/gates.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "lab/join/analytics_document.hpp"
#include "measure/quantiles.hpp"
#include "measure/stationarity.hpp"

namespace flow::lab {
namespace {

using base::Nanos;
using measure::format_duration;

double seconds_of(Nanos span) { return std::chrono::duration<double>(span).count(); }

Gate at_most(std::string name, double value, double limit, std::string unit, std::string words) {
  return {std::move(name), value, limit, std::move(unit), value <= limit, std::move(words)};
}

Gate start_error(const GateInputs& inputs) {
  const Nanos relative{inputs.response_p50.count() / 50};  // 2 % of the median response time.
  const Nanos limit = std::max<Nanos>(std::chrono::milliseconds(1), relative);
  return at_most(
      "start_error_p99", seconds_of(inputs.start_error_p99), seconds_of(limit), "s",
      fmt::format("99 % of the requests left within {} of their intended time (limit {})",
                  format_duration(inputs.start_error_p99), format_duration(limit)));
}

Gate late_starts(const GateInputs& inputs) {
  return at_most("late_starts", inputs.late_share, 0.001, "share",
                 fmt::format("{:.3f} % of the requests left more than 5 ms late although a "
                             "connection was free (limit 0.1 %)",
                             100 * inputs.late_share));
}

Gate completeness(const GateInputs& inputs) {
  return {"completeness",
          inputs.completeness,
          0.999,
          "share",
          inputs.completeness >= 0.999,
          fmt::format("{:.2f} % of the {} (at least 99.9 %)", 100 * inputs.completeness,
                      inputs.is_closed ? "requests that came due were tried"
                                       : "planned requests came due and were tried")};
}

Gate share_gate(std::string name, double value, double limit, std::string_view subject) {
  return at_most(std::move(name), value, limit, "share",
                 fmt::format("{} {:.1f} % (limit {:.0f} %)", subject, 100 * value, 100 * limit));
}

Gate clock_step(const GateInputs& inputs) {
  const double step = std::abs(seconds_of(inputs.clock_step));
  return at_most("clock_step", step, 0.01, "s",
                 fmt::format("the wall clock moved by {:.1f} ms against the monotonic one during "
                             "the trial (limit 10 ms)",
                             1000 * step));
}

Gate yes_or_no(std::string name, bool holds, std::string words) {
  return {std::move(name), holds ? 0.0 : 1.0, 0, "", holds, std::move(words)};
}

Gate schedule_hash(const GateInputs& inputs) {
  const bool is_same = inputs.schedule_hash == inputs.block_schedule_hash;
  return yes_or_no(
      "schedule_hash", is_same,
      is_same ? fmt::format("the schedule {} is that of the whole block", inputs.schedule_hash)
              : fmt::format("the schedule {} differs from {}, that of the block",
                            inputs.schedule_hash, inputs.block_schedule_hash));
}

Gate stationarity(const Stationarity& judged) {
  return {"stationarity",          judged.found->kpss, measure::kpss_critical_1_percent, "",
          judged.found->is_steady, judged.words()};
}

Gate conservation(const GateInputs& inputs) {
  return {"conservation",
          static_cast<double>(inputs.sums_broken),
          0,
          "count",
          inputs.sums_broken == 0,
          fmt::format("{} of {} sums of requests and events hold", inputs.sums - inputs.sums_broken,
                      inputs.sums)};
}

}  // namespace

std::vector<Gate> evaluate_gates(const GateInputs& inputs) {
  std::vector<Gate> gates = {
      start_error(inputs),
      late_starts(inputs),
      completeness(inputs),
      share_gate("generator_cpu", inputs.generator_cpu_share, 0.7,
                 "the busiest generator thread used of one core"),
      share_gate("littles_law", inputs.littles_law_error, 0.02,
                 "requests in flight differ from rate x response time by"),
      share_gate("steal", inputs.steal_share, 0.01, "stolen from this machine's CPU time:"),
      clock_step(inputs),
      schedule_hash(inputs),
      conservation(inputs)};
  if (inputs.is_audited) {
    gates.push_back(yes_or_no("audit_complete", inputs.audit_complete,
                              inputs.audit_complete
                                  ? "the auditor read every partition to its end"
                                  : "the auditor did not read every partition to its end"));
  }
  if (inputs.stationarity && inputs.stationarity->is_judged()) {
    gates.push_back(stationarity(*inputs.stationarity));
  }
  if (!inputs.has_analytics) return gates;
  gates.push_back(yes_or_no("analytics_complete", inputs.analytics_complete,
                            inputs.analytics_complete
                                ? "Pinot's tables took all events in time, and all rows were read"
                                : "Pinot's tables were not read to the end"));
  if (inputs.probe_cpu_share) {
    gates.push_back(share_gate("probe_cpu", *inputs.probe_cpu_share, probe_cpu_share_limit,
                               "the freshness probe's questions used of Pinot's CPU time"));
  }
  return gates;
}

base::json::array describe(const std::vector<Gate>& gates) {
  base::json::array array;
  for (const auto& gate : gates) {
    array.push_back({{"name", gate.name},
                     {"value", gate.value},
                     {"limit", gate.limit},
                     {"unit", gate.unit},
                     {"holds", gate.holds},
                     {"words", gate.words}});
  }
  return array;
}

}  // namespace flow::lab

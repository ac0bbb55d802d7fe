// SPDX-License-Identifier: Apache-2.0
#include "lab/trial/live_trial.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <string>
#include <utility>

#include "lab/join/gates.hpp"

namespace flow::lab {
namespace {

using base::json::array;
using base::json::object;

// The others need the joined records.
constexpr std::array<std::string_view, 5> known_live{"start_error_p99", "late_starts",
                                                     "generator_cpu", "steal", "clock_step"};

GateInputs inputs_of(const loadtest::LoadProgress& progress, const measure::Histogram& start_error,
                     const measure::Histogram& response) {
  GateInputs inputs;
  // As at the seal: where no request found a connection free, nothing shows that times were kept.
  const bool is_unknown = start_error.count() == 0 && progress.sent > 0;
  inputs.start_error_p99 =
      is_unknown ? base::Nanos(std::chrono::hours(1)) : start_error.quantile(0.99);
  inputs.response_p50 = response.quantile(0.5);
  if (progress.sent > 0) {
    inputs.late_share = static_cast<double>(progress.late) / static_cast<double>(progress.sent);
  }
  inputs.generator_cpu_share = progress.cpu_share_max;
  return inputs;
}

array live_gates(const GateInputs& inputs) {
  array gates;
  for (const auto& gate : evaluate_gates(inputs)) {
    if (std::ranges::find(known_live, gate.name) == known_live.end()) continue;
    gates.push_back(object{{"name", gate.name},
                           {"value", gate.value},
                           {"limit", gate.limit},
                           {"unit", gate.unit},
                           {"holds", gate.holds}});
  }
  return gates;
}

std::string broken_words(const array& gates) {
  std::string words;
  for (const auto& gate : gates) {
    if (gate.at("holds").as_bool()) continue;
    words += words.empty() ? "; NOT HOLDING: " : ", ";
    words += std::string_view(gate.at("name").as_string());
  }
  return words;
}

object describe(const servers::MachineUse& use) {
  return {{"busy_share", use.cpu_fraction},
          {"iowait_share", use.iowait_fraction},
          {"steal_share", use.steal_fraction}};
}

}  // namespace

LiveTrial::~LiveTrial() {
  io_.run([] {});
}

void LiveTrial::tell(std::string_view kind, object keys) {
  const auto unix_ns = base::count(anchor_.to_unix(base::now()));
  io_.post([this, kind = std::string(kind), keys = std::move(keys), unix_ns]() mutable {
    keys["unix_ns"] = unix_ns;
    log_.tell(kind, keys);
  });
}

void LiveTrial::step(std::string_view words, base::Nanos planned) {
  tell("step",
       {{"step", words}, {"planned_seconds", std::chrono::duration<double>(planned).count()}});
}

void LiveTrial::load(const loadtest::LoadProgress& progress) {
  start_error_.merge(*progress.start_error);
  response_.merge(*progress.response);
  auto inputs = inputs_of(progress, start_error_, response_);
  inputs.clock_step = anchor_.step_since();
  const auto unix_ns = base::count(anchor_.to_unix(base::now()));
  io_.post([this, inputs = std::move(inputs), unix_ns]() mutable {
    inputs.steal_share = steal_share_;
    const array gates = live_gates(inputs);
    broken_gates_ = broken_words(gates);
    log_.tell("gates", {{"gates", gates}, {"unix_ns", unix_ns}});
  });
}

servers::ResourceSampler::OnSample LiveTrial::resource_sink() {
  return [this](const servers::ResourceSample& sample) {
    object roles;
    for (const auto& role : sample.roles) {
      roles[role.role] = object{{"cpu_share", role.cpu_share}, {"rss_bytes", role.rss_bytes}};
    }
    io_.post([this, steal = sample.machine_so_far.steal_fraction] { steal_share_ = steal; });
    tell("resources", {{"roles", std::move(roles)}, {"machine", describe(sample.machine)}});
  };
}

}  // namespace flow::lab

// SPDX-License-Identifier: Apache-2.0
#include "lab/plan/estimate.hpp"

#include <algorithm>
#include <chrono>
#include <vector>

#include <fmt/format.h>

#include "lab/plan/plan.hpp"
#include "servers/level.hpp"

namespace flow::lab {
namespace {

using namespace std::chrono_literals;

// Of a trial that goes on with the servers of the one before: only PostgreSQL starts, and topics
// are deleted.
constexpr base::Nanos going_on = 2s;

// Until the servers of a trial are ready and its topics made; seen on 2 cores, with one node and
// with three.
base::Nanos start_duration(const Cell& cell) {
  if (cell.platform == null_platform) return going_on;
  const auto level = servers::load_level(cell.level);
  const bool is_kafka = cell.platform == "kafka";
  const int nodes = !level ? 1 : is_kafka ? level->kafka.nodes : level->pulsar.bookies;
  if (nodes <= 1) return is_kafka ? 8s : 25s;
  return is_kafka ? 13s : 40s;
}

// From then on, to the end of the trial.
base::Nanos work_duration(const Experiment& experiment, const Cell& cell) {
  const auto& workload = experiment.workloads[cell.workload];
  const auto cost = 1 << std::min(experiment.bcrypt_cost, 20U);
  // Registering and signing in: two hashes a user, about 65 ms each at cost 10, on two cores; and
  // what two requests take beside them.
  const base::Nanos users = workload.users * (65ms * cost / 1024 + 10ms);
  return users + std::chrono::seconds(workload.warm_up_seconds) + workload.ticks * workload.tick +
         8s + (experiment.analytics.is_on ? 35s : 0s);
}

}  // namespace

base::Nanos estimated_duration(const Experiment& experiment) {
  const Plan plan = make_plan(experiment);
  std::vector<base::Nanos> starts;  // By cell: each reads a level's file.
  for (const auto& cell : plan.cells) starts.push_back(start_duration(cell));
  base::Nanos total{0};
  const Cell* before = nullptr;
  for (const auto& trial : plan.trials) {
    const Cell& cell = plan.cells[trial.cell];
    const bool is_going_on =
        experiment.reuses_servers && before != nullptr && share_servers(*before, cell);
    total += (is_going_on ? going_on : starts[trial.cell]) + work_duration(experiment, cell);
    before = &cell;
  }
  return total;
}

std::string format_elapsed(base::Nanos span) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(span).count();
  if (seconds < 3600) return fmt::format("{}:{:02}", seconds / 60, seconds % 60);
  return fmt::format("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
}

}  // namespace flow::lab

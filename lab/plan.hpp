// From an experiment to its trials in order: a block is one seed in which every cell runs once, in
// an order drawn at random from the seeds, so that no platform always goes first.
// Thread: any; plain values.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "lab/experiment.hpp"

namespace flow::lab {

struct Cell {
  std::string id;  // "kafka-fsync-1", with "-<workload>" when there are several workloads.
  std::string platform;
  std::string level;
  std::size_t workload = 0;  // Index into Experiment::workloads.
};

struct PlannedTrial {
  std::uint32_t number = 0;  // From 1.
  std::uint32_t block = 0;   // From 1.
  std::uint64_t seed = 0;
  std::size_t cell = 0;  // Index into Plan::cells.
};

struct Plan {
  std::vector<Cell> cells;
  std::vector<PlannedTrial> trials;
};

Plan make_plan(const Experiment& experiment);

// "001-kafka-fsync-1": the name of the trial's folder.
std::string trial_id(const Plan& plan, const PlannedTrial& trial);

base::json::object describe(const Plan& plan, const Experiment& experiment);

}  // namespace flow::lab

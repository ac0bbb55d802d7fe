// From an experiment to its trials in order. A block is one seed in which every cell runs once; the
// orders of the blocks are rows of a Williams square, so that over its rows every cell stands in
// every place, and behind every other one, equally often. Rows and cells are shuffled by the seeds.
// With A/A, one cell runs once more in each block, outside the square, last and first in turn: what
// two trials of the same differ by.
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
  std::size_t cell = 0;    // Index into Plan::cells.
  bool is_repeat = false;  // The block's A/A trial: its cell runs in the block's order as well.
};

struct Plan {
  std::vector<Cell> cells;
  std::vector<PlannedTrial> trials;
};

Plan make_plan(const Experiment& experiment);

// Orders of n things, each once in a row: n rows for even n, 2 n for odd n. Over all rows every
// thing stands equally often in every place, and directly behind every other thing. Williams, Aust.
// J. Sci. Res. A 2 (1949), 149.
std::vector<std::vector<std::size_t>> williams_square(std::size_t n);

// "001-kafka-fsync-1", with "-aa" for a repeat: the name of the trial's folder.
std::string trial_id(const Plan& plan, const PlannedTrial& trial);

base::json::object describe(const Plan& plan, const Experiment& experiment);

// SHA-256 of every setting and of the plan, as experiment.json has them ("effective", "plan"):
// stored before the first trial, so that a later change of what was to be measured is seen.
std::string preregistration_of(const base::json::object& effective, const base::json::object& plan);

}  // namespace flow::lab

// From an experiment to its trials in order. A cell is a platform at a level under a workload, with
// one value of each setting that is varied. A block is one seed in which every cell runs once; the
// orders of the blocks are rows of a Williams square, so that over its rows every cell stands in
// every place, and behind every other one, equally often. Rows and cells are shuffled by the seeds.
// With A/A, one cell runs once more in each block, outside the square, last and first in turn: what
// two trials of the same differ by. The null broker runs once, before the blocks. A pilot is
// nothing but A/A pairs: of each level and workload one cell, twice in each of its blocks.
//
// Where servers are reused the levels follow each other, and in each the blocks run its cells forth
// and back in turn (K P, P K, K P …), so that a block begins with the servers that the last one
// ended with. Of two cells each is first equally often; of more, the outer ones only.
// Thread: any; plain values.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.hpp"
#include "lab/plan/experiment.hpp"
#include "servers/level.hpp"

namespace flow::lab {

struct Cell {
  // "kafka-fsync-1", with "-<workload>" when there are several, "-linger_ms=5" for what is varied.
  std::string id;
  std::string platform;
  std::string level;
  std::size_t workload = 0;  // Index into Experiment::workloads.
  std::vector<std::pair<std::string, std::string>> settings = {};  // What is varied, and its value.
};

inline constexpr std::string_view null_platform = "null";

struct PlannedTrial {
  std::uint32_t number = 0;  // From 1.
  std::uint32_t block = 0;   // From 1; 0: outside the blocks.
  std::uint64_t seed = 0;
  std::size_t cell = 0;    // Index into Plan::cells.
  bool is_repeat = false;  // The block's A/A trial: its cell runs in the block's order as well.
};

struct Plan {
  std::vector<Cell> cells;
  std::vector<PlannedTrial> trials;
  std::size_t primaries =
      0;  // Comparisons that the experiment will judge; of a pilot: will have to.
};

inline constexpr std::uint32_t pilot_blocks = 4;
// The pilot of an experiment, with seeds of its own: the experiment must not use its traffic again.
Experiment pilot_of(Experiment experiment);

// `experiment` has a seed for each block (FLOW_CHECK).
Plan make_plan(const Experiment& experiment);

// What a level is called: the word in the experiment file, or the name of its file.
std::string level_name(const std::string& level);

// A level with a cell's varied settings in it. Errc::config for a setting that the level's file
// cannot have.
base::Result<servers::Level> level_of(const Cell& cell, servers::Level level);
// CPUs' worth of time for the platform's processes; 0: no limit.
double broker_cpus_of(const Cell& cell, const Experiment& experiment);

// Orders of n things, each once in a row: n rows for even n, 2 n for odd n. Over all rows every
// thing stands equally often in every place, and directly behind every other thing. Williams, Aust.
// J. Sci. Res. A 2 (1949), 149.
std::vector<std::vector<std::size_t>> williams_square(std::size_t n);

// Whether two cells can be run on the same servers, one after the other.
bool share_servers(const Cell& a, const Cell& b);

// "001-kafka-fsync-1", with "-aa" for a repeat: the name of the trial's folder.
std::string trial_id(const Plan& plan, const PlannedTrial& trial);

base::json::object describe(const Plan& plan, const Experiment& experiment);

// SHA-256 of every setting and of the plan, as experiment.json has them ("effective", "plan"):
// stored before the first trial, so that a later change of what was to be measured is seen.
std::string preregistration_of(const base::json::object& effective, const base::json::object& plan);

}  // namespace flow::lab

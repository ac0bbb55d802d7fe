// What a pilot teaches: by how much two equal trials differ, and so how many blocks the experiment
// needs. Four A/A pairs say little about a spread, so the upper end of what it could be stands
// beside it.
// Thread: any; pure.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "lab/judge/inference.hpp"

namespace flow::lab {

struct PilotLevel {
  std::string level;
  std::string metric;
  std::vector<BlockPair> same;  // A/A
};

struct PilotFinding {
  std::string level;
  std::string metric;
  std::size_t pairs = 0;              // That have a value in both trials.
  std::optional<double> sd;           // Of the log ratio of two equal trials; none below two pairs.
  std::optional<std::size_t> blocks;  // To find a difference as large as the margin.
  std::optional<std::size_t> blocks_max;  // If the spread is as large as it could be (80 %).
  std::string sentence;
};

// `primaries`: comparisons that share the chance of a false difference. A number of blocks is
// missing where more than 10,000 are needed.
std::vector<PilotFinding> learn_from_pilot(const std::vector<PilotLevel>& levels, double margin,
                                           std::size_t primaries, double alpha = 0.05);

base::json::object describe(const PilotFinding& finding);

}  // namespace flow::lab

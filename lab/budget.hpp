// As many blocks as fit into a time that the operator has, chosen before anything starts, and what
// so many blocks can be expected to see. Nothing is stopped early: a look at the numbers on the way
// would break the promise of the intervals.
// Thread: any; pure.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/json.hpp"
#include "base/result.hpp"
#include "lab/plan/experiment.hpp"

namespace flow::lab {

// How much two equal runs differ, from the A/A trials of an earlier result.
struct Noise {
  double sd = 0;  // Of the log ratio of two trials of one cell and block; its upper 80 % bound.
  std::size_t pairs = 0;
  std::string source;  // For people: the path.
};
// Of load_result()'s or a baseline's object; `primary` as in an experiment file. nullopt for fewer
// than four A/A pairs.
std::optional<Noise> noise_of(const base::json::object& result, const std::string& primary,
                              std::string source);

struct BudgetPlan {
  base::Nanos budget{};
  base::Nanos estimated{};  // Of the trials of the plan; a tenth of the budget is kept free.
  std::uint32_t blocks = 0;
  std::uint32_t blocks_min = 0;  // Fewer decide nothing.
  std::size_t comparisons = 0;   // Cells: each is compared with itself by `flow diff`.
  double margin = 0.1;           // Of the experiment.
  double detectable_in_sd = 0;   // The smallest effect that is found four times in five.

  // The log ratio from which on a cell is called worse four times in five: its whole interval must
  // lie beyond the margin. `sd`: as in Noise.
  double smallest_worse(double sd) const;
};

// Sets blocks and seeds of the experiment, turns A/A trials on and allows two repeats of a trial
// whose gates do not hold. Seeds that the file has come first. Errc::config when not even
// `blocks_min` fit.
base::Result<BudgetPlan> fit_into_budget(Experiment& experiment, base::Nanos budget);

// What is printed before the start. Without noise: for some that were seen elsewhere.
std::string words_of(const BudgetPlan& plan, const std::optional<Noise>& noise);

}  // namespace flow::lab

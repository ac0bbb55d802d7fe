// What an experiment will do, known before anything of it runs: its plan, the levels with what is
// varied in them, what its traffic will be, what a reader must know beside its numbers.
// Thread: any; reads level files.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/json.hpp"
#include "base/result.hpp"
#include "lab/plan/experiment.hpp"
#include "lab/plan/plan.hpp"
#include "servers/level.hpp"

namespace flow::lab {

struct Preview {
  Plan plan;
  std::map<std::string, servers::Level> levels;  // By the word in the experiment file.
  std::vector<servers::Level> cell_levels;       // By the index of the cell.
  base::json::object workloads;                  // By name; the facts are those of the first seed.
  base::json::array warnings;
  base::Nanos estimated{};  // All trials, roughly.
};

// Errc::config for levels, analytics or modes that cannot be run as asked.
base::Result<Preview> preview_of(const Experiment& experiment);

// What the schedules will do to a system, for people.
std::string facts_text(const Preview& preview);

// {"is_estimate", "words"}: whether the experiment is too small for a verdict.
base::json::object describe_size(const Experiment& experiment);

// All of it as a person reads it: plan, traffic facts, estimated time, defaults used.
base::Result<std::string> dry_run_text(const Experiment& experiment);

}  // namespace flow::lab

// Runs an experiment: plan, trials in order, result files written as they arrive, seal, report.
// Thread: the program's main thread; blocks.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "base/result.hpp"
#include "lab/plan/experiment.hpp"
#include "lab/trial/progress.hpp"
#include "lab/trial/stop.hpp"
#include "servers/level.hpp"
#include "streaming/driver_choice.hpp"

namespace flow::lab {

struct RunOptions {
  Experiment experiment;
  std::filesystem::path results = "results";  // The folder is made below it, or found by `resume`.
  bool resume = false;                        // Go on in the newest folder of this experiment.
  std::vector<std::string> command;           // As typed, for the result.
  std::string program;            // Path of this binary: shop and auditor are its children.
  base::json::object flow_facts;  // version, commit, build, is_sanitized.
  streaming::DriverFactory make_driver;
};

struct RunOutcome {
  std::filesystem::path folder;
  std::filesystem::path report;
  std::size_t trials_planned = 0;
  std::size_t trials_complete = 0;
  std::size_t trials_valid = 0;
  std::optional<base::Error> first_error;  // Of a trial that failed; the others were still run.
};

base::Result<RunOutcome> run_experiment(RunOptions options, Progress& progress, StopRequest& stop);

}  // namespace flow::lab

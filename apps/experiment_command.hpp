// What `flow run` and `flow demo` share: signals, progress, the run itself, the table at the end.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "lab/experiment.hpp"

namespace flow::apps {

struct ExperimentFlags {
  std::string results = "results";
  bool resume = false;
  bool gates_decide = true;  // A trial that is not valid ends the program with 1.
};

// Runs it, prints the table and the path of the report, returns the exit code.
int run_and_report(lab::Experiment experiment, const ExperimentFlags& flags);

}  // namespace flow::apps

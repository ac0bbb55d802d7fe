// What `flow run` and `flow demo` share: signals, progress, the run itself, the table at the end.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <CLI/CLI.hpp>

#include "lab/plan/experiment.hpp"

namespace flow::apps {

struct ExperimentFlags {
  std::string results = "results";
  bool resume = false;
  bool gates_decide = true;  // A trial that is not valid ends the program with 1.
};

// What a command line says about analytics; it goes over what the file says.
struct AnalyticsFlags {
  bool is_on = false;
  std::string pinot;
  std::string pinot_home;

  void put_into(lab::Experiment& experiment) const;
};
void add_analytics_flags(CLI::App& command, AnalyticsFlags& flags);

// Runs it, prints the table and the path of the report, returns the exit code.
int run_and_report(lab::Experiment experiment, const ExperimentFlags& flags);

}  // namespace flow::apps

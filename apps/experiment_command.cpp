// SPDX-License-Identifier: Apache-2.0
#include "apps/experiment_command.hpp"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <unistd.h>

#include <fmt/format.h>

#include "apps/command.hpp"
#include "apps/driver_choice.hpp"
#include "apps/version.hpp"
#include "lab/result/load.hpp"
#include "lab/run.hpp"
#include "lab/summary.hpp"
#include "lab/trial/progress.hpp"
#include "lab/trial/stop.hpp"
#include "net/signals.hpp"

namespace flow::apps {
namespace {

// The command line of this process, as typed.
std::vector<std::string> own_command() {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  std::vector<std::string> words;
  for (std::string word; std::getline(file, word, '\0');) words.push_back(word);
  if (!words.empty()) words.front() = "flow";
  return words;
}

void on_signal(int nth, lab::StopRequest& stop, lab::Progress& progress) {
  if (nth == 1) {
    progress.note("Stopping: what was measured is drained and written. Once more: stop now.");
    stop.request();
    return;
  }
  // Every child dies with this process; the next call of flow removes what is left on disk.
  std::fprintf(stderr, "\nflow: stopped now, results are as written so far\n");
  _exit(3);
}

int exit_code_of(const lab::RunOutcome& outcome, bool gates_decide) {
  if (outcome.first_error) return report_error(*outcome.first_error);
  if (outcome.trials_complete < outcome.trials_planned) return 3;
  return gates_decide && outcome.trials_valid < outcome.trials_planned ? 1 : 0;
}

}  // namespace

void AnalyticsFlags::put_into(lab::Experiment& experiment) const {
  auto& analytics = experiment.analytics;
  if (is_on || !pinot.empty() || !pinot_home.empty()) analytics.is_on = true;
  if (!pinot.empty()) analytics.pinot = pinot;
  if (!pinot_home.empty()) analytics.pinot_home = pinot_home;
}

void add_analytics_flags(CLI::App& command, AnalyticsFlags& flags) {
  command.add_flag("--analytics", flags.is_on,
                   "Pinot beside the brokers: how fresh is what a query returns?");
  auto* running = command.add_option("--pinot", flags.pinot,
                                     "Controller of a running Pinot, http://HOST:PORT, instead of "
                                     "one of Flow's own; turns --analytics on");
  command
      .add_option("--pinot-home", flags.pinot_home,
                  "A Pinot distribution of your own to start; turns --analytics on")
      ->excludes(running);
}

int run_and_report(lab::Experiment experiment, const ExperimentFlags& flags) {
  lab::Progress progress;
  lab::StopRequest stop;
  net::IoThread signal_thread("flow-signals");
  const net::StopSignals signals(signal_thread, [&](int nth) { on_signal(nth, stop, progress); });
  lab::RunOptions options;
  options.experiment = std::move(experiment);
  options.results = flags.results;
  options.resume = flags.resume;
  options.command = own_command();
  options.program = std::filesystem::read_symlink("/proc/self/exe").string();
  options.flow_facts = {{"version", version()},
                        {"commit", commit()},
                        {"build", build_type()},
                        {"is_sanitized", is_sanitized()}};
  options.make_driver = make_driver;
  auto outcome = lab::run_experiment(std::move(options), progress, stop);
  progress.finish();
  if (!outcome) return report_error(outcome.error());
  if (auto result = lab::load_result(outcome->folder); result) {
    fmt::print("{}", lab::summary_text(*result));
  }
  if (!outcome->report.empty()) {
    fmt::print("\nReport: {}\n", std::filesystem::absolute(outcome->report).string());
  }
  fmt::print("Result: {}\n", std::filesystem::absolute(outcome->folder).string());
  return exit_code_of(*outcome, flags.gates_decide);
}

}  // namespace flow::apps

// flow demo: the main job in small. Kafka against Pulsar under the study's traffic, on real
// servers, one report.
// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include <fmt/format.h>

#include "apps/command.hpp"
#include "apps/dashboard.hpp"
#include "apps/experiment_command.hpp"
#include "lab/plan/experiment.hpp"

namespace flow::apps {
namespace {

struct DemoFlags {
  std::string level;
  std::string results = "results";
  AnalyticsFlags analytics;
  DashboardFlags dashboard;
};

int demo(const DemoFlags& flags) {
  auto experiment = lab::load_experiment(FLOW_SOURCE_DIR "/experiments/demo.yaml");
  if (!experiment) return report_error(experiment.error());
  if (!flags.level.empty()) experiment->levels = {flags.level};
  flags.analytics.put_into(*experiment);
  auto dashboard = start_dashboard_if_wanted(flags.dashboard, flags.results);
  if (!dashboard) return report_error(dashboard.error());
  // On a machine with stolen CPU a gate may fail: the page says which and why, the demo is still
  // one.
  return run_and_report(std::move(*experiment),
                        {.results = flags.results, .resume = false, .gates_decide = false});
}

}  // namespace

void add_demo(CLI::App& root, int& exit_code) {
  auto flags = std::make_shared<DemoFlags>();
  auto* command = root.add_subcommand(
      "demo", "Kafka against Pulsar under bursty shop traffic, on real servers: one report");
  command->add_option("--level", flags->level,
                      "Durability level instead of fsync-1 (default, page-cache-1, …)");
  add_analytics_flags(*command, flags->analytics);
  command->add_option("--results", flags->results, "Folder in which the result folder is made")
      ->capture_default_str();
  add_dashboard_flags(*command, flags->dashboard);
  command->footer("Example: flow demo --level page-cache-1");
  command->callback([flags, &exit_code] { exit_code = demo(*flags); });
}

}  // namespace flow::apps

// flow run, flow report, flow verify, flow export: experiments and their result folders.
// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>

#include <fmt/format.h>

#include "apps/command.hpp"
#include "apps/dashboard.hpp"
#include "apps/experiment_command.hpp"
#include "lab/budget.hpp"
#include "lab/judge/baseline.hpp"
#include "lab/plan/experiment.hpp"
#include "lab/plan/plan.hpp"
#include "lab/plan/preview.hpp"
#include "lab/report.hpp"
#include "lab/result/export.hpp"
#include "lab/result/files.hpp"
#include "lab/result/load.hpp"
#include "lab/result/seal.hpp"
#include "lab/summary.hpp"

namespace flow::apps {
namespace {

struct RunFlags {
  std::string file;
  std::string results = "results";
  bool dry_run = false;
  bool resume = false;
  bool pilot = false;
  double budget_seconds = 0;  // 0: as many blocks as the file says.
  std::string noise_from;
  AnalyticsFlags analytics;
  DashboardFlags dashboard;
};

// What fits is said on standard error, before anything starts.
base::Result<void> apply_budget(const RunFlags& flags, lab::Experiment& experiment) {
  if (flags.budget_seconds == 0) return {};
  std::optional<lab::Noise> noise;
  if (!flags.noise_from.empty()) {
    auto earlier = lab::load_comparable(flags.noise_from);
    if (!earlier) return base::with_context("--noise-from", earlier.error());
    noise = lab::noise_of(*earlier, experiment.primary, flags.noise_from);
    if (!noise) {
      return base::fail(base::Errc::config,
                        "--noise-from {}: expected four or more A/A pairs with a {} that is known",
                        flags.noise_from, experiment.primary);
    }
  }
  const auto budget =
      std::chrono::duration_cast<base::Nanos>(std::chrono::duration<double>(flags.budget_seconds));
  auto plan = lab::fit_into_budget(experiment, budget);
  if (!plan) return std::unexpected(plan.error());
  fmt::print(stderr, "{}", lab::words_of(*plan, noise));
  return {};
}

int run(const RunFlags& flags) {
  auto experiment = lab::load_experiment(flags.file);
  if (!experiment) return report_error(experiment.error());
  flags.analytics.put_into(*experiment);
  if (flags.pilot) *experiment = lab::pilot_of(std::move(*experiment));
  if (auto fits = apply_budget(flags, *experiment); !fits) return report_error(fits.error());
  if (flags.dry_run) {
    auto text = lab::dry_run_text(*experiment);
    if (!text) return report_error(text.error());
    fmt::print("{}", *text);
    return 0;
  }
  auto dashboard = start_dashboard_if_wanted(flags.dashboard, flags.results);
  if (!dashboard) return report_error(dashboard.error());
  return run_and_report(std::move(*experiment),
                        {.results = flags.results, .resume = flags.resume, .gates_decide = true});
}

int report(const std::string& folder) {
  auto result = lab::load_result(folder);
  if (!result) return report_error(result.error());
  auto path = lab::write_report(folder);
  if (!path) return report_error(path.error());
  fmt::print("{}\nReport: {}\n", lab::summary_text(*result), path->string());
  return 0;
}

int verify(const std::string& folder) {
  auto check = lab::check_seal(folder);
  if (!check) return report_error(check.error());
  for (const auto& problem : check->problems) fmt::print("{}\n", problem);
  fmt::print("{}: {} files sealed, {}\n", folder, check->files,
             check->problems.empty() ? "all as they were"
                                     : fmt::format("{} differ", check->problems.size()));
  return check->problems.empty() ? 0 : 1;
}

struct ExportFlags {
  std::string folder;
  std::string format = "csv";
  std::string out;
  std::string baseline;
};

int export_result(const ExportFlags& flags) {
  auto result = lab::load_result(flags.folder);
  if (!result) return report_error(result.error());
  if (!flags.baseline.empty()) {
    const auto text = lab::baseline_text(lab::make_baseline(*result));
    auto written = lab::write_file(flags.baseline, text);
    if (!written) return report_error(written.error());
    fmt::print("{}\n", flags.baseline);
    return 0;
  }
  const std::filesystem::path out = flags.out.empty() ? flags.folder + "/export" : flags.out;
  auto files = lab::write_export(
      *result, flags.format == "csv" ? lab::ExportFormat::csv : lab::ExportFormat::json_lines, out);
  if (!files) return report_error(files.error());
  for (const auto& file : *files) fmt::print("{}\n", file.string());
  return 0;
}

void add_export(CLI::App& root, int& exit_code) {
  auto flags = std::make_shared<ExportFlags>();
  auto* command = root.add_subcommand("export", "Write a result as flat tables");
  command->add_option("folder", flags->folder, "Result folder")->required();
  command->add_option("--format", flags->format, "csv, or jsonl: one flat object a line")
      ->check(CLI::IsMember({"csv", "jsonl"}))
      ->capture_default_str();
  auto* out =
      command->add_option("--out", flags->out, "Folder for the files (export/ in the result)");
  command
      ->add_option("--baseline", flags->baseline,
                   "Write this one small file instead, which flow diff takes for a result")
      ->excludes(out);
  command->footer("Example: flow export results/20261123T101500Z-demo --baseline baseline.json");
  command->callback([flags, &exit_code] { exit_code = export_result(*flags); });
}

}  // namespace

void add_run(CLI::App& root, int& exit_code) {
  auto flags = std::make_shared<RunFlags>();
  auto* run_command = root.add_subcommand("run", "Run an experiment file: plan, trials, report");
  run_command->add_option("file", flags->file, "Experiment file (YAML)")->required();
  run_command->add_option("--results", flags->results, "Folder in which the result folder is made")
      ->capture_default_str();
  auto* budget =
      run_command
          ->add_option("--budget", flags->budget_seconds,
                       "As many blocks as fit into this time (90s, 20m, 2h), with A/A trials; "
                       "refused where they could decide nothing")
          ->transform(
              CLI::AsNumberWithUnit(std::map<std::string, double>{{"s", 1}, {"m", 60}, {"h", 3600}},
                                    CLI::AsNumberWithUnit::UNIT_REQUIRED, "TIME"))
          ->check(CLI::Range(1.0, 1e6));
  run_command
      ->add_option(
          "--noise-from", flags->noise_from,
          "A result, pilot or baseline whose A/A trials say how small a change can be seen")
      ->needs(budget);
  add_analytics_flags(*run_command, flags->analytics);
  run_command->add_flag("--dry-run", flags->dry_run,
                        "Print plan, traffic and defaults; start nothing");
  run_command
      ->add_flag("--pilot", flags->pilot,
                 "Run A/A pairs alone, four of each level, and say how many blocks the "
                 "experiment needs")
      ->excludes(budget);
  run_command->add_flag("--resume", flags->resume,
                        "Go on at the next unfinished trial of the newest result of this file");
  add_dashboard_flags(*run_command, flags->dashboard);
  run_command->footer("Example: flow run experiments/demo.yaml --dry-run");
  run_command->callback([flags, &exit_code] { exit_code = run(*flags); });

  auto folder = std::make_shared<std::string>();
  auto* report_command =
      root.add_subcommand("report", "Print a result folder and write its report.html");
  report_command->add_option("folder", *folder, "Result folder")->required();
  report_command->footer("Example: flow report results/20261123T101500Z-demo");
  report_command->callback([folder, &exit_code] { exit_code = report(*folder); });

  auto* verify_command =
      root.add_subcommand("verify", "Check that no file of a result folder changed");
  verify_command->add_option("folder", *folder, "Result folder")->required();
  verify_command->footer("Example: flow verify results/20261123T101500Z-demo");
  verify_command->callback([folder, &exit_code] { exit_code = verify(*folder); });
  add_export(root, exit_code);
}

}  // namespace flow::apps

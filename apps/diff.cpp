// flow diff: two results of the same experiment, before and after a change.
// SPDX-License-Identifier: Apache-2.0
#include "lab/judge/diff.hpp"

#include <cstdio>
#include <memory>

#include <fmt/format.h>

#include "apps/command.hpp"
#include "lab/judge/baseline.hpp"

namespace flow::apps {
namespace {

struct DiffFlags {
  std::string before;
  std::string after;
  std::string metric;
  double margin = 0.10;
  bool allow_inconclusive = false;
  bool is_json = false;
};

int exit_code_of(lab::Change change, bool allow_inconclusive) {
  switch (change) {
    case lab::Change::worse:
      return 1;
    case lab::Change::unknown:
      return allow_inconclusive ? 0 : 4;
    case lab::Change::same:
    case lab::Change::better:
      break;
  }
  return 0;
}

int diff(const DiffFlags& flags) {
  auto before = lab::load_comparable(flags.before);
  if (!before) return report_error(before.error());
  auto after = lab::load_comparable(flags.after);
  if (!after) return report_error(after.error());
  auto found = lab::diff_results(*before, *after, flags.metric, flags.margin);
  if (!found) return report_error(found.error());
  fmt::print("{}",
             flags.is_json ? base::pretty_json(lab::describe(*found)) : lab::markdown_of(*found));
  return exit_code_of(found->worst(), flags.allow_inconclusive);
}

}  // namespace

void add_diff(CLI::App& root, int& exit_code) {
  auto flags = std::make_shared<DiffFlags>();
  auto* command = root.add_subcommand(
      "diff", "Compare two results of an experiment; exit code 1: worse, 4: cannot tell");
  command->add_option("before", flags->before, "Result folder, or a baseline file of flow export")
      ->required();
  command->add_option("after", flags->after, "Result folder, or a baseline file")->required();
  command->add_option("--metric", flags->metric,
                      "<hop>_<quantile> instead of the experiment's primary");
  command->add_option("--margin", flags->margin, "A smaller change counts as none")
      ->check(CLI::Range(0.001, 10.0))
      ->capture_default_str();
  command->add_flag("--allow-inconclusive", flags->allow_inconclusive,
                    "Exit code 0 when it cannot tell");
  command->add_flag("--json", flags->is_json, "JSON instead of a Markdown table");
  command->footer("Example: flow diff baseline.json results/20261123T101500Z-check");
  command->callback([flags, &exit_code] { exit_code = diff(*flags); });
}

}  // namespace flow::apps

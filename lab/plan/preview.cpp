// SPDX-License-Identifier: Apache-2.0
#include "lab/plan/preview.hpp"

#include <cstdint>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "lab/plan/estimate.hpp"
#include "lab/plan/workload_mode.hpp"
#include "traffic/facts.hpp"

namespace flow::lab {
namespace {

using base::Result;
using base::json::array;
using base::json::object;

Result<std::map<std::string, servers::Level>> load_levels(const Experiment& experiment) {
  std::map<std::string, servers::Level> levels;
  for (const auto& name : experiment.levels) {
    auto level = servers::load_level(name);
    if (!level) return std::unexpected(level.error());
    levels.emplace(name, std::move(*level));
  }
  return levels;
}

// In the order of the cells: each with what is varied in it.
Result<std::vector<servers::Level>> levels_of_cells(
    const Plan& plan, const std::map<std::string, servers::Level>& levels) {
  std::vector<servers::Level> of_cells;
  for (const auto& cell : plan.cells) {
    auto level = level_of(cell, levels.at(cell.level));
    if (!level) return std::unexpected(level.error());
    of_cells.push_back(std::move(*level));
  }
  return of_cells;
}

object describe_facts(const traffic::Schedule& schedule, double mean) {
  const std::vector<double> capacities{2 * mean, 4 * mean};
  const auto facts = traffic::facts_of(schedule, capacities);
  array overload;
  for (const auto& row : facts.overload) {
    overload.push_back({{"capacity_per_second", row.capacity_per_second},
                        {"time_share", row.time_share},
                        {"requests_share", row.request_share}});
  }
  array volumes;
  for (const auto count : schedule.counts) volumes.emplace_back(count);
  return {{"requests", schedule.intended.size()},
          {"peak_factor", facts.peak_factor},
          {"busiest_tick", facts.busiest_tick},
          {"busiest_tick_requests", schedule.counts[facts.busiest_tick]},
          {"busiest_tick_share", facts.busiest_share},
          {"tail_support_ticks", facts.tail_ticks},
          {"schedule_hash", traffic::format_hash(schedule.hash)},
          {"volumes", std::move(volumes)},
          {"overload", std::move(overload)}};
}

// By workload name; the facts are those of the first seed.
Result<object> describe_workloads(const Experiment& experiment) {
  object workloads;
  const object all = describe(experiment);
  for (std::size_t i = 0; i < experiment.workloads.size(); ++i) {
    const auto& workload = experiment.workloads[i];
    const auto traffic = make_traffic(workload, experiment.seeds.front());
    if (!traffic) return std::unexpected(traffic.error());
    object description = all.at("workloads").as_array()[i].as_object();
    object facts = describe_facts(traffic->schedule, workload.requests_per_second);
    if (traffic->visits) facts["customers"] = visit_facts(*traffic->visits);
    description["facts"] = std::move(facts);
    workloads[workload.name] = std::move(description);
  }
  return workloads;
}

std::string customers_text(const object& workload, const object& customers) {
  const auto number = [&customers](std::string_view key) {
    return customers.at(key).to_number<double>();
  };
  std::string text = fmt::format(
      "  mode {}: {:.0f} visits, {:.0f} of them there at the start; {:.1f} customers present on "
      "average, {:.0f} at most, a connection each; mean think time {:.4g} s\n",
      std::string_view(workload.at("mode").as_string()), number("visits"), number("visits_carried"),
      number("present_mean"), number("present_max"),
      workload.at("think_mean_seconds").to_number<double>());
  if (number("new_customers") == 0) return text;
  return text + fmt::format("  {:.0f} new customers register: {:.1f} passwords hashed a second\n",
                            number("new_customers"), number("passwords_per_second"));
}

// What a reader must know beside the numbers.
array warnings_of(const Experiment& experiment, const object& workloads) {
  array warnings;
  for (const auto& [name, workload] : workloads) {
    const auto& facts = workload.at("facts");
    const auto ticks = facts.at("tail_support_ticks").to_number<std::uint64_t>();
    if (ticks >= traffic::tail_ticks_wanted) continue;
    warnings.emplace_back(fmt::format(
        "workload {}: the busiest tick holds {:.0f} % of all requests and so decides the p99; the "
        "slowest 1 % of the requests can come from {} of its ticks (10 or more would be sound)",
        std::string_view(name), 100 * facts.at("busiest_tick_share").to_number<double>(), ticks));
  }
  for (const auto& workload : experiment.workloads) {
    if (auto words = comparison_words(workload); !words.empty()) warnings.emplace_back(words);
  }
  if (experiment.analytics.is_on) {
    warnings.emplace_back(
        "Pinot ran beside the brokers on this machine and took CPU time from them; its ingestion "
        "code differs by platform (its own Kafka plugin, Flow's Pulsar plugin), so freshness "
        "compares platforms with their plugin, not brokers alone");
  }
  if (!experiment.faults.empty()) {
    warnings.emplace_back("faults were done on purpose in every trial; each is listed there");
  }
  for (const auto& variation : experiment.vary) {
    if (!servers::can_change_promise(variation.setting)) continue;
    warnings.emplace_back(fmt::format(
        "{} is varied: it can change what an acknowledgement means, so a cell may promise less or "
        "more than its level says",
        variation.setting));
  }
  if (experiment.ack_before_answer) {
    warnings.emplace_back("the shop answers only after the broker's acknowledgement");
  }
  return warnings;
}

}  // namespace

Result<Preview> preview_of(const Experiment& experiment) {
  Preview preview;
  preview.plan = make_plan(experiment);
  auto levels = load_levels(experiment);
  if (!levels) return std::unexpected(levels.error());
  preview.levels = std::move(*levels);
  auto cell_levels = levels_of_cells(preview.plan, preview.levels);
  if (!cell_levels) return std::unexpected(cell_levels.error());
  preview.cell_levels = std::move(*cell_levels);
  if (auto ok = check_analytics(experiment); !ok) return std::unexpected(ok.error());
  if (auto ok = check_mode(experiment); !ok) return std::unexpected(ok.error());
  auto workloads = describe_workloads(experiment);
  if (!workloads) return std::unexpected(workloads.error());
  preview.workloads = std::move(*workloads);
  preview.warnings = warnings_of(experiment, preview.workloads);
  preview.estimated = estimated_duration(experiment);
  return preview;
}

std::string facts_text(const Preview& preview) {
  std::string text;
  for (const auto& [name, workload] : preview.workloads) {
    const auto number = [&facts = workload.at("facts")](std::string_view key) {
      return facts.at(key).to_number<double>();
    };
    const auto* customers = workload.at("facts").as_object().if_contains("customers");
    text += fmt::format(
        "Traffic {}: {:.0f} requests{}, mean {:.0f}/s; the busiest of {} ticks holds {:.0f} "
        "({:.1f} %), {:.2f} times the mean; the slowest 1 % can come from {:.0f} tick(s)\n",
        std::string_view(name), number("requests"),
        customers ? " if every answer came at once, fewer otherwise" : "",
        workload.at("requests_per_second").to_number<double>(),
        workload.at("ticks").to_number<std::uint64_t>(), number("busiest_tick_requests"),
        100 * number("busiest_tick_share"), number("peak_factor"), number("tail_support_ticks"));
    if (customers) text += customers_text(workload.as_object(), customers->as_object());
    for (const auto& row : workload.at("facts").at("overload").as_array()) {
      text += fmt::format("  above {:.0f}/s: {:.1f} % of the time, {:.1f} % of the requests\n",
                          row.at("capacity_per_second").to_number<double>(),
                          100 * row.at("time_share").to_number<double>(),
                          100 * row.at("requests_share").to_number<double>());
    }
  }
  return text;
}

object describe_size(const Experiment& experiment) {
  const bool is_estimate = experiment.blocks < blocks_for_a_verdict;
  std::string words;
  if (experiment.is_pilot) {
    words = "ESTIMATE: a pilot, which compares nothing";
  } else if (experiment.blocks == 1) {
    words = "ESTIMATE: one block, cold JVMs";
  } else if (is_estimate) {
    words = fmt::format("ESTIMATE: {} blocks, cold JVMs; fewer than {} decide nothing",
                        experiment.blocks, blocks_for_a_verdict);
  }
  return {{"is_estimate", is_estimate}, {"words", words}};
}

Result<std::string> dry_run_text(const Experiment& experiment) {
  const auto preview = preview_of(experiment);
  if (!preview) return std::unexpected(preview.error());
  const Plan& plan = preview->plan;
  std::string text = fmt::format("Experiment {}: {}\n\n", experiment.name, experiment.question);
  text +=
      fmt::format("{} trials, about {}:\n", plan.trials.size(), format_elapsed(preview->estimated));
  for (const auto& trial : plan.trials) {
    text += trial.block == 0 ? fmt::format("  {}  before the blocks\n", trial_id(plan, trial))
                             : fmt::format("  {}  block {}, seed {}\n", trial_id(plan, trial),
                                           trial.block, trial.seed);
  }
  for (const auto& [name, level] : preview->levels) {
    text +=
        fmt::format("\nLevel {}: {}\n  {}\n", level.name, level.promises, level.does_not_promise);
    if (!level.like_for_like) {
      text += fmt::format("  NOT LIKE FOR LIKE: {}\n", level.like_for_like_reason);
    }
    for (const auto& platform : experiment.platforms) {
      text += fmt::format("  {}: {}\n", platform, servers::replication_note(level, platform));
    }
  }
  for (const auto& warning : preview->warnings) {
    text += fmt::format("\nNote: {}\n", std::string_view(warning.as_string()));
  }
  text += "\nOf the first seed:\n" + facts_text(*preview) + base::pretty_json(preview->workloads);
  text += "\nEverything in force, defaults included:\n" + base::pretty_json(describe(experiment));
  return text;
}

}  // namespace flow::lab

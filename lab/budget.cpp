// SPDX-License-Identifier: Apache-2.0
#include "lab/budget.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <ranges>

#include <fmt/format.h>

#include "lab/judge/analysis.hpp"
#include "lab/plan/estimate.hpp"
#include "lab/plan/plan.hpp"
#include "lab/result/lenient_json.hpp"
#include "measure/planning.hpp"

namespace flow::lab {
namespace {

using base::Errc;
using base::fail;
using base::json::object;
using base::json::value;

constexpr double alpha = 0.05;
constexpr std::uint32_t blocks_max = 1000;  // As in an experiment file.
constexpr std::size_t pairs_min = 4;        // As for a noise floor.

// Cells that can change between two results; the null broker is none of them.
std::size_t comparisons_of(const Experiment& experiment) {
  return static_cast<std::size_t>(
      std::ranges::count_if(make_plan(experiment).cells,
                            [](const Cell& cell) { return cell.platform != null_platform; }));
}

void set_blocks(Experiment& experiment, std::uint32_t blocks) {
  experiment.blocks = blocks;
  auto& seeds = experiment.seeds;
  seeds.resize(std::min<std::size_t>(seeds.size(), blocks));
  std::uint64_t next = seeds.empty() ? 42 : std::ranges::max(seeds) + 1;
  while (seeds.size() < blocks) seeds.push_back(next++);
}

base::Nanos duration_of(Experiment experiment, std::uint32_t blocks) {
  set_blocks(experiment, blocks);
  return estimated_duration(experiment);
}

// "15 %", "a factor of 9.9"; rounded up.
std::string words_of_ratio(double log_ratio) {
  if (const double ratio = std::exp(log_ratio); ratio >= 2) {
    return fmt::format("a factor of {:.1f}", std::ceil(10 * ratio) / 10);
  }
  return fmt::format("{:.0f} %", std::ceil(100 * std::expm1(log_ratio)));
}

// Cell and block; empty without.
std::string slot_of(const value& trial) {
  const value* block = trial.is_object() ? trial.get_object().if_contains("block") : nullptr;
  if (!block || !block->is_number()) return {};
  return fmt::format("{}/{}", text_at(trial, "cell"), block->to_number<double>());
}

}  // namespace

std::optional<Noise> noise_of(const object& result, const std::string& primary,
                              std::string source) {
  const value* trials = result.if_contains("trials");
  if (!trials || !trials->is_array()) return std::nullopt;
  std::map<std::string, double> first;
  for (const auto& trial : trials->get_array()) {
    if (!is_true_at(trial, "is_repeat")) first[slot_of(trial)] = metric_value(trial, primary);
  }
  std::vector<double> log_ratios;
  for (const auto& trial : trials->get_array()) {
    const auto at = is_true_at(trial, "is_repeat") ? first.find(slot_of(trial)) : first.end();
    if (at == first.end()) continue;
    const double ratio = std::log(metric_value(trial, primary) / at->second);
    if (std::isfinite(ratio)) log_ratios.push_back(ratio);
  }
  if (log_ratios.size() < pairs_min) return std::nullopt;
  const auto spread = measure::spread_about_zero(log_ratios);
  if (spread.sd <= 0) return std::nullopt;
  return Noise{spread.sd_max, log_ratios.size(), std::move(source)};
}

base::Result<BudgetPlan> fit_into_budget(Experiment& experiment, base::Nanos budget) {
  experiment.with_repeats = true;
  experiment.retries = std::max<std::uint32_t>(experiment.retries, 2);
  BudgetPlan plan;
  plan.budget = budget;
  plan.comparisons = comparisons_of(experiment);
  plan.margin = experiment.margin;
  plan.blocks_min = static_cast<std::uint32_t>(measure::blocks_to_decide(plan.comparisons, alpha));
  const base::Nanos usable = budget - budget / 10;
  const base::Nanos least = duration_of(experiment, plan.blocks_min);
  if (least > usable) {
    return fail(
        Errc::config,
        "--budget {}: {} blocks, the fewest that can decide about {} cell{}, take about {}; "
        "expected {} or more (a tenth is kept for trials that are run again), or an "
        "experiment with fewer levels or workloads, or a shorter schedule",
        format_elapsed(budget), plan.blocks_min, plan.comparisons, plan.comparisons == 1 ? "" : "s",
        format_elapsed(least), format_elapsed(least + least / 9 + std::chrono::seconds(1)));
  }
  // No two blocks need take as long: servers that go on are started in some only.
  const auto counts = std::views::iota(plan.blocks_min, blocks_max + 1);
  plan.blocks = *std::ranges::prev(std::ranges::partition_point(
      counts, [&](std::uint32_t blocks) { return duration_of(experiment, blocks) <= usable; }));
  set_blocks(experiment, plan.blocks);
  plan.estimated = estimated_duration(experiment);
  const double level_alpha = alpha / static_cast<double>(plan.comparisons);
  if (const auto resolution = measure::resolution_of(plan.blocks, level_alpha)) {
    plan.detectable_in_sd = resolution->detectable;
  }
  return plan;
}

double BudgetPlan::smallest_worse(double sd) const {
  return std::log1p(margin) + detectable_in_sd * sd;
}

std::string words_of(const BudgetPlan& plan, const std::optional<Noise>& noise) {
  std::string text = fmt::format(
      "Budget {}: {} blocks with an A/A trial each, about {}; fewer than {} decide nothing about "
      "{} "
      "cell{}.\nflow diff can expect to call a cell worse, four times in five, when it is higher "
      "by ",
      format_elapsed(plan.budget), plan.blocks, format_elapsed(plan.estimated), plan.blocks_min,
      plan.comparisons, plan.comparisons == 1 ? "" : "s");
  if (noise) {
    return text + fmt::format("{} (two equal trials differ by {}, from {} A/A pairs of {}).\n",
                              words_of_ratio(plan.smallest_worse(noise->sd)),
                              words_of_ratio(noise->sd), noise->pairs, noise->source);
  }
  for (const double sd : {0.03, 0.08, 0.20}) {
    text += fmt::format("{} where two equal trials differ by {:.0f} %, ",
                        words_of_ratio(plan.smallest_worse(sd)), 100 * sd);
  }
  return text + "and so on; --noise-from RESULT tells it from A/A trials.\n";
}

}  // namespace flow::lab

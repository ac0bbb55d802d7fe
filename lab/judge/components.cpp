// SPDX-License-Identifier: Apache-2.0
#include "lab/judge/components.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "lab/result/lenient_json.hpp"
#include "measure/variance_components.hpp"

namespace flow::lab {
namespace {

using base::json::object;
using base::json::value;

constexpr double hour = 3600;

// Of the primary metric; NaN where there is none that is finite.
double log_of(const value* trial, std::string_view primary) {
  return trial ? std::log(metric_value(*trial, primary)) : std::nan("");
}

bool is_of_cell(const value* trial, const value& repeat) {
  return trial &&
         text_in(as_object_or_empty(*trial), "cell") == text_in(as_object_or_empty(repeat), "cell");
}

double covariance(const std::vector<double>& x, const std::vector<double>& y) {
  const auto n = static_cast<double>(x.size());
  const double mean_x = std::accumulate(x.begin(), x.end(), 0.0) / n;
  const double mean_y = std::accumulate(y.begin(), y.end(), 0.0) / n;
  double products = 0;
  for (std::size_t i = 0; i < x.size(); ++i) products += (x[i] - mean_x) * (y[i] - mean_y);
  return products / (n - 1);
}

double median_of(std::vector<double> values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

void measure_times(Components& components, std::span<const BlockTrials> blocks) {
  std::vector<double> trial_seconds, measured_seconds;
  for (const BlockTrials& block : blocks) {
    for (const value* trial : {block.first, block.second, block.repeat}) {
      if (trial == nullptr) continue;
      const object& at = as_object_or_empty(*trial);
      if (text_in(at, "state") != "complete") continue;
      const auto seconds = [&](const char* from, const char* until) {
        return (number_in(at, until) - number_in(at, from)) * 1e-9;
      };
      trial_seconds.push_back(seconds("started_unix_ns", "finished_unix_ns"));
      measured_seconds.push_back(seconds("measured_from_unix_ns", "measured_until_unix_ns"));
    }
  }
  components.trial_seconds = median_of(trial_seconds);
  components.measured_seconds = median_of(measured_seconds);
  if (blocks.empty()) return;
  components.trials_per_block = (trial_seconds.size() + blocks.size() - 1) / blocks.size();
}

// Kalibera and Jones' level 1 is what a longer trial has more of, level 2 the block. A trial's
// fixed time (start, warm-up, drain) is what a block costs beside the measured one.
void plan(Components& components) {
  if (!components.is_known()) return;
  const double within = 2 * *components.run_to_run, left = *components.left;
  const double measured = components.measured_seconds;
  const double fixed = std::max(0.0, components.trial_seconds - measured);
  if (within <= 0 || fixed <= 0) {
    components.longer_at_most = 1;
    return;
  }
  const std::vector<double> costs = {measured, fixed};
  components.longer_at_most =
      measure::best_repetitions({.of_means = {}, .own = {within, left}}, costs).at(0);
  if (!components.longer_at_most) {
    components.gain_at_most = (fixed + measured) / measured;
    return;
  }
  const auto longer = static_cast<double>(*components.longer_at_most);
  components.gain_at_most = (fixed + measured) * (within + left) /
                            ((fixed + longer * measured) * (within / longer + left));
}

std::string percent(double share) { return fmt::format("{:.0f} %", 100 * share); }

std::string parts_of(const Components& components) {
  const double all = *components.of_log_ratio;
  const double run = std::min(2 * *components.run_to_run, all);
  return fmt::format(
      "Of the variance of a block's log ratio, {} shows between two trials of the same cell and "
      "seed, {} does not.",
      percent(run / all), percent(1 - run / all));
}

}  // namespace

Components components_of(std::span<const BlockTrials> blocks, std::string_view primary) {
  Components components;
  std::vector<double> first, second, ratios;
  double same_squares = 0;
  for (const BlockTrials& block : blocks) {
    const double a = log_of(block.first, primary), b = log_of(block.second, primary);
    if (std::isfinite(a) && std::isfinite(b)) {
      first.push_back(a);
      second.push_back(b);
      ratios.push_back(b - a);
    }
    if (block.repeat == nullptr) continue;
    const double again = log_of(block.repeat, primary);
    const double original = is_of_cell(block.first, *block.repeat) ? a : b;
    if (!std::isfinite(again) || !std::isfinite(original)) continue;
    ++components.same_pairs;
    same_squares += (again - original) * (again - original);
  }
  components.blocks = ratios.size();
  if (ratios.size() >= pairs_for_components) {
    components.of_log_ratio = covariance(ratios, ratios);
    components.between_blocks = covariance(first, second);
  }
  if (components.same_pairs >= pairs_for_components) {
    components.run_to_run = same_squares / (2 * static_cast<double>(components.same_pairs));
  }
  if (components.of_log_ratio && components.run_to_run) {
    components.left = *components.of_log_ratio - 2 * *components.run_to_run;
  }
  measure_times(components, blocks);
  plan(components);
  return components;
}

std::string sentence_of(const Components& components) {
  if (!components.left) {
    return fmt::format(
        "Where to spend the next hour cannot be told: that needs {} blocks and {} A/A pairs at "
        "this level, and there are {} and {}.",
        pairs_for_components, pairs_for_components, components.blocks, components.same_pairs);
  }
  if (*components.of_log_ratio <= 0) {
    return "Where to spend the next hour cannot be told: the blocks do not differ at all.";
  }
  if (!components.is_known()) {
    return "Where to spend the next hour cannot be told: the trials do not say how long they took.";
  }
  const double block_seconds =
      static_cast<double>(std::max<std::size_t>(components.trials_per_block, 1)) *
      components.trial_seconds;
  const double more = std::floor(hour / block_seconds);
  const double k = static_cast<double>(components.blocks);
  const std::string blocks =
      more < 1 ? fmt::format("a block takes {:.1f} hours", block_seconds / hour)
               : fmt::format("about {:.0f} fit in and would make the interval {} shorter", more,
                             percent(1 - std::sqrt(k / (k + more))));
  if (components.is_for_blocks()) {
    return fmt::format(
        "Spend the next hour on more blocks ({}), not on longer trials: these would gain nothing "
        "worth having even if they took away what differs between trials. {}",
        blocks, parts_of(components));
  }
  return fmt::format(
      "Spend the next hour on more blocks ({}) or, in a new experiment, on longer trials: {} as "
      "long would tell up to {:.1f} times as much per hour, as far as the difference between two "
      "trials comes from within them and not from how a trial was started. {}",
      blocks,
      components.longer_at_most ? fmt::format("{} times", *components.longer_at_most)
                                : std::string("many times"),
      components.gain_at_most, parts_of(components));
}

object describe(const Components& components) {
  return {{"blocks", components.blocks},
          {"same_pairs", components.same_pairs},
          {"variance_of_log_ratio", or_null(components.of_log_ratio)},
          {"variance_between_blocks", or_null(components.between_blocks)},
          {"variance_run_to_run", or_null(components.run_to_run)},
          {"variance_left", or_null(components.left)},
          {"trial_seconds", components.trial_seconds},
          {"measured_seconds", components.measured_seconds},
          {"longer_at_most", or_null(components.longer_at_most)},
          {"gain_at_most", components.gain_at_most},
          {"sentence", sentence_of(components)}};
}

}  // namespace flow::lab

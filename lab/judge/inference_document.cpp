// SPDX-License-Identifier: Apache-2.0
#include "lab/judge/inference_document.hpp"

#include <cmath>

#include "lab/result/lenient_json.hpp"

namespace flow::lab {
namespace {

using base::json::array;
using base::json::object;
using base::json::value;
using measure::Interval;

value finite(double number) { return std::isfinite(number) ? value(number) : value(nullptr); }

value ratio(double log_ratio) { return finite(std::exp(log_ratio)); }

value describe(const std::optional<Interval>& interval) {
  if (!interval) return nullptr;
  return object{{"confidence", interval->confidence},
                {"coverage", interval->coverage},
                {"lower", ratio(interval->lower)},
                {"upper", ratio(interval->upper)}};
}

object describe(const TestResults& p) {
  return {{"signed_rank", p.signed_rank},
          {"sign_flip", p.sign_flip},
          {"paired_t", or_null(p.paired_t)}};
}

array describe(const std::vector<BlockRatio>& ratios) {
  array all;
  for (const auto& block : ratios) {
    all.push_back({{"block", block.block},
                   {"ratio", ratio(block.log_ratio)},
                   {"first_fell_over", block.first_fell_over},
                   {"second_fell_over", block.second_fell_over}});
  }
  return all;
}

object describe(const SecondaryInference& secondary) {
  return {{"metric", secondary.metric},
          {"blocks", secondary.blocks},
          {"ratio", ratio(secondary.log_ratio)},
          {"interval_95", describe(secondary.interval)},
          {"p", secondary.p},
          {"p_adjusted", secondary.p_adjusted},
          {"is_different", secondary.is_different},
          {"is_interpreted", secondary.is_interpreted},
          {"label", "exploratory"},
          {"sentence", secondary.sentence}};
}

object describe_floor(const LevelInference& level) {
  return {{"pairs", level.same_pairs},
          {"of_level", level.floor_level.empty() ? value(nullptr) : value(level.floor_level)},
          {"ratio", level.noise_floor ? ratio(*level.noise_floor) : value(nullptr)},
          {"p_signed_rank", or_null(level.same_p)}};
}

}  // namespace

object describe(const LevelInference& level, const InferenceInput& input) {
  array incomplete, secondaries;
  for (const auto block : level.incomplete) incomplete.push_back(block);
  for (const auto& secondary : level.secondaries) secondaries.push_back(describe(secondary));
  return {{"level", level.level},
          {"metric", level.metric},
          {"first", level.first},
          {"second", level.second},
          {"verdict", name_of(level.verdict)},
          {"doubt", name_of(level.doubt)},
          {"words", level.words},
          {"sentence", level.sentence},
          {"blocks", level.ratios.size()},
          {"blocks_min", level.blocks_min},
          {"blocks_needed", or_null(level.blocks_needed)},
          {"blocks_incomplete", std::move(incomplete)},
          {"first_fell_over", level.first_fell_over},
          {"second_fell_over", level.second_fell_over},
          {"both_fell_over", level.both_fell_over},
          {"ratio", ratio(level.log_ratio)},
          {"interval_simultaneous", describe(level.simultaneous)},
          {"interval_95", describe(level.plain)},
          {"interval_90", describe(level.ninety)},
          {"p", describe(level.p)},
          {"p_holm", describe(level.p_holm)},
          {"tests_agree", level.tests_agree},
          {"sd_log_ratio", or_null(level.sd)},
          {"margin", input.margin},
          {"noise_floor", describe_floor(level)},
          {"ratios", describe(level.ratios)},
          {"secondaries", std::move(secondaries)}};
}

}  // namespace flow::lab

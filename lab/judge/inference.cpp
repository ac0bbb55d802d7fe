// SPDX-License-Identifier: Apache-2.0
#include "lab/judge/inference.hpp"

#include <algorithm>
#include <cmath>

#include "base/check.hpp"
#include "lab/judge/inference_words.hpp"
#include "measure/multiplicity.hpp"
#include "measure/noise_floor.hpp"
#include "measure/paired_t.hpp"
#include "measure/planning.hpp"
#include "measure/sign_flip.hpp"
#include "measure/signed_rank.hpp"

namespace flow::lab {
namespace {

using measure::Interval;

std::size_t family_of(const InferenceInput& input) {
  return std::max({input.primaries, input.levels.size(), std::size_t{1}});
}

double level_alpha(const InferenceInput& input) {
  return input.alpha / static_cast<double>(family_of(input));
}

bool has_value(double measured) { return measured > 0; }  // Infinity is one, NaN is none.

std::optional<double> log_ratio_of(const BlockPair& pair) {
  if (!has_value(pair.first) || !has_value(pair.second)) return std::nullopt;
  if (std::isinf(pair.first) && std::isinf(pair.second)) return 0;
  return std::log(pair.second) - std::log(pair.first);
}

std::vector<double> log_ratios_of(const std::vector<BlockPair>& pairs) {
  std::vector<double> ratios;
  for (const auto& pair : pairs) {
    if (const auto ratio = log_ratio_of(pair)) ratios.push_back(*ratio);
  }
  return ratios;
}

void count_blocks(LevelInference& level, const std::vector<BlockPair>& pairs) {
  for (const auto& pair : pairs) {
    const auto ratio = log_ratio_of(pair);
    if (!ratio) {
      level.incomplete.push_back(pair.block);
      continue;
    }
    const bool first_down = std::isinf(pair.first), second_down = std::isinf(pair.second);
    level.ratios.push_back({.block = pair.block,
                            .log_ratio = *ratio,
                            .first_fell_over = first_down,
                            .second_fell_over = second_down});
    level.first_fell_over += first_down ? 1 : 0;
    level.second_fell_over += second_down ? 1 : 0;
    level.both_fell_over += first_down && second_down ? 1 : 0;
  }
}

bool fell_over(const LevelInference& level) {
  return level.first_fell_over + level.second_fell_over > 0;
}

void estimate(LevelInference& level, const std::vector<double>& ratios,
              const InferenceInput& input) {
  const measure::WalshAverages averages(ratios);
  level.log_ratio = averages.estimate();
  level.simultaneous = averages.interval(1 - level_alpha(input));
  level.plain = averages.interval(0.95);
  level.ninety = averages.interval(0.90);
  level.p.signed_rank = measure::signed_rank_test(ratios).p;
  level.p.sign_flip = measure::sign_flip_test(ratios).p;
  // Where both fell over the ratio of 0 says nothing about sizes, which these two need.
  if (!fell_over(level)) {
    if (const auto t = measure::paired_t_test(ratios)) {
      level.p.paired_t = t->p;
      level.sd = t->sd;
    }
  }
}

void compare_with_itself(LevelInference& level, const std::vector<BlockPair>& same) {
  const auto ratios = log_ratios_of(same);
  level.same_pairs = ratios.size();
  level.noise_floor = measure::noise_floor(ratios);
  if (level.noise_floor) level.floor_level = level.level;
  if (!ratios.empty()) level.same_p = measure::signed_rank_test(ratios).p;
}

LevelInference judge_alone(const LevelBlocks& blocks, const InferenceInput& input) {
  LevelInference level;
  level.level = blocks.level;
  level.first = blocks.first.empty() ? input.first : blocks.first;
  level.second = blocks.second.empty() ? input.second : blocks.second;
  level.metric = blocks.primary.metric;
  level.blocks_min = measure::blocks_to_decide(family_of(input), input.alpha);
  count_blocks(level, blocks.primary.blocks);
  estimate(level, log_ratios_of(blocks.primary.blocks), input);
  compare_with_itself(level, blocks.same);
  return level;
}

// Levels differ in noise: a floor measured at one is no floor at another as it is. In units of the
// spread of a level's own blocks it is.
void borrow_floors(std::vector<LevelInference>& levels) {
  const LevelInference* lender = nullptr;
  for (const auto& level : levels) {
    if (!level.noise_floor || level.sd.value_or(0) <= 0) continue;
    if (lender == nullptr || level.same_pairs > lender->same_pairs) lender = &level;
  }
  if (lender == nullptr) return;
  for (auto& level : levels) {
    if (level.noise_floor || !level.sd) continue;
    level.noise_floor = *lender->noise_floor * (*level.sd / *lender->sd);
    level.floor_level = lender->level;
  }
}

// Each kind of test has a family of its own.
void adjust(std::vector<LevelInference>& levels, const InferenceInput& input) {
  std::vector<double> signed_rank, sign_flip, paired_t;
  for (const auto& level : levels) {
    signed_rank.push_back(level.p.signed_rank);
    sign_flip.push_back(level.p.sign_flip);
    paired_t.push_back(level.p.paired_t.value_or(1));
  }
  const std::size_t family = family_of(input);
  signed_rank = measure::holm(signed_rank, family);
  sign_flip = measure::holm(sign_flip, family);
  paired_t = measure::holm(paired_t, family);
  for (std::size_t i = 0; i < levels.size(); ++i) {
    auto& level = levels[i];
    level.p_holm = {.signed_rank = signed_rank[i], .sign_flip = sign_flip[i], .paired_t = {}};
    if (level.p.paired_t) level.p_holm.paired_t = paired_t[i];
  }
}

// The three tests say the same, and none of them less than the interval.
bool do_tests_agree(const LevelInference& level, double alpha) {
  const bool is_found = level.p_holm.signed_rank <= alpha;
  if ((level.p_holm.sign_flip <= alpha) != is_found) return false;
  if (level.p_holm.paired_t && (*level.p_holm.paired_t <= alpha) != is_found) return false;
  return is_found || !level.simultaneous || !level.simultaneous->excludes_zero();
}

struct Judgement {
  Verdict verdict;
  Doubt doubt = Doubt::none;
};

Judgement judge_difference(const LevelInference& level, double margin) {
  const Interval& interval = *level.simultaneous;
  if (interval.is_inside(margin) && !fell_over(level)) return {Verdict::different_but_equivalent};
  if (!interval.is_beyond(margin)) return {Verdict::different};
  if (!level.noise_floor) return {Verdict::different, Doubt::floor_unknown};
  if (std::abs(level.log_ratio) > *level.noise_floor) return {Verdict::lower};
  return {Verdict::inconclusive, Doubt::noise_floor};
}

Judgement judge(const LevelInference& level, double margin) {
  if (level.ratios.size() < level.blocks_min) return {Verdict::estimate, Doubt::blocks};
  if (!level.tests_agree) return {Verdict::inconclusive, Doubt::disagreement};
  if (level.simultaneous->excludes_zero()) return judge_difference(level, margin);
  if (!level.ninety->is_inside(margin)) return {Verdict::inconclusive, Doubt::blocks};
  if (fell_over(level)) return {Verdict::inconclusive, Doubt::fell_over};
  return {Verdict::equivalent};
}

// Enough to find a difference as large as the margin; where there are as many already, enough for
// an interval no longer than the margin, which cannot hold 1 and leave it.
std::optional<std::size_t> blocks_needed(const LevelInference& level, double margin, double alpha) {
  const std::size_t k = level.ratios.size();
  if (!level.sd) {
    return k < level.blocks_min ? std::optional(level.blocks_min) : std::nullopt;
  }
  auto needed = measure::blocks_to_detect(margin, *level.sd, alpha);
  if (needed && *needed <= k) needed = measure::blocks_for_length(margin, *level.sd, alpha);
  if (!needed) return std::nullopt;
  return std::max({*needed, k + 1, level.blocks_min});
}

void conclude(LevelInference& level, const InferenceInput& input) {
  const double margin = std::log1p(input.margin);
  level.tests_agree = do_tests_agree(level, input.alpha);
  const auto [verdict, doubt] = judge(level, margin);
  level.verdict = verdict;
  level.doubt = doubt;
  if (!is_decided(verdict) && doubt != Doubt::fell_over) {
    level.blocks_needed = blocks_needed(level, margin, level_alpha(input));
  }
  level.words = words_of(level);
  level.sentence = sentence_of(level, input);
}

SecondaryInference explore(const MetricBlocks& blocks) {
  const auto ratios = log_ratios_of(blocks.blocks);
  const measure::WalshAverages averages(ratios);
  return {.metric = blocks.metric,
          .blocks = ratios.size(),
          .log_ratio = averages.estimate(),
          .interval = averages.interval(0.95),
          .p = measure::signed_rank_test(ratios).p,
          .sentence = {}};
}

void explore(std::vector<LevelInference>& levels, const InferenceInput& input) {
  std::vector<double> p;
  for (std::size_t i = 0; i < levels.size(); ++i) {
    for (const auto& secondary : input.levels[i].secondaries) {
      levels[i].secondaries.push_back(explore(secondary));
      p.push_back(levels[i].secondaries.back().p);
    }
  }
  const auto adjusted = measure::benjamini_hochberg(p);
  auto next = adjusted.begin();
  for (auto& level : levels) {
    for (auto& secondary : level.secondaries) {
      secondary.p_adjusted = *next++;
      secondary.is_different = secondary.p_adjusted <= input.discoveries;
      secondary.is_interpreted = is_decided(level.verdict);
      secondary.sentence = sentence_of(secondary, level);
    }
  }
}

}  // namespace

std::string_view name_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::lower:
      return "lower";
    case Verdict::different:
      return "different";
    case Verdict::different_but_equivalent:
      return "different_but_equivalent";
    case Verdict::equivalent:
      return "equivalent";
    case Verdict::inconclusive:
      return "inconclusive";
    case Verdict::estimate:
      return "estimate";
  }
  return "";
}

bool is_decided(Verdict verdict) {
  return verdict != Verdict::inconclusive && verdict != Verdict::estimate;
}

std::string_view name_of(Doubt doubt) {
  switch (doubt) {
    case Doubt::none:
      return "none";
    case Doubt::blocks:
      return "blocks";
    case Doubt::disagreement:
      return "disagreement";
    case Doubt::noise_floor:
      return "noise_floor";
    case Doubt::floor_unknown:
      return "floor_unknown";
    case Doubt::fell_over:
      return "fell_over";
  }
  return "";
}

std::vector<LevelInference> infer(const InferenceInput& input) {
  FLOW_CHECK(input.margin > 0 && input.alpha > 0 && input.alpha < 1);
  std::vector<LevelInference> levels;
  for (const auto& blocks : input.levels) levels.push_back(judge_alone(blocks, input));
  borrow_floors(levels);
  adjust(levels, input);
  for (auto& level : levels) conclude(level, input);
  explore(levels, input);
  return levels;
}

}  // namespace flow::lab

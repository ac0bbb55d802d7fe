// SPDX-License-Identifier: Apache-2.0
#include "lab/judge/inference_words.hpp"

#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace flow::lab {
namespace {

using measure::Interval;

std::string percent(double share) { return fmt::format("{:.4g} %", std::round(1000 * share) / 10); }

const std::string& lower_platform(double log_ratio, const LevelInference& level) {
  return log_ratio > 0 ? level.first : level.second;
}

std::string interval_text(const Interval& interval) {
  const std::string range =
      std::isinf(interval.lower) && interval.lower < 0
          ? fmt::format("below {}", format_ratio(interval.upper))
      : std::isinf(interval.upper)
          ? fmt::format("above {}", format_ratio(interval.lower))
          : fmt::format("{} to {}", format_ratio(interval.lower), format_ratio(interval.upper));
  return fmt::format("{} interval {}", percent(interval.confidence), range);
}

// "Pulsar/Kafka 1.12, 98.3 % interval 1.05 to 1.18, 10 blocks"
std::string numbers_of(const LevelInference& level) {
  const auto& interval = level.simultaneous ? level.simultaneous : level.plain;
  return fmt::format("{}/{} {}{}, {} block{}", level.second, level.first,
                     format_ratio(level.log_ratio),
                     interval ? ", " + interval_text(*interval) : std::string(),
                     level.ratios.size(), level.ratios.size() == 1 ? "" : "s");
}

std::string falls_of(const LevelInference& level) {
  std::string text;
  const auto add = [&](const std::string& platform, std::size_t falls) {
    if (falls == 0) return;
    text += fmt::format(" {} fell over in {} of {} blocks, which rank as its worst.", platform,
                        falls, level.ratios.size());
  };
  add(level.first, level.first_fell_over);
  add(level.second, level.second_fell_over);
  if (level.both_fell_over > 0) {
    text += fmt::format(" Both did in {}: a tie.", level.both_fell_over);
  }
  return text;
}

std::string lower_by(const LevelInference& level) {
  const double nearest = level.simultaneous->nearest_zero();
  const auto& platform = lower_platform(nearest, level);
  if (std::isinf(nearest)) return fmt::format("{} lower {}", platform, level.metric);
  return fmt::format("{} lower {} by at least {}", platform, level.metric,
                     format_share_lower(nearest));
}

std::string more_blocks(const LevelInference& level) {
  if (!level.blocks_needed) return {};
  const std::size_t more = *level.blocks_needed - level.ratios.size();
  return fmt::format("need about {} more block{} ({} in all)", more, more == 1 ? "" : "s",
                     *level.blocks_needed);
}

std::string with_more_blocks(std::string text, const LevelInference& level) {
  const std::string more = more_blocks(level);
  return more.empty() ? text : text + "; " + more;
}

std::string inconclusive_words(const LevelInference& level) {
  switch (level.doubt) {
    case Doubt::disagreement:
      return with_more_blocks("inconclusive: the three tests disagree", level);
    case Doubt::noise_floor:
      return with_more_blocks("inconclusive: not above the noise floor", level);
    case Doubt::fell_over:
      return "inconclusive: near each other, but not both stood";
    default: {
      const std::string more = more_blocks(level);
      return more.empty() ? "inconclusive" : "inconclusive: " + more;
    }
  }
}

std::string p_text(double p) { return p < 0.001 ? "below 0.001" : fmt::format("{:.3f}", p); }

std::string disagreement_of(const LevelInference& level) {
  return fmt::format(
      "the tests disagree (adjusted p: signed-rank {}, sign-flip {}{})",
      p_text(level.p_holm.signed_rank), p_text(level.p_holm.sign_flip),
      level.p_holm.paired_t ? ", paired t " + p_text(*level.p_holm.paired_t) : std::string());
}

// What stands after "At level L, ".
std::string claim_of(const LevelInference& level, const InferenceInput& input) {
  const double nearest = level.simultaneous ? level.simultaneous->nearest_zero() : 0;
  const auto& platform = lower_platform(nearest, level);
  const std::string by = format_share_lower(nearest);
  switch (level.verdict) {
    case Verdict::lower:
      return std::isinf(nearest)
                 ? fmt::format("{} has the lower {}, by more than any ratio can say", platform,
                               level.metric)
                 : fmt::format("{} has the lower {}, by at least {}", platform, level.metric, by);
    case Verdict::different:
      return level.doubt == Doubt::floor_unknown
                 ? fmt::format(
                       "{} has the lower {}; by how much is not said, since without A/A "
                       "pairs the noise floor is unknown",
                       platform, level.metric)
                 : fmt::format(
                       "{} has the lower {}, by at least {}: different, maybe too small to "
                       "matter",
                       platform, level.metric, by);
    case Verdict::different_but_equivalent:
      return fmt::format(
          "the {} is different but practically equivalent: {} is lower by at least "
          "{}, and all of the interval lies within a factor of {}",
          level.metric, platform, by, format_ratio(std::log1p(input.margin)));
    case Verdict::equivalent:
      return fmt::format("the {} of {} and {} is practically equivalent: {}, within a factor of {}",
                         level.metric, level.first, level.second, interval_text(*level.ninety),
                         format_ratio(std::log1p(input.margin)));
    case Verdict::inconclusive:
    case Verdict::estimate:
      break;
  }
  return {};
}

std::string doubt_of(const LevelInference& level, const InferenceInput& input) {
  switch (level.doubt) {
    case Doubt::disagreement:
      return disagreement_of(level);
    case Doubt::noise_floor:
      return fmt::format(
          "the difference is no larger than the factor of {} that a platform shows "
          "against itself",
          format_ratio(*level.noise_floor));
    case Doubt::fell_over:
      return fmt::format(
          "the interval lies within a factor of {}, but a platform that fell over is "
          "not equivalent to one that did not, nor to itself",
          format_ratio(std::log1p(input.margin)));
    default:
      return "the interval holds 1 and is too long for practical equivalence";
  }
}

std::string cannot_tell(const LevelInference& level, const InferenceInput& input) {
  return fmt::format("At level {}, Flow cannot tell whether {} or {} has the lower {}: {}",
                     level.level, level.first, level.second, level.metric,
                     with_more_blocks(doubt_of(level, input), level));
}

// Why an estimate is no verdict.
std::string too_few_blocks(const LevelInference& level) {
  const std::size_t count = level.ratios.size();
  std::string text = fmt::format("{} block{}, and fewer than {} decide nothing", count,
                                 count == 1 ? " counts" : "s count", level.blocks_min);
  if (!level.incomplete.empty()) {
    text += fmt::format("; no valid pair in block{} {}", level.incomplete.size() == 1 ? "" : "s",
                        fmt::join(level.incomplete, ", "));
  }
  if (level.blocks_needed && *level.blocks_needed > level.blocks_min) {
    text +=
        fmt::format("; a difference as large as the margin takes about {}", *level.blocks_needed);
  }
  return text;
}

}  // namespace

std::string format_share_lower(double log_ratio) {
  const double lower = 100 * -std::expm1(-std::abs(log_ratio));
  // A hair of tolerance, so that a ratio of exactly 1 / 0.9 is 10 % and not 9 %.
  if (lower >= 1) return fmt::format("{:.0f} %", std::floor(lower + 1e-9));
  return fmt::format("{:.1f} %", std::floor(10 * lower + 1e-9) / 10);
}

std::string format_ratio(double log_ratio) {
  const double ratio = std::exp(log_ratio);
  if (std::isnan(ratio)) return "unknown";
  if (std::isinf(ratio)) return "unbounded";
  if (ratio < 0.1) return fmt::format("{:.2g}", ratio);
  if (ratio < 9.995) return fmt::format("{:.2f}", ratio);
  return ratio < 99.95 ? fmt::format("{:.1f}", ratio) : fmt::format("{:.0f}", ratio);
}

std::string words_of(const LevelInference& level) {
  switch (level.verdict) {
    case Verdict::lower:
      return lower_by(level);
    case Verdict::different:
      return level.doubt == Doubt::floor_unknown ? "different; the noise floor is unknown"
                                                 : "different, maybe too small to matter";
    case Verdict::different_but_equivalent:
      return "different but practically equivalent";
    case Verdict::equivalent:
      return "practically equivalent";
    case Verdict::inconclusive:
      return inconclusive_words(level);
    case Verdict::estimate:
      return fmt::format("ESTIMATE, no verdict: {} of at least {} blocks", level.ratios.size(),
                         level.blocks_min);
  }
  return {};
}

std::string sentence_of(const LevelInference& level, const InferenceInput& input) {
  const std::string numbers = numbers_of(level), falls = falls_of(level);
  if (level.verdict == Verdict::inconclusive) {
    return fmt::format("{} ({}).{}", cannot_tell(level, input), numbers, falls);
  }
  if (level.verdict == Verdict::estimate) {
    return fmt::format("ESTIMATE: at level {}, no verdict on the {} of {} and {}: {} ({}).{}",
                       level.level, level.metric, level.first, level.second, too_few_blocks(level),
                       numbers, falls);
  }
  return fmt::format("At level {}, {} ({}).{}", level.level, claim_of(level, input), numbers,
                     falls);
}

std::string sentence_of(const SecondaryInference& secondary, const LevelInference& level) {
  const std::string numbers = fmt::format(
      "{}/{} {}{}, {} block{}", level.second, level.first, format_ratio(secondary.log_ratio),
      secondary.interval ? ", " + interval_text(*secondary.interval) : std::string(),
      secondary.blocks, secondary.blocks == 1 ? "" : "s");
  if (!secondary.is_interpreted) {
    return fmt::format("Exploratory, not interpreted: at level {} the {} ({}).", level.level,
                       secondary.metric, numbers);
  }
  if (!secondary.is_different) {
    return fmt::format("Exploratory: at level {} no difference of the {} is shown ({}).",
                       level.level, secondary.metric, numbers);
  }
  return fmt::format("Exploratory: at level {} {} has the lower {} ({}).", level.level,
                     lower_platform(secondary.log_ratio, level), secondary.metric, numbers);
}

}  // namespace flow::lab

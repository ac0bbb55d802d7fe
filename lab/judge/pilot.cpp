// SPDX-License-Identifier: Apache-2.0
#include "lab/judge/pilot.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "lab/result/lenient_json.hpp"
#include "measure/planning.hpp"

namespace flow::lab {
namespace {

std::string blocks_words(std::optional<std::size_t> blocks) {
  return blocks ? std::to_string(*blocks) : "more than 10,000";
}

std::string sentence_of(const PilotFinding& finding, double margin) {
  const std::string head = fmt::format("At level {}, {} A/A pairs", finding.level, finding.pairs);
  if (!finding.sd) return head + ": too few for a spread, so nothing is said of blocks.";
  return fmt::format(
      "{}: the {} of two equal trials differs by a factor with a standard deviation of {:.1f} %. "
      "About {} blocks find a difference of {:.0f} % four times in five; if the pilot was lucky, "
      "up "
      "to {}.",
      head, finding.metric, 100 * std::expm1(*finding.sd), blocks_words(finding.blocks),
      100 * margin, blocks_words(finding.blocks_max));
}

PilotFinding learn(const PilotLevel& level, double margin, std::size_t primaries, double alpha) {
  PilotFinding finding;
  finding.level = level.level;
  finding.metric = level.metric;
  std::vector<double> log_ratios;
  for (const auto& pair : level.same) {
    const double ratio = std::log(pair.second) - std::log(pair.first);
    if (std::isfinite(ratio)) log_ratios.push_back(ratio);
  }
  finding.pairs = log_ratios.size();
  if (log_ratios.size() >= 2) {
    const auto spread = measure::spread_about_zero(log_ratios);
    finding.sd = spread.sd;
    const double share = alpha / static_cast<double>(std::max<std::size_t>(primaries, 1));
    const std::size_t least = measure::blocks_to_decide(primaries, alpha);
    const auto needed = [&](double sd) {
      auto blocks = measure::blocks_to_detect(std::log1p(margin), sd, share);
      if (blocks) blocks = std::max(*blocks, least);
      return blocks;
    };
    finding.blocks = needed(spread.sd);
    finding.blocks_max = needed(spread.sd_max);
  }
  finding.sentence = sentence_of(finding, margin);
  return finding;
}

}  // namespace

std::vector<PilotFinding> learn_from_pilot(const std::vector<PilotLevel>& levels, double margin,
                                           std::size_t primaries, double alpha) {
  std::vector<PilotFinding> findings;
  for (const auto& level : levels) findings.push_back(learn(level, margin, primaries, alpha));
  return findings;
}

base::json::object describe(const PilotFinding& finding) {
  return {{"level", finding.level},
          {"metric", finding.metric},
          {"pairs", finding.pairs},
          {"sd_log_ratio", or_null(finding.sd)},
          {"blocks", or_null(finding.blocks)},
          {"blocks_max", or_null(finding.blocks_max)},
          {"sentence", finding.sentence}};
}

}  // namespace flow::lab

// From the blocks of an experiment to a verdict per level, or to "cannot tell". The block is the
// unit: each gives one log ratio of the two platforms' primary metric, and only ratios of different
// blocks are independent. docs/concepts/statistics.md says why, and what the verdicts mean.
//
// Order of judgement: the simultaneous interval says whether the platforms differ; the exact
// signed-rank test, the sign-flip test of the mean and the paired t test must agree with it; a
// difference counts as large only beyond the margin and beyond what a platform shows against
// itself; a platform that fell over is never called equivalent.
// Thread: any; pure.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "measure/hodges_lehmann.hpp"

namespace flow::lab {

// What two trials of one block measured; lower is better. Infinity: the platform fell over, an
// outcome. NaN, 0 or below: there is no valid value, and the block is left out and listed.
struct BlockPair {
  std::uint32_t block = 0;
  double first = std::numeric_limits<double>::quiet_NaN();
  double second = std::numeric_limits<double>::quiet_NaN();
};

struct MetricBlocks {
  std::string metric;  // As it stands in a sentence: "p99 of publish response".
  std::vector<BlockPair> blocks;
};

struct LevelBlocks {
  std::string level;
  std::string first = {};  // What is compared here; empty: as in the whole input.
  std::string second = {};
  MetricBlocks primary;
  std::vector<MetricBlocks> secondaries;
  // A/A: the primary metric of the same cell, run twice in a block. A level with fewer than four
  // such pairs takes the noise floor of the level that has most, in proportion to their noise.
  std::vector<BlockPair> same;
};

struct InferenceInput {
  std::string first = "Kafka";
  std::string second = "Pulsar";
  double margin = 0.10;  // Ratios from 1 / 1.10 to 1.10 are too near 1 to matter. Above 0.
  double alpha = 0.05;   // Chance of any false difference among all primaries.
  double discoveries =
      0.10;  // Expected share of false ones among the secondaries called different.
  std::size_t primaries = 0;  // Of the plan; at least the number of levels counts.
  std::vector<LevelBlocks> levels;
};

enum class Verdict : std::uint8_t {
  lower,                     // One platform by more than the margin.
  different,                 // But maybe too small to matter.
  different_but_equivalent,  // The interval excludes 1 and lies within the margin.
  equivalent,
  inconclusive,
  estimate,  // Too few blocks for any verdict.
};
std::string_view name_of(Verdict verdict);
bool is_decided(Verdict verdict);  // All but the last two.

// Why a verdict is no clearer.
enum class Doubt : std::uint8_t {
  none,
  blocks,         // More would tell.
  disagreement,   // Of the three tests.
  noise_floor,    // No larger than what a platform shows against itself.
  floor_unknown,  // Fewer than four A/A pairs anywhere.
  fell_over,      // Near equivalence, but a platform fell over.
};
std::string_view name_of(Doubt doubt);

// Two-sided p values.
struct TestResults {
  double signed_rank = 1;
  double sign_flip = 1;
  std::optional<double> paired_t;  // None for fewer than two blocks and where a platform fell over.
};

struct BlockRatio {
  std::uint32_t block = 0;
  double log_ratio = 0;  // second / first; infinite when one fell over, 0 when both did.
  bool first_fell_over = false;
  bool second_fell_over = false;
};

// Log ratios are those of second / first.
struct SecondaryInference {
  std::string metric;
  std::size_t blocks = 0;
  double log_ratio = 0;
  std::optional<measure::Interval> interval;  // 95 %, by itself.
  double p = 1;
  double p_adjusted = 1;      // Benjamini-Hochberg over the secondaries of all levels.
  bool is_different = false;  // p_adjusted within `discoveries`.
  bool is_interpreted =
      false;  // The level's primary is decided; otherwise the number stands alone.
  std::string sentence;
};

struct LevelInference {
  std::string level;
  std::string first;
  std::string second;
  std::string metric;
  std::vector<BlockRatio> ratios;         // Of the blocks that count.
  std::vector<std::uint32_t> incomplete;  // Blocks that do not.
  std::size_t first_fell_over = 0;        // Blocks; those where both did count in both.
  std::size_t second_fell_over = 0;
  std::size_t both_fell_over = 0;

  double log_ratio = 0;  // Hodges-Lehmann; NaN for no block.
  std::optional<measure::Interval> simultaneous;
  std::optional<measure::Interval> plain;   // 95 %
  std::optional<measure::Interval> ninety;  // Two one-sided tests at 5 %.
  TestResults p;
  TestResults p_holm;
  bool tests_agree = false;
  std::optional<double> sd;           // Of the log ratios; none where a platform fell over.
  std::size_t same_pairs = 0;         // A/A.
  std::optional<double> noise_floor;  // Of |log ratio|.
  std::string floor_level;            // Whose A/A pairs it comes from; empty when unknown.
  std::optional<double> same_p;       // Signed-rank test of the A/A pairs: small is suspicious.

  Verdict verdict = Verdict::estimate;
  Doubt doubt = Doubt::none;
  std::size_t blocks_min = 0;  // Fewer give no verdict.
  std::optional<std::size_t>
      blocks_needed;     // In all, about; where more would help and sd is known.
  std::string words;     // The verdict in a table.
  std::string sentence;  // The verdict to be quoted.
  std::vector<SecondaryInference> secondaries;
};

// In the order of the levels.
std::vector<LevelInference> infer(const InferenceInput& input);

}  // namespace flow::lab

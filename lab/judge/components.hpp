// Where the noise of a level comes from, and so where the next hour is best spent: on more blocks
// or on longer trials. The primary metric's logarithm varies from block to block in the same way on
// both platforms (which a ratio within a block does not see), from one trial to the next of the
// same cell and seed (the A/A pairs), and in whatever is left of the ratio's variance.
// Source of the rule: Kalibera and Jones, Rigorous benchmarking in reasonable time, ISMM 2013
// (measure/variance_components.hpp).
// Thread: any; pure.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/json.hpp"
#include "lab/judge/analysis.hpp"

namespace flow::lab {

inline constexpr std::size_t pairs_for_components = 4;

// Variances of natural logarithms. Estimates: but for run_to_run they may come out below 0, and
// then that part does not show.
struct Components {
  std::size_t blocks = 0;                // With a finite value on both platforms.
  std::size_t same_pairs = 0;            // A/A, finite.
  std::optional<double> of_log_ratio;    // Within a block: what the interval is made from.
  std::optional<double> between_blocks;  // Common to both platforms.
  std::optional<double> run_to_run;      // Of one trial.
  std::optional<double> left;            // of_log_ratio less that of two trials.

  std::size_t trials_per_block = 0;  // Rounded up.
  double trial_seconds = 0;          // Median, from start to end; 0 when not known.
  double measured_seconds = 0;       // Of them.

  // Longer trials can at most take away what differs between trials of the same cell and seed. As
  // if all of that came from within a trial: how many times as long a trial would best be (1: as
  // now; nullopt: as long as time allows), and how much more an hour would then tell.
  std::optional<std::size_t> longer_at_most;
  double gain_at_most = 1;

  bool is_known() const { return left && trial_seconds > 0 && measured_seconds > 0; }
  bool is_for_blocks() const { return gain_at_most < 1.1; }
};

// Trials count as in the verdict, but those that fell over have no place in a variance.
Components components_of(std::span<const BlockTrials> blocks, std::string_view primary);

std::string sentence_of(const Components& components);

base::json::object describe(const Components& components);

}  // namespace flow::lab

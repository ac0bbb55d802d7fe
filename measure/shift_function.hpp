// Where two systems differ: the log ratio of their quantiles, quantile by quantile, each estimated
// over the blocks, with a band that holds all true ratios at once. When parts of it lie on both
// sides of 0 the curves cross, and no single number says which system is faster.
// Source of the idea: Doksum, Empirical probability plots and statistical inference for nonlinear
// models in the two-sample case, Ann. Statist. 2, 1974; here over blocks, so that run-to-run noise
// is in it.
// Thread: any; pure functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <optional>
#include <span>
#include <vector>

#include "measure/hodges_lehmann.hpp"

namespace flow::measure {

inline constexpr std::array shift_quantiles = {0.1, 0.2, 0.3, 0.4,  0.5,  0.6,
                                               0.7, 0.8, 0.9, 0.95, 0.99, 0.999};

struct QuantileDifferences {
  double q = 0;
  std::vector<double> log_ratios;  // One per block; may be infinite, not NaN (FLOW_CHECK).
};

struct ShiftPoint {
  double q = 0;
  double log_ratio = 0;  // Hodges-Lehmann; NaN for no block.
  // Of the simultaneous band: 1 - alpha / number of quantiles (Bonferroni). nullopt where the
  // blocks are too few for it: 9 are needed for the twelve quantiles above.
  std::optional<Interval> band;
  double p = 1;       // Signed-rank.
  double p_holm = 1;  // Over the quantiles.
};

std::vector<ShiftPoint> shift_function(std::span<const QuantileDifferences> quantiles,
                                       double alpha = 0.05);

// Whether the band is above 0 at one quantile and below at another.
bool is_crossing(std::span<const ShiftPoint> shift);

}  // namespace flow::measure

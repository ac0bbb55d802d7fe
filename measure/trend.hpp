// The slope of a series that outliers do not move: Theil-Sen, the median of the slopes of all
// pairs, with Sen's interval from Kendall's statistic. Source: Sen, Estimates of the regression
// coefficient based on Kendall's tau, JASA 63, 1968.
// Thread: any; pure functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "measure/hodges_lehmann.hpp"

namespace flow::measure {

inline constexpr std::size_t trend_points_max = 2'000;

struct Trend {
  double slope = 0;   // Units of y per unit of x.
  Interval interval;  // Normal approximation, its coverage therefore what was asked for.
};

// x and y of equal length (FLOW_CHECK) and finite. Pairs with equal x have no slope. More points
// than trend_points_max are averaged in groups of neighbours first, O(n^2). `variance_inflation`:
// how much more a mean of the values varies than it would were they independent,
// long_run_variance() over variance; below 1 it counts as 1. nullopt for fewer than 3 points or no
// slope.
std::optional<Trend> theil_sen(std::span<const double> x, std::span<const double> y,
                               double confidence = 0.95, double variance_inflation = 1);

}  // namespace flow::measure

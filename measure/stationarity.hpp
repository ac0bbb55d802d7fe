// Whether a series has settled: the KPSS test of a constant level, and MSER-5, which says how much
// of the beginning to leave out. The raw series of a bursty run moves by design; these are for a
// constant rate, or for what is left when the load is taken out (class_residuals.hpp).
// Sources: Kwiatkowski, Phillips, Schmidt, Shin, J. Econometrics 54, 1992; White, Cobb, Spratt,
// A comparison of five steady-state truncation heuristics for simulation, WSC 2000.
// Thread: any; pure functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <span>

namespace flow::measure {

// The level is not constant at 5 % or 1 % when the statistic is above this (10 %: 0.347).
inline constexpr double kpss_critical_5_percent = 0.463;
inline constexpr double kpss_critical_1_percent = 0.739;

std::size_t kpss_lags(std::size_t n);  // floor(4 (n / 100)^(1/4))

// The variance of the series' mean times n, from `lags` autocovariances with Bartlett's weights;
// with 0 lags the variance (n in the denominator).
double long_run_variance(std::span<const double> values, std::size_t lags);

// nullopt for fewer than 10 values. 0 for a series that does not vary at all.
std::optional<double> kpss_level(std::span<const double> values, std::size_t lags);

struct Truncation {
  std::size_t values = 0;   // To leave out at the beginning; a multiple of 5.
  bool is_settled = false;  // No more than half of the batches would go.
};
// Batches of 5 (values beyond the last whole one are not used); at least 5 batches are kept.
// nullopt for fewer than 6 batches.
std::optional<Truncation> mser5(std::span<const double> values);

}  // namespace flow::measure

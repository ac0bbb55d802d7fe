// SPDX-License-Identifier: Apache-2.0
#include "measure/noise_floor.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "base/check.hpp"
#include "base/random.hpp"
#include "measure/distributions.hpp"
#include "measure/histogram.hpp"
#include "measure/hodges_lehmann.hpp"

namespace flow::measure {
namespace {

constexpr std::size_t exact_pairs_max = 12;

// |Hodges-Lehmann| of the pairs, those with a set bit turned round. Between infinities of both
// signs there is no middle: nothing is said, and nothing counted.
double flipped_estimate(std::span<const double> pairs, auto&& is_flipped) {
  std::vector<double> flipped(pairs.begin(), pairs.end());
  for (std::size_t i = 0; i < flipped.size(); ++i) {
    if (is_flipped(i)) flipped[i] = -flipped[i];
  }
  const double estimate = hodges_lehmann(flipped);
  return std::isnan(estimate) ? 0 : std::abs(estimate);
}

std::size_t draws_for(std::size_t pairs) {
  const std::size_t averages = pairs * (pairs + 1) / 2;
  return std::clamp<std::size_t>(5'000'000 / averages, 200, 2'000);
}

double widening(double quantile, std::size_t pairs) {
  const double p = 1 - (1 - quantile) / 2;
  return student_quantile(p, static_cast<double>(pairs - 1)) / normal_quantile(p);
}

}  // namespace

std::optional<double> noise_floor(std::span<const double> log_ratios, double quantile) {
  FLOW_CHECK(quantile > 0 && quantile < 1);
  if (log_ratios.size() < noise_floor_pairs_min) return std::nullopt;
  std::vector<double> estimates;
  if (log_ratios.size() <= exact_pairs_max) {
    // The first pair keeps its sign: turning all of them round changes no size.
    const std::uint64_t patterns = std::uint64_t{1} << (log_ratios.size() - 1);
    for (std::uint64_t pattern = 0; pattern < patterns; ++pattern) {
      estimates.push_back(flipped_estimate(
          log_ratios, [&](std::size_t i) { return i > 0 && (pattern >> (i - 1) & 1) != 0; }));
    }
  } else {
    base::SplitMix64 coins(0xAA);
    for (std::size_t draw = 0; draw < draws_for(log_ratios.size()); ++draw) {
      estimates.push_back(
          flipped_estimate(log_ratios, [&](std::size_t) { return (coins.next() >> 63) != 0; }));
    }
  }
  std::ranges::sort(estimates);
  return estimates[rank_of(quantile, estimates.size()) - 1] * widening(quantile, log_ratios.size());
}

}  // namespace flow::measure

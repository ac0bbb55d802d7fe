// SPDX-License-Identifier: Apache-2.0
#include "measure/shift_function.hpp"

#include <algorithm>

#include "measure/multiplicity.hpp"
#include "measure/signed_rank.hpp"

namespace flow::measure {

std::vector<ShiftPoint> shift_function(std::span<const QuantileDifferences> quantiles,
                                       double alpha) {
  const double confidence = 1 - alpha / static_cast<double>(quantiles.size());
  std::vector<ShiftPoint> shift;
  std::vector<double> p;
  for (const auto& [q, log_ratios] : quantiles) {
    const WalshAverages averages(log_ratios);
    p.push_back(signed_rank_test(log_ratios).p);
    shift.push_back({.q = q,
                     .log_ratio = averages.estimate(),
                     .band = averages.interval(confidence),
                     .p = p.back()});
  }
  const auto adjusted = holm(p);
  for (std::size_t i = 0; i < shift.size(); ++i) shift[i].p_holm = adjusted[i];
  return shift;
}

bool is_crossing(std::span<const ShiftPoint> shift) {
  const auto any = [&](auto&& is_on_side) {
    return std::ranges::any_of(
        shift, [&](const ShiftPoint& point) { return point.band && is_on_side(*point.band); });
  };
  return any([](const Interval& band) { return band.lower > 0; }) &&
         any([](const Interval& band) { return band.upper < 0; });
}

}  // namespace flow::measure

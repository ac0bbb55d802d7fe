// SPDX-License-Identifier: Apache-2.0
#include "measure/mid_ranks.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/check.hpp"

namespace flow::measure {
namespace {

bool are_equal(double below, double above) {
  if (below == above) return true;
  if (std::isinf(below) || std::isinf(above)) return false;
  return above - below <= 1e-12 * std::max(std::abs(below), std::abs(above));
}

}  // namespace

std::vector<std::uint64_t> doubled_mid_ranks(std::span<const double> values) {
  for (const double value : values) FLOW_CHECK(!std::isnan(value));
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, {}, [&](std::size_t i) { return values[i]; });
  std::vector<std::uint64_t> ranks(values.size());
  for (std::size_t first = 0; first < order.size();) {
    std::size_t last = first;
    while (last + 1 < order.size() && are_equal(values[order[last]], values[order[last + 1]])) {
      ++last;
    }
    for (std::size_t i = first; i <= last; ++i) ranks[order[i]] = (first + 1) + (last + 1);
    first = last + 1;
  }
  return ranks;
}

}  // namespace flow::measure

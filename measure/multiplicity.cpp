// SPDX-License-Identifier: Apache-2.0
#include "measure/multiplicity.hpp"

#include <algorithm>
#include <numeric>

#include "base/check.hpp"

namespace flow::measure {
namespace {

std::vector<std::size_t> ascending_order(std::span<const double> p) {
  std::vector<std::size_t> order(p.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, {}, [&](std::size_t i) { return p[i]; });
  return order;
}

}  // namespace

std::vector<double> holm(std::span<const double> p, std::size_t tests) {
  FLOW_CHECK(tests >= p.size());
  std::vector<double> adjusted(p.size());
  double largest = 0;
  std::size_t step = 0;
  for (const std::size_t i : ascending_order(p)) {
    largest = std::max(largest, std::min(1.0, static_cast<double>(tests - step++) * p[i]));
    adjusted[i] = largest;
  }
  return adjusted;
}

std::vector<double> holm(std::span<const double> p) { return holm(p, p.size()); }

std::vector<double> benjamini_hochberg(std::span<const double> p) {
  std::vector<double> adjusted(p.size());
  const auto order = ascending_order(p);
  double smallest = 1;
  for (std::size_t rank = order.size(); rank > 0; --rank) {
    const std::size_t i = order[rank - 1];
    const double scaled = static_cast<double>(p.size()) * p[i] / static_cast<double>(rank);
    smallest = std::min(smallest, scaled);
    adjusted[i] = smallest;
  }
  return adjusted;
}

}  // namespace flow::measure

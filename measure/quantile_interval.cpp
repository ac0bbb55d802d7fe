// SPDX-License-Identifier: Apache-2.0
#include "measure/quantile_interval.hpp"

#include <cmath>

#include "base/check.hpp"
#include "measure/distributions.hpp"

namespace flow::measure {
namespace {

// How many of 1 .. n, in a row from 1, satisfy `holds`.
std::uint64_t count_leading(std::uint64_t n, auto&& holds) {
  std::uint64_t known = 0, beyond = n + 1;
  while (beyond - known > 1) {
    const std::uint64_t middle = known + (beyond - known) / 2;
    (holds(middle) ? known : beyond) = middle;
  }
  return known;
}

}  // namespace

RankInterval quantile_ranks(std::uint64_t n, double q, double confidence) {
  FLOW_CHECK(q > 0 && q < 1 && confidence > 0 && confidence < 1);
  const double tail = (1 - confidence) / 2;
  const auto lower = count_leading(
      n, [&](std::uint64_t rank) { return binomial_at_most(rank - 1, n, q) <= tail; });
  const auto too_low =
      count_leading(n, [&](std::uint64_t rank) { return binomial_at_least(rank, n, q) > tail; });
  RankInterval ranks;
  if (lower >= 1) ranks.lower = lower;
  if (too_low < n) ranks.upper = too_low + 1;
  return ranks;
}

std::uint64_t values_for_upper_bound(double q, double confidence) {
  FLOW_CHECK(q > 0 && q < 1 && confidence > 0 && confidence < 1);
  return static_cast<std::uint64_t>(std::ceil(std::log1p(-confidence) / std::log(q)));
}

}  // namespace flow::measure

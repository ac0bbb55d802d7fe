// SPDX-License-Identifier: Apache-2.0
#include "measure/mann_whitney.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <vector>

#include "base/check.hpp"
#include "measure/distributions.hpp"
#include "measure/mid_ranks.hpp"

namespace flow::measure {
namespace {

constexpr std::size_t exact_max = 40;

// P(the doubled rank sum of `chosen` values drawn without replacement lies at least as far from its
// mean as `sum` does).
double exact_p(std::span<const std::uint64_t> ranks, std::size_t chosen, std::uint64_t sum) {
  const std::uint64_t total = std::accumulate(ranks.begin(), ranks.end(), std::uint64_t{0});
  // ways[c][s]: subsets of c values with the sum s.
  std::vector<std::vector<double>> ways(chosen + 1, std::vector<double>(total + 1, 0.0));
  ways[0][0] = 1;
  for (const std::uint64_t rank : ranks) {
    for (std::size_t c = chosen; c > 0; --c) {
      for (std::uint64_t s = total; s >= rank; --s) ways[c][s] += ways[c - 1][s - rank];
    }
  }
  const auto n = static_cast<double>(ranks.size());
  const double mean = static_cast<double>(total) * static_cast<double>(chosen) / n;
  const double distance = std::abs(static_cast<double>(sum) - mean) - 1e-9;
  double far = 0, all = 0;
  for (std::uint64_t s = 0; s <= total; ++s) {
    all += ways[chosen][s];
    if (std::abs(static_cast<double>(s) - mean) >= distance) far += ways[chosen][s];
  }
  return far / all;
}

double normal_p(std::span<const std::uint64_t> ranks, double n1, double n2, double u) {
  std::vector<std::uint64_t> sorted(ranks.begin(), ranks.end());
  std::ranges::sort(sorted);
  double ties = 0;
  for (auto first = sorted.begin(); first != sorted.end();) {
    const auto last = std::upper_bound(first, sorted.end(), *first);
    const auto equal = static_cast<double>(last - first);
    ties += equal * equal * equal - equal;
    first = last;
  }
  const double n = n1 + n2;
  const double variance = n1 * n2 / 12 * ((n + 1) - ties / (n * (n - 1)));
  if (variance <= 0) return 1;
  const double distance = std::max(0.0, std::abs(u - n1 * n2 / 2) - 0.5);
  return std::min(1.0, 2 * normal_upper_tail(distance / std::sqrt(variance)));
}

}  // namespace

MannWhitney mann_whitney_test(std::span<const double> first, std::span<const double> second) {
  if (first.empty() || second.empty()) return {};
  std::vector<double> all(first.begin(), first.end());
  all.insert(all.end(), second.begin(), second.end());
  for (const double value : all) FLOW_CHECK(std::isfinite(value));
  const auto ranks = doubled_mid_ranks(all);
  const auto from = ranks.begin() + static_cast<std::ptrdiff_t>(first.size());
  const std::uint64_t sum = std::accumulate(from, ranks.end(), std::uint64_t{0});
  const auto n1 = static_cast<double>(first.size()), n2 = static_cast<double>(second.size());
  MannWhitney test;
  test.u = static_cast<double>(sum) / 2 - n2 * (n2 + 1) / 2;
  test.superiority = test.u / (n1 * n2);
  test.is_exact = all.size() <= exact_max;
  test.p = test.is_exact ? exact_p(ranks, second.size(), sum) : normal_p(ranks, n1, n2, test.u);
  return test;
}

double shift_between(std::span<const double> first, std::span<const double> second) {
  FLOW_CHECK(!first.empty() && !second.empty());
  std::vector<double> shifts;
  shifts.reserve(first.size() * second.size());
  for (const double a : first) {
    for (const double b : second) shifts.push_back(b - a);
  }
  std::ranges::sort(shifts);
  const std::size_t middle = shifts.size() / 2;
  return shifts.size() % 2 == 1 ? shifts[middle] : (shifts[middle - 1] + shifts[middle]) / 2;
}

}  // namespace flow::measure

// SPDX-License-Identifier: Apache-2.0
#include "measure/signed_rank.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>

#include "measure/mid_ranks.hpp"

namespace flow::measure {
namespace {

// P(S = s) for s = 0 .. sum, where S adds each of `ranks` with probability 1/2.
std::vector<double> half_sums(std::span<const std::uint64_t> ranks) {
  std::vector<double> probability = {1.0};
  for (const std::uint64_t rank : ranks) {
    std::vector<double> next(probability.size() + rank, 0.0);
    for (std::size_t sum = 0; sum < probability.size(); ++sum) {
      next[sum] += 0.5 * probability[sum];
      next[sum + rank] += 0.5 * probability[sum];
    }
    probability = std::move(next);
  }
  return probability;
}

}  // namespace

SignedRank signed_rank_test(std::span<const double> differences) {
  std::vector<double> sizes(differences.size());
  std::ranges::transform(differences, sizes.begin(), [](double d) { return std::abs(d); });
  const auto ranks = doubled_mid_ranks(sizes);
  SignedRank test;
  std::uint64_t positive = 0, negative = 0;
  std::vector<std::uint64_t> signed_ranks;
  for (std::size_t i = 0; i < ranks.size(); ++i) {
    if (differences[i] == 0) {
      ++test.zeros;
      continue;
    }
    (differences[i] > 0 ? positive : negative) += ranks[i];
    signed_ranks.push_back(ranks[i]);
  }
  const auto probability = half_sums(signed_ranks);
  const auto end = static_cast<std::ptrdiff_t>(std::min(positive, negative)) + 1;
  const double tail = std::accumulate(probability.begin(), probability.begin() + end, 0.0);
  test.positive = static_cast<double>(positive) / 2;
  test.negative = static_cast<double>(negative) / 2;
  test.p = std::min(1.0, 2 * tail);
  return test;
}

std::vector<double> signed_rank_distribution(std::size_t k) {
  std::vector<std::uint64_t> ranks(k);
  std::iota(ranks.begin(), ranks.end(), std::uint64_t{1});
  return half_sums(ranks);
}

WalshRank walsh_rank(std::size_t k, double alpha) {
  WalshRank found;
  double tail = 0;
  for (const double probability : signed_rank_distribution(k)) {
    tail += probability;
    // The sums of powers of two are exact; alpha often is not (0.05 / 3).
    if (2 * tail > alpha * (1 + 1e-12)) break;
    ++found.rank;
    found.coverage = 1 - 2 * tail;
  }
  return found;
}

}  // namespace flow::measure

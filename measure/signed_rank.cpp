// SPDX-License-Identifier: Apache-2.0
#include "measure/signed_rank.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <utility>

#include "measure/mid_ranks.hpp"

namespace flow::measure {
namespace {

// P(S = s) for s = 0 .. limit, where S adds each of `ranks` with probability 1/2.
std::vector<double> half_sums(std::span<const std::uint64_t> ranks, std::uint64_t limit) {
  std::vector<double> probability(limit + 1, 0.0), next(limit + 1);
  probability[0] = 1;
  std::uint64_t reached = 0;  // Larger sums have no probability yet.
  for (const std::uint64_t rank : ranks) {
    reached = std::min(limit, reached + rank);
    const std::uint64_t alone = std::min(rank, reached + 1);
    for (std::uint64_t sum = 0; sum < alone; ++sum) next[sum] = 0.5 * probability[sum];
    for (std::uint64_t sum = rank; sum <= reached; ++sum) {
      next[sum] = 0.5 * (probability[sum] + probability[sum - rank]);
    }
    std::swap(probability, next);
  }
  return probability;
}

std::vector<std::uint64_t> first_ranks(std::size_t k) {
  std::vector<std::uint64_t> ranks(k);
  std::iota(ranks.begin(), ranks.end(), std::uint64_t{1});
  return ranks;
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
  const auto probability = half_sums(signed_ranks, std::min(positive, negative));
  const double tail = std::accumulate(probability.begin(), probability.end(), 0.0);
  test.positive = static_cast<double>(positive) / 2;
  test.negative = static_cast<double>(negative) / 2;
  test.p = std::min(1.0, 2 * tail);
  return test;
}

std::vector<double> signed_rank_distribution(std::size_t k) {
  return half_sums(first_ranks(k), k * (k + 1) / 2);
}

WalshRank walsh_rank(std::size_t k, double alpha) {
  WalshRank found;
  double tail = 0;
  for (const double probability : half_sums(first_ranks(k), k * (k + 1) / 4)) {
    tail += probability;
    // The sums of powers of two are exact; alpha often is not (0.05 / 3).
    if (2 * tail > alpha * (1 + 1e-12)) break;
    ++found.rank;
    found.coverage = 1 - 2 * tail;
  }
  return found;
}

}  // namespace flow::measure

// SPDX-License-Identifier: Apache-2.0
#include "measure/sign_flip.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <vector>

#include "base/check.hpp"
#include "base/random.hpp"
#include "measure/distributions.hpp"

namespace flow::measure {
namespace {

// All 2^n sums of +-size, ascending: each size merges the list, moved down, with the list moved up.
std::vector<double> all_sums(std::span<const double> sizes) {
  std::vector<double> sums = {0.0};
  for (const double size : sizes) {
    std::vector<double> down(sums), up(sums), both;
    for (double& sum : down) sum -= size;
    for (double& sum : up) sum += size;
    both.reserve(2 * sums.size());
    std::ranges::merge(down, up, std::back_inserter(both));
    sums = std::move(both);
  }
  return sums;
}

double exact_tail(std::span<const double> sizes, double threshold) {
  const auto left = all_sums(sizes.first(sizes.size() / 2));
  const auto right = all_sums(sizes.subspan(sizes.size() / 2));
  double hits = 0;
  auto first = right.size();  // right[first] is the smallest that reaches the threshold.
  for (const double sum : left) {
    while (first > 0 && sum + right[first - 1] >= threshold) --first;
    hits += static_cast<double>(right.size() - first);
  }
  return std::ldexp(hits, -static_cast<int>(sizes.size()));
}

double sampled_tail(std::span<const double> sizes, double threshold) {
  constexpr std::uint64_t flips = 100'000;
  constexpr std::array signs = {-1.0, 1.0};  // Looked up: a branch on a coin costs ten times more.
  base::SplitMix64 coins(0x51F1);
  std::uint64_t hits = 0;
  for (std::uint64_t flip = 0; flip < flips; ++flip) {
    double sum = 0;
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      bits = i % 64 == 0 ? coins.next() : bits >> 1;
      sum += signs[bits & 1] * sizes[i];
    }
    if (sum >= threshold) ++hits;
  }
  return (1 + static_cast<double>(hits)) / (1 + static_cast<double>(flips));
}

}  // namespace

double flipped_sum_tail(std::span<const double> sizes, double threshold) {
  double total = 0;
  for (const double size : sizes) total += std::abs(size);
  const double reached = threshold - 1e-12 * total;
  return sizes.size() <= sign_flip_exact_max ? exact_tail(sizes, reached)
                                             : sampled_tail(sizes, reached);
}

SignFlip sign_flip_test(std::span<const double> differences) {
  std::vector<double> sizes;
  std::uint64_t infinite = 0;
  std::int64_t balance = 0;  // Positive minus negative infinities.
  double sum = 0;
  for (const double d : differences) {
    FLOW_CHECK(!std::isnan(d));
    if (std::isinf(d)) {
      ++infinite;
      balance += d > 0 ? 1 : -1;
    } else if (d != 0) {
      sizes.push_back(std::abs(d));
      sum += d;
    }
  }
  // Infinities decide, finite differences only between equal balances; both tails are alike.
  if (balance < 0 || (balance == 0 && sum < 0)) {
    balance = -balance;
    sum = -sum;
  }
  const auto positive =
      static_cast<std::uint64_t>((static_cast<std::int64_t>(infinite) + balance) / 2);
  const double more = binomial_at_least(positive + 1, infinite, 0.5);
  const double equal = binomial_at_least(positive, infinite, 0.5) - more;
  return {.p = std::min(1.0, 2 * (more + equal * flipped_sum_tail(sizes, sum))),
          .is_exact = sizes.size() <= sign_flip_exact_max};
}

}  // namespace flow::measure

// The definitions, taken literally: every sign of every difference. Slow, and hard to get wrong.
// Thread: any; pure functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <vector>

namespace flow::measure::brute {

// Calls visit(signs) for each of the 2^k ways; signs are +1 and -1.
void for_each_sign(std::size_t k, auto&& visit) {
  std::vector<double> signs(k);
  for (std::uint64_t pattern = 0; pattern < std::uint64_t{1} << k; ++pattern) {
    for (std::size_t i = 0; i < k; ++i) signs[i] = (pattern >> i & 1) != 0 ? 1 : -1;
    visit(signs);
  }
}

// Mid-rank of |d_i|: 1 + smaller ones + half of the equal others.
inline double mid_rank(const std::vector<double>& d, std::size_t i) {
  double rank = 1;
  for (std::size_t j = 0; j < d.size(); ++j) {
    if (j == i) continue;
    if (std::abs(d[j]) < std::abs(d[i])) rank += 1;
    if (std::abs(d[j]) == std::abs(d[i])) rank += 0.5;
  }
  return rank;
}

// Two-sided: the share of signs with a rank sum no nearer to its mean than the one seen.
inline double signed_rank_p(const std::vector<double>& d) {
  const auto distance = [&](const auto& sign_of) {
    double balance = 0;  // W+ - W-
    for (std::size_t i = 0; i < d.size(); ++i) balance += sign_of(i) * mid_rank(d, i);
    return std::abs(balance);
  };
  const auto sign_of = [&](std::size_t i) { return d[i] > 0 ? 1.0 : d[i] < 0 ? -1.0 : 0.0; };
  const double seen = distance(sign_of);
  double far = 0, all = 0;
  for_each_sign(d.size(), [&](const std::vector<double>& signs) {
    all += 1;
    if (distance([&](std::size_t i) { return d[i] == 0 ? 0.0 : signs[i]; }) >= seen - 1e-9) {
      far += 1;
    }
  });
  return far / all;
}

inline double sign_flip_p(const std::vector<double>& d) {
  const double seen = std::abs(std::accumulate(d.begin(), d.end(), 0.0));
  double far = 0, all = 0;
  for_each_sign(d.size(), [&](const std::vector<double>& signs) {
    double sum = 0;
    for (std::size_t i = 0; i < d.size(); ++i) sum += signs[i] * d[i];
    all += 1;
    if (std::abs(sum) >= seen - 1e-9) far += 1;
  });
  return far / all;
}

}  // namespace flow::measure::brute

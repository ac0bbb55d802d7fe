// The sign-flip permutation test of the mean of paired differences: how many of the 2^k ways to
// give the differences signs make the mean at least as far from zero as it is. Exact to k = 32
// differences that are neither zero nor infinite (two halves of 2^16 sums each); beyond that
// 100,000 seeded flips, whose p is (1 + hits) / (1 + flips) and so never too small on average.
// Thread: any; pure functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>

namespace flow::measure {

inline constexpr std::size_t sign_flip_exact_max = 32;

struct SignFlip {
  double p = 1;  // Two-sided.
  bool is_exact = true;
};

// An infinite difference outweighs all finite ones and counts like another infinite one: the limit
// of a very large value. Sums within 1e-12 of each other, of the sum of sizes, count as equal.
// No NaN (FLOW_CHECK). p = 1 for no difference.
SignFlip sign_flip_test(std::span<const double> differences);

// P(sum of random signs times `sizes` >= threshold); for tests and for sign_flip_test().
double flipped_sum_tail(std::span<const double> sizes, double threshold);

}  // namespace flow::measure

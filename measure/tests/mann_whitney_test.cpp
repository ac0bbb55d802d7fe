// SPDX-License-Identifier: Apache-2.0
#include "measure/mann_whitney.hpp"

#include <cmath>
#include <numeric>

#include <gmock/gmock.h>

#include "base/random.hpp"

namespace flow::measure {
namespace {

std::vector<double> exponentials(base::SplitMix64& random, std::size_t n, double shift = 0) {
  std::vector<double> values(n);
  for (double& value : values) value = random.next_exponential() + shift;
  return values;
}

TEST(MannWhitney, OfSeparateSamplesIsTheSmallestPossible) {
  // 3 of 6: 1 of 20 ways on each side.
  const auto test = mann_whitney_test(std::vector<double>{1, 2, 3}, std::vector<double>{4, 5, 6});

  EXPECT_EQ(test.u, 9);
  EXPECT_DOUBLE_EQ(test.p, 0.10);
  EXPECT_EQ(shift_between(std::vector<double>{1, 2, 3}, std::vector<double>{4, 5, 6}), 3);
  EXPECT_TRUE(test.is_exact);
}

TEST(MannWhitney, NormalApproximationMeetsTheExactDistribution) {
  base::SplitMix64 random(31);
  for (int round = 0; round < 8; ++round) {
    const auto first = exponentials(random, 20), second = exponentials(random, 20, 0.3);
    auto more = second;
    more.push_back(1);  // 41 values: approximate.

    EXPECT_NEAR(mann_whitney_test(first, more).p, mann_whitney_test(first, second).p, 0.06);
  }
}

TEST(MannWhitney, CallsRunsOfOneSystemDifferentWhenRunsDiffer) {
  // Ten thousand requests in each of two runs, whose machines differ by 5 %.
  base::SplitMix64 random(32);
  auto first = exponentials(random, 10'000), second = exponentials(random, 10'000);
  for (double& value : second) value *= 1.05;

  EXPECT_LT(mann_whitney_test(first, second).p, 0.01);
}

TEST(MannWhitney, OfAnEmptySampleHasNothingToSay) {
  EXPECT_EQ(mann_whitney_test({}, std::vector<double>{1}).p, 1);
}

}  // namespace
}  // namespace flow::measure

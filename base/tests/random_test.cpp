// SPDX-License-Identifier: Apache-2.0
#include "base/random.hpp"

#include <cmath>
#include <set>
#include <vector>

#include <gmock/gmock.h>

namespace flow::base {
namespace {

TEST(SplitMix64, MatchesThePublishedVector) {
  SplitMix64 random(42);
  EXPECT_EQ(random.next(), 0xbdd732262feb6e95U);
  EXPECT_EQ(random.next(), 0x28efe333b266f103U);
  EXPECT_EQ(random.next(), 0x47526757130f9f52U);
  EXPECT_EQ(random.next(), 0x581ce1ff0e4ae394U);
}

TEST(SplitMix64, UnitsAreUniformAndBelowOne) {
  SplitMix64 random(1);
  double sum = 0;
  for (int i = 0; i < 100'000; ++i) {
    const double unit = random.next_unit();
    ASSERT_TRUE(unit >= 0 && unit < 1);
    sum += unit;
  }
  EXPECT_NEAR(sum / 100'000, 0.5, 4 * std::sqrt(1.0 / 12 / 100'000));
}

TEST(SplitMix64, ExponentialsHaveMeanOne) {
  SplitMix64 random(2);
  double sum = 0;
  for (int i = 0; i < 100'000; ++i) {
    const double value = random.next_exponential();
    ASSERT_GE(value, 0);
    sum += value;
  }
  EXPECT_NEAR(sum / 100'000, 1, 4 / std::sqrt(100'000.0));
}

TEST(SplitMix64, BoundedDrawsAreUniform) {
  SplitMix64 random(3);
  std::vector<int> seen(31);
  for (int i = 0; i < 310'000; ++i) ++seen.at(random.next_below(31));
  for (const int count : seen) EXPECT_NEAR(count, 10'000, 5 * std::sqrt(10'000.0));
  EXPECT_EQ(random.next_below(1), 0U);
  EXPECT_LT(random.next_below(UINT64_MAX), UINT64_MAX);
}

TEST(SplitMix64DeathTest, NothingIsBelowZero) {
  SplitMix64 random(4);
  EXPECT_DEATH(static_cast<void>(random.next_below(0)), "broken invariant");
}

TEST(DeriveSeed, GivesEveryPurposeItsOwnStream) {
  std::set<std::uint64_t> seeds;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    for (std::uint64_t purpose = 0; purpose < 100; ++purpose) {
      seeds.insert(derive_seed(seed, purpose));
    }
  }
  EXPECT_EQ(seeds.size(), 10'000U);
  EXPECT_EQ(derive_seed(1, 2), derive_seed(1, 2));
}

}  // namespace
}  // namespace flow::base

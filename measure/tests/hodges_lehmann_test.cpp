// SPDX-License-Identifier: Apache-2.0
#include "measure/hodges_lehmann.hpp"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>

#include "base/random.hpp"
#include "measure/signed_rank.hpp"

namespace flow::measure {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

std::vector<double> random_differences(base::SplitMix64& random, std::size_t k) {
  std::vector<double> d(k);
  for (double& value : d) value = random.next_unit() - 0.4;
  return d;
}

TEST(HodgesLehmann, IsTheMedianOfTheWalshAverages) {
  EXPECT_EQ(hodges_lehmann(std::vector<double>{3}), 3);
  EXPECT_EQ(hodges_lehmann(std::vector<double>{0, 4}), 2);        // 0, 2, 4
  EXPECT_EQ(hodges_lehmann(std::vector<double>{0, 2, 10}), 3.5);  // 0, 1, 2, 5, 6, 10
  EXPECT_TRUE(std::isnan(hodges_lehmann({})));
}

TEST(HodgesLehmann, MovesWithTheDifferencesAndTurnsWithThem) {
  base::SplitMix64 random(3);
  for (int round = 0; round < 100; ++round) {
    const auto d = random_differences(random, 7 + random.next_below(8));
    std::vector<double> moved, turned;
    for (const double value : d) {
      moved.push_back(value + 0.75);
      turned.push_back(-value);
    }
    const WalshAverages averages(d), averages_moved(moved), averages_turned(turned);

    EXPECT_NEAR(averages_moved.estimate(), averages.estimate() + 0.75, 1e-12);
    EXPECT_NEAR(averages_turned.estimate(), -averages.estimate(), 1e-12);
    EXPECT_EQ(averages.estimate(), hodges_lehmann(d));
    const auto one = averages.interval(0.95), other = averages_turned.interval(0.95);
    ASSERT_TRUE(one && other);
    EXPECT_EQ(one->lower, -other->upper);
    EXPECT_EQ(one->upper, -other->lower);
  }
}

TEST(HodgesLehmannInterval, HoldsExactlyTheShiftsThatTheTestDoesNotReject) {
  base::SplitMix64 random(4);
  for (int round = 0; round < 40; ++round) {
    const auto d = random_differences(random, 8);
    const auto interval = WalshAverages(d).interval(0.95);
    ASSERT_TRUE(interval);
    const auto p_of = [&](double shift) {
      std::vector<double> shifted;
      for (const double value : d) shifted.push_back(value - shift);
      return signed_rank_test(shifted).p;
    };

    EXPECT_GT(p_of(interval->lower + 1e-6), 0.05);
    EXPECT_GT(p_of(interval->upper - 1e-6), 0.05);
    EXPECT_LE(p_of(interval->lower - 1e-6), 0.05);
    EXPECT_LE(p_of(interval->upper + 1e-6), 0.05);
  }
}

TEST(HodgesLehmannInterval, RefusesWhatSoFewDifferencesCannotGive) {
  for (std::size_t k = 0; k <= 5; ++k) {
    EXPECT_FALSE(WalshAverages(std::vector<double>(k, 1.0)).interval(0.95));
  }
  EXPECT_TRUE(WalshAverages(std::vector<double>(6, 1.0)).interval(0.95));
  EXPECT_FALSE(WalshAverages(std::vector<double>(6, 1.0)).interval(1 - 0.05 / 3));
}

TEST(HodgesLehmannInterval, CoversTheCentreAsOftenAsItSays) {
  base::SplitMix64 random(5);
  int covered = 0;
  constexpr int rounds = 4'000;
  for (int round = 0; round < rounds; ++round) {
    std::vector<double> d(10);
    for (double& value : d) value = random.next_exponential() - random.next_exponential();
    const auto interval = WalshAverages(d).interval(0.95);
    if (interval->lower <= 0 && 0 <= interval->upper) ++covered;
  }

  // 0.951 exactly; four standard errors of 0.0034.
  EXPECT_NEAR(static_cast<double>(covered) / rounds,
              WalshAverages(std::vector<double>(10)).interval(0.95)->coverage, 0.0136);
}

TEST(HodgesLehmann, KeepsItsPlaceWhenOneDifferenceIsInfinite) {
  std::vector<double> d = {0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7};
  d.push_back(infinity);
  std::vector<double> large = d;
  large.back() = 1e9;

  EXPECT_EQ(hodges_lehmann(d), hodges_lehmann(large));
  const auto interval = WalshAverages(d).interval(0.95);
  ASSERT_TRUE(interval);
  EXPECT_EQ(interval->lower, WalshAverages(large).interval(0.95)->lower);
  EXPECT_EQ(interval->upper, infinity);
}

TEST(HodgesLehmann, OfInfinitiesOnBothSidesIsLeftOutWhereItHasNoPlace) {
  EXPECT_TRUE(std::isnan(hodges_lehmann(std::vector<double>{-infinity, infinity})));

  const std::vector<double> d = {-infinity, -0.3, -0.1, 0.1, 0.2, 0.3, infinity};
  EXPECT_NEAR(hodges_lehmann(d), 0.05, 1e-12);
  const auto interval = WalshAverages(d).interval(0.95);  // C = 3 of 28
  ASSERT_TRUE(interval);
  EXPECT_EQ(interval->lower, -infinity);
  EXPECT_EQ(interval->upper, infinity);
}

TEST(HodgesLehmann, IsInfiniteWhenMostDifferencesAre) {
  const std::vector<double> d = {infinity, infinity, infinity, infinity, infinity, infinity, 0.1};

  EXPECT_EQ(hodges_lehmann(d), infinity);
  EXPECT_EQ(WalshAverages(d).interval(0.95)->lower, infinity);
}

TEST(Interval, SaysOnWhichSideOfAMarginItLies) {
  const Interval above{.lower = 0.1, .upper = 0.2}, near{.lower = -0.05, .upper = 0.05},
      below{.lower = -0.3, .upper = -0.15};

  EXPECT_TRUE(above.excludes_zero() && below.excludes_zero());
  EXPECT_FALSE(near.excludes_zero());
  EXPECT_TRUE(above.is_beyond(0.09) && below.is_beyond(0.14));
  EXPECT_FALSE(above.is_beyond(0.1) || below.is_beyond(0.15));
  EXPECT_TRUE(near.is_inside(0.06));
  EXPECT_FALSE(near.is_inside(0.05));
  EXPECT_EQ(above.nearest_zero(), 0.1);
  EXPECT_EQ(below.nearest_zero(), -0.15);
  EXPECT_EQ(near.nearest_zero(), 0);
}

}  // namespace
}  // namespace flow::measure

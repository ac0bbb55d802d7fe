// SPDX-License-Identifier: Apache-2.0
#include "measure/planning.hpp"

#include <array>
#include <cmath>
#include <limits>

#include <gmock/gmock.h>

#include "measure/signed_rank.hpp"

namespace flow::measure {
namespace {

constexpr double level = 0.05 / 3;

TEST(BlocksToDecide, AreSevenForUpToThreePrimariesAndEightForUpToSix) {
  EXPECT_EQ(blocks_to_decide(1), 7u);
  EXPECT_EQ(blocks_to_decide(3), 7u);
  EXPECT_EQ(blocks_to_decide(4), 8u);
  EXPECT_EQ(blocks_to_decide(6), 8u);
  EXPECT_EQ(blocks_to_decide(7), 9u);
  EXPECT_EQ(blocks_to_decide(12), 9u);
  EXPECT_EQ(blocks_to_decide(13), 10u);
}

TEST(BlocksToDecide, AreThoseWithWhichAnIntervalExists) {
  for (std::size_t primaries = 1; primaries <= 40; ++primaries) {
    const std::size_t k = blocks_to_decide(primaries);
    const double alpha = 0.05 / static_cast<double>(primaries);
    EXPECT_GE(walsh_rank(k, alpha).rank, 1u) << primaries;
    if (k > 7) {
      EXPECT_EQ(walsh_rank(k - 1, alpha).rank, 0u) << primaries;
    }
  }
}

// Minimal detectable p99 ratio with three primaries, 80 % power, from a simulation of its own.
TEST(Resolution, ReproducesTheTableOfDetectableRatios) {
  struct Row {
    std::size_t k;
    std::array<double, 4> ratios;
  };
  constexpr std::array sd = {.05, .10, .20, .30};
  for (const Row& row : {Row{7, {1.10, 1.20, 1.45, 1.75}}, Row{10, {1.07, 1.14, 1.30, 1.48}},
                         Row{12, {1.06, 1.12, 1.24, 1.39}}, Row{15, {1.05, 1.10, 1.21, 1.34}},
                         Row{20, {1.04, 1.08, 1.18, 1.28}}}) {
    const auto resolution = resolution_of(row.k, level);
    ASSERT_TRUE(resolution);
    for (std::size_t i = 0; i < sd.size(); ++i) {
      const double ratio = std::exp(resolution->detectable * sd[i]);
      EXPECT_NEAR(ratio, row.ratios[i], 0.006 + 0.015 * (row.ratios[i] - 1))
          << "k " << row.k << ", sd " << sd[i];
    }
  }
}

TEST(Resolution, OfSevenBlocksIsKnownInClosedForm) {
  // C = 1: all seven must be positive, Phi(d)^7 = 0.8.
  EXPECT_NEAR(resolution_of(7, level)->detectable, 1.861, 0.015);
}

TEST(Resolution, GoesOnSmoothlyWhereTheApproximationTakesOver) {
  const auto sampled = resolution_of(30, level), approximate = resolution_of(31, level);

  EXPECT_NEAR(approximate->detectable / sampled->detectable, std::sqrt(30.0 / 31), 0.03);
  EXPECT_NEAR(approximate->half_width / sampled->half_width, std::sqrt(30.0 / 31), 0.03);
}

TEST(Power, IsWhatTheDetectableEffectWasMadeFor) {
  for (const std::size_t k : {7u, 10u, 20u, 60u}) {
    const double effect = resolution_of(k, level)->detectable;
    EXPECT_NEAR(power_of(effect, k, level), 0.8, 1e-3);
    EXPECT_NEAR(power_of(-effect, k, level), 0.8, 1e-3);
  }
}

TEST(Power, AgainstNoEffectIsTheLevelOfTheTest) {
  EXPECT_NEAR(power_of(0, 10, level), 1 - .9863, 0.005);
  EXPECT_NEAR(power_of(0, 100, level), level, 1e-9);
  EXPECT_EQ(power_of(5, 6, level), 0);
}

TEST(BlocksToDetect, AreTheFewestThatDo) {
  for (const double sd : {0.03, 0.05, 0.1, 0.2, 0.5}) {
    const auto k = blocks_to_detect(std::log(1.10), sd, level);
    ASSERT_TRUE(k);
    EXPECT_LE(resolution_of(*k, level)->detectable * sd, std::log(1.10));
    const auto fewer = resolution_of(*k - 1, level);
    EXPECT_TRUE(!fewer || fewer->detectable * sd > std::log(1.10)) << sd;
  }
  EXPECT_EQ(blocks_to_detect(std::log(1.10), 0.001, level), 7u);
}

TEST(BlocksToDetect, GrowWithTheSquareOfTheNoise) {
  const double few = static_cast<double>(*blocks_to_detect(0.1, 0.3, level));
  const double many = static_cast<double>(*blocks_to_detect(0.1, 0.6, level));

  EXPECT_NEAR(many / few, 4, 0.1);
}

TEST(BlocksToDetect, RefuseWhatNobodyWillRun) {
  EXPECT_FALSE(blocks_to_detect(0.001, 10, level));
  EXPECT_FALSE(blocks_to_detect(0.1, std::numeric_limits<double>::infinity(), level));
  EXPECT_FALSE(blocks_to_detect(0.1, std::numeric_limits<double>::quiet_NaN(), level));
}

TEST(BlocksForLength, AreMoreThanThoseThatFindTheSameEffect) {
  for (const double sd : {0.05, 0.3}) {
    EXPECT_GT(*blocks_for_length(0.1, sd, level), *blocks_to_detect(0.1, sd, level));
  }
}

TEST(SdUpperBound, IsWideForAPilotOfFourPairs) {
  EXPECT_NEAR(sd_upper_bound(1, 4), 1.73, 0.01);
  EXPECT_LT(sd_upper_bound(1, 20), 1.2);
}

}  // namespace
}  // namespace flow::measure

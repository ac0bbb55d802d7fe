// SPDX-License-Identifier: Apache-2.0
#include "measure/stationarity.hpp"

#include <cmath>

#include <gmock/gmock.h>

#include "base/random.hpp"
#include "measure/class_residuals.hpp"
#include "measure/trend.hpp"

namespace flow::measure {
namespace {

double normal(base::SplitMix64& random) {
  return std::sqrt(2 * random.next_exponential()) *
         std::cos(6.283185307179586 * random.next_unit());
}

std::vector<double> settling_series() {
  std::vector<double> y;
  for (int i = 0; i < 60; ++i) y.push_back(i < 15 ? 20 - i : 5 + (7 * i) % 5);
  return y;
}

TEST(Stationarity, VectorOfASettlingSeries) {
  const auto y = settling_series();
  const auto truncation = mser5(y);

  ASSERT_TRUE(truncation);
  EXPECT_EQ(truncation->values, 15u);
  EXPECT_TRUE(truncation->is_settled);
  // Exact rational arithmetic: 113396.5 / 60^2 / (155 / 12) without lags.
  EXPECT_NEAR(*kpss_level(y, 0), 113396.5 / 3600 / (155.0 / 12), 1e-12);
  EXPECT_NEAR(*kpss_level(y, 3), 0.7892020740, 1e-10);
  EXPECT_EQ(kpss_lags(60), 3u);
  EXPECT_EQ(kpss_lags(512), 6u);
}

TEST(Kpss, RejectsAConstantLevelAsOftenAsItSays) {
  base::SplitMix64 random(21);
  int rejected = 0;
  constexpr int rounds = 1'000;
  for (int round = 0; round < rounds; ++round) {
    std::vector<double> y(200);
    for (double& value : y) value = normal(random);
    rejected += *kpss_level(y, kpss_lags(200)) > kpss_critical_5_percent ? 1 : 0;
  }

  EXPECT_NEAR(rejected / double{rounds}, 0.05, 0.03);
}

TEST(Kpss, OfTooFewValuesIsNoneAndOfEqualOnesZero) {
  EXPECT_FALSE(kpss_level(std::vector<double>(9, 1.0), 0));
  EXPECT_EQ(kpss_level(std::vector<double>(50, 1.0), 3), 0);
}

TEST(Mser5, KeepsEverythingOfASettledSeries) {
  const std::vector<double> y(100, 3.0);

  EXPECT_EQ(mser5(y)->values, 0u);
  EXPECT_FALSE(mser5(std::vector<double>(29, 3.0)));
}

TEST(Mser5, SaysThatASeriesHasNotSettled) {
  std::vector<double> y;  // Still falling when it ends.
  for (int i = 0; i < 100; ++i) y.push_back(i < 85 ? 100 - i : 15);

  EXPECT_FALSE(mser5(y)->is_settled);
}

TEST(TheilSen, FindsALineThroughOutliers) {
  std::vector<double> x, y;
  for (int i = 0; i < 40; ++i) {
    x.push_back(i);
    y.push_back(3 + 0.5 * i + (i % 9 == 0 ? 100 : 0));
  }
  const auto trend = theil_sen(x, y);

  ASSERT_TRUE(trend);
  EXPECT_NEAR(trend->slope, 0.5, 1e-9);
}

TEST(TheilSen, CoversTheSlopeOfCorrelatedNoiseOnlyWhenInflated) {
  base::SplitMix64 random(22);
  int plain = 0, inflated = 0;
  constexpr int rounds = 150;
  for (int round = 0; round < rounds; ++round) {
    std::vector<double> x, y;
    double value = 0;
    for (int i = 0; i < 150; ++i) {
      value = 0.5 * value + normal(random);
      x.push_back(i);
      y.push_back(value);
    }
    const double inflation = long_run_variance(y, 8) / long_run_variance(y, 0);
    const auto narrow = theil_sen(x, y)->interval,
               wide = theil_sen(x, y, 0.95, inflation)->interval;
    plain += narrow.lower <= 0 && 0 <= narrow.upper ? 1 : 0;
    inflated += wide.lower <= 0 && 0 <= wide.upper ? 1 : 0;
  }

  EXPECT_LT(plain / double{rounds}, 0.85);
  EXPECT_GT(inflated / double{rounds}, 0.88);
}

TEST(TheilSen, AveragesNeighboursOfALongSeries) {
  std::vector<double> x, y;
  for (int i = 0; i < 9'000; ++i) {
    x.push_back(i);
    y.push_back(2.0 * i);
  }

  EXPECT_NEAR(theil_sen(x, y)->slope, 2, 1e-9);
}

TEST(TheilSen, OfTooLittleIsNone) {
  EXPECT_FALSE(theil_sen(std::vector<double>{1, 2}, std::vector<double>{1, 2}));
  EXPECT_FALSE(theil_sen(std::vector<double>{1, 1, 1}, std::vector<double>{1, 2, 3}));
}

TEST(VolumeClasses, AreTheDifferentVolumesInOrder) {
  const std::vector<double> volumes = {343, 147, 147, 63, 147, 63, 63, 27};

  EXPECT_THAT(volume_classes(volumes), testing::ElementsAre(3, 2, 2, 1, 2, 1, 1, 0));
}

TEST(VolumeClasses, OfManyVolumesAreDeciles) {
  std::vector<double> volumes;
  for (int i = 0; i < 100; ++i) volumes.push_back(100 - i);

  const auto classes = volume_classes(volumes);

  EXPECT_EQ(classes.front(), 9u);
  EXPECT_EQ(classes.back(), 0u);
  EXPECT_EQ(std::ranges::count(classes, 4u), 10);
}

TEST(ClassResiduals, TakeTheLoadOut) {
  // Two volumes, alternating: all of the movement is the load's.
  std::vector<std::size_t> classes;
  std::vector<double> y;
  for (int i = 0; i < 40; ++i) {
    classes.push_back(i % 2);
    y.push_back(i % 2 == 0 ? 1.0 : 5.0);
  }
  const auto found = class_residuals(classes, y);

  EXPECT_THAT(found.residuals, testing::Each(0.0));
  EXPECT_EQ(found.ticks.size(), 40u);
}

TEST(ClassResiduals, JoinSmallClassesToTheirLargerNeighbour) {
  // Class 0 has one tick, class 1 nine, class 2 one: all one class with the median 1.
  const std::vector<std::size_t> classes = {0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2};
  const std::vector<double> y = {0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 4};

  EXPECT_THAT(class_residuals(classes, y).residuals,
              testing::ElementsAre(-1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3));
}

TEST(ClassResiduals, LeaveOutTicksWithoutRequests) {
  const std::vector<std::size_t> classes(5, 0);
  const std::vector<double> y = {1, std::nan(""), 2, 3, std::nan("")};

  EXPECT_THAT(class_residuals(classes, y).ticks, testing::ElementsAre(0, 2, 3));
  EXPECT_TRUE(class_residuals({}, {}).residuals.empty());
}

TEST(ClassResiduals, LeaveOutTheTicksInWhichAQueueStoodAndTheNext) {
  // Ticks of 1 s: 2 ms, but for a burst of 200 ms that takes three ticks to drain.
  std::vector<double> y(12, std::log(0.002));
  y[4] = std::log(0.2);
  y[5] = std::log(0.3);
  y[6] = std::log(0.06);
  y[9] = std::nan("");
  const auto kept = without_queues(y, 1);

  for (std::size_t i = 0; i < y.size(); ++i) {
    EXPECT_EQ(std::isnan(kept[i]), (i >= 4 && i <= 7) || i == 9) << i;
  }
  // A server that is always that slow has no more of a queue in one tick than in another.
  const std::vector<double> slow(12, std::log(0.2));
  EXPECT_EQ(without_queues(slow, 1), slow);
  EXPECT_TRUE(without_queues({}, 1).empty());
}

TEST(Steadiness, SeesAServerThatWarmsUpUnderBursts) {
  base::SplitMix64 random(23);
  std::vector<std::size_t> classes;
  std::vector<double> steady, warming;
  for (int i = 0; i < 256; ++i) {
    classes.push_back(random.next_below(4));
    const double value = static_cast<double>(classes.back()) + 0.3 * normal(random);
    steady.push_back(value);
    warming.push_back(value + 0.8 * std::exp(-i / 60.0));
  }
  const auto good = steadiness_of(class_residuals(classes, steady));
  const auto bad = steadiness_of(class_residuals(classes, warming));

  ASSERT_TRUE(good && bad);
  EXPECT_TRUE(good->is_steady);
  EXPECT_FALSE(bad->is_steady);
  EXPECT_LT(bad->drift.interval.upper, 0);
  EXPECT_TRUE(good->drift.interval.lower < 0 && good->drift.interval.upper > 0);
}

}  // namespace
}  // namespace flow::measure

// SPDX-License-Identifier: Apache-2.0
#include "measure/shift_function.hpp"

#include <cmath>

#include <gmock/gmock.h>

#include "base/random.hpp"
#include "measure/elasticity.hpp"

namespace flow::measure {
namespace {

// `blocks` log ratios around slope * (q - 0.5).
std::vector<QuantileDifferences> tilted(std::size_t blocks, double slope) {
  base::SplitMix64 random(41);
  std::vector<QuantileDifferences> quantiles;
  for (const double q : shift_quantiles) {
    QuantileDifferences differences{.q = q, .log_ratios = {}};
    for (std::size_t i = 0; i < blocks; ++i) {
      differences.log_ratios.push_back(slope * (q - 0.5) + 0.02 * (random.next_unit() - 0.5));
    }
    quantiles.push_back(std::move(differences));
  }
  return quantiles;
}

TEST(ShiftFunction, ShowsCurvesThatCross) {
  const auto shift = shift_function(tilted(10, 1));

  EXPECT_TRUE(is_crossing(shift));
  EXPECT_NEAR(shift.front().log_ratio, -0.4, 0.02);
  EXPECT_NEAR(shift.back().log_ratio, 0.499, 0.02);
  EXPECT_FALSE(is_crossing(shift_function(tilted(10, 0))));
}

TEST(ShiftFunction, HoldsItsBandForAllQuantilesAtOnce) {
  const auto shift = shift_function(tilted(10, 1));

  ASSERT_TRUE(shift.front().band);
  EXPECT_NEAR(shift.front().band->confidence, 1 - 0.05 / 12, 1e-12);
  EXPECT_GE(shift.front().band->coverage, shift.front().band->confidence);
  EXPECT_GE(shift.front().p_holm, shift.front().p);
}

TEST(ShiftFunction, HasNoBandBelowNineBlocks) {
  EXPECT_FALSE(shift_function(tilted(8, 1)).front().band);
  EXPECT_TRUE(shift_function(tilted(9, 1)).front().band);
  EXPECT_FALSE(is_crossing(shift_function(tilted(8, 1))));
}

TEST(ShiftFunction, OfNoQuantilesIsEmpty) { EXPECT_TRUE(shift_function({}).empty()); }

TEST(Elasticity, IsTheExponentOfAPowerLaw) {
  std::vector<LoadPoint> curve;
  for (const double rate : {100.0, 10.0, 1000.0}) curve.push_back({rate, std::pow(rate, 1.5)});

  EXPECT_NEAR(*elasticity(curve, 100), 1.5, 1e-12);
  EXPECT_NEAR(*elasticity(curve, 50), 1.5, 1e-12);
  EXPECT_NEAR(*elasticity(curve, 10), 1.5, 1e-12);
  EXPECT_NEAR(*elasticity(curve, 1000), 1.5, 1e-12);
}

TEST(Elasticity, LooksAtBothNeighboursOfAPoint) {
  const std::vector<LoadPoint> curve = {{1, 1}, {10, 10}, {100, 1000}};

  EXPECT_NEAR(*elasticity(curve, 3), 1, 1e-12);
  EXPECT_NEAR(*elasticity(curve, 30), 2, 1e-12);
  EXPECT_NEAR(*elasticity(curve, 10), 1.5, 1e-12);
}

TEST(Elasticity, IsUnknownOutsideTheCurve) {
  const std::vector<LoadPoint> curve = {{10, 1}, {20, 2}, {0, 5}, {30, std::nan("")}};

  EXPECT_FALSE(elasticity(curve, 9));
  EXPECT_FALSE(elasticity(curve, 21));
  EXPECT_FALSE(elasticity(curve, std::nan("")));
  EXPECT_FALSE(elasticity({}, 10));
}

}  // namespace
}  // namespace flow::measure

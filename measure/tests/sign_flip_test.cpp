// SPDX-License-Identifier: Apache-2.0
#include "measure/sign_flip.hpp"

#include <limits>

#include <gmock/gmock.h>

#include "base/random.hpp"
#include "measure/paired_t.hpp"
#include "measure/tests/brute_force.hpp"

namespace flow::measure {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

TEST(SignFlip, AgreesWithEnumeration) {
  base::SplitMix64 random(11);
  for (int round = 0; round < 200; ++round) {
    std::vector<double> d(1 + random.next_below(11));
    for (double& value : d) value = random.next_unit() - 0.3;
    if (round % 3 == 0) {
      for (double& value : d) value = std::round(10 * value) / 10;  // Zeros and equal sums.
    }
    SCOPED_TRACE(testing::PrintToString(d));

    EXPECT_NEAR(sign_flip_test(d).p, brute::sign_flip_p(d), 1e-12);
  }
}

TEST(SignFlip, TakesInfiniteDifferencesAsTheLimitOfLargeOnes) {
  base::SplitMix64 random(12);
  for (int round = 0; round < 100; ++round) {
    std::vector<double> d(2 + random.next_below(8));
    for (double& value : d) value = std::round(64 * (random.next_unit() - 0.3)) / 64;
    std::vector<double> large = d;
    for (std::size_t i = 0; i < d.size(); i += 1 + random.next_below(4)) {
      const bool is_positive = random.next_below(3) > 0;
      d[i] = is_positive ? infinity : -infinity;
      large[i] = is_positive ? 1e6 : -1e6;
    }
    SCOPED_TRACE(testing::PrintToString(d));

    EXPECT_NEAR(sign_flip_test(d).p, brute::sign_flip_p(large), 1e-12);
  }
}

TEST(SignFlip, CountsSumsThatOnlyRoundingTellsApart) {
  // 0.1 + 0.2 - 0.3 is not zero in floating point; the mean is, so nothing is less extreme.
  EXPECT_EQ(sign_flip_test(std::vector<double>{0.1, 0.2, -0.3}).p, 1);
}

TEST(SignFlip, IsExactToThirtyTwoAndSampledBeyond) {
  base::SplitMix64 random(13);
  std::vector<double> d(32);
  for (double& value : d) value = random.next_unit() - 0.4;

  const auto exact = sign_flip_test(d);
  d.push_back(1e-9);  // One more that changes nothing.
  const auto sampled = sign_flip_test(d);

  EXPECT_TRUE(exact.is_exact);
  EXPECT_FALSE(sampled.is_exact);
  EXPECT_NEAR(sampled.p, exact.p, 5 * std::sqrt(exact.p / 100'000));
}

TEST(SignFlip, OfNothingHasNothingToSay) {
  EXPECT_EQ(sign_flip_test({}).p, 1);
  EXPECT_EQ(sign_flip_test(std::vector<double>{0, 0}).p, 1);
  EXPECT_EQ(sign_flip_test(std::vector<double>{infinity, -infinity}).p, 1);
}

TEST(PairedT, RefusesWhatItCannotJudge) {
  EXPECT_FALSE(paired_t_test(std::vector<double>{1}));
  EXPECT_FALSE(paired_t_test(std::vector<double>{1, 2, infinity}));
}

TEST(PairedT, OfEqualDifferencesIsCertain) {
  EXPECT_EQ(paired_t_test(std::vector<double>{0.5, 0.5, 0.5})->p, 0);
  EXPECT_EQ(paired_t_test(std::vector<double>{0, 0, 0})->p, 1);
}

}  // namespace
}  // namespace flow::measure

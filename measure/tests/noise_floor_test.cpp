// SPDX-License-Identifier: Apache-2.0
#include "measure/noise_floor.hpp"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>

#include "base/random.hpp"
#include "measure/hodges_lehmann.hpp"

namespace flow::measure {
namespace {

std::vector<double> noise(std::uint64_t seed, std::size_t pairs) {
  base::SplitMix64 random(seed);
  std::vector<double> values(pairs);
  for (double& value : values) value = 0.1 * (random.next_unit() - random.next_unit());
  return values;
}

TEST(NoiseFloor, NeedsAsManyPairsAsAPilot) {
  EXPECT_FALSE(noise_floor(std::vector<double>{0.1, 0.2, 0.3}));
  EXPECT_TRUE(noise_floor(std::vector<double>{0.1, 0.2, 0.3, 0.4}));
}

TEST(NoiseFloor, DoesNotDependOnTheOrderWithinAPair) {
  auto pairs = noise(1, 9);
  const auto floor = noise_floor(pairs);
  for (std::size_t i = 0; i < pairs.size(); i += 2) pairs[i] = -pairs[i];

  EXPECT_EQ(noise_floor(pairs), floor);
}

TEST(NoiseFloor, IsTheSampleOfSignsWhereThereAreTooManyToCount) {
  // The same noise in 12 pairs, counted, and in 48, drawn: half as wide, and less of Student.
  auto few = noise(2, 12);
  std::vector<double> many;
  for (int copy = 0; copy < 4; ++copy) many.insert(many.end(), few.begin(), few.end());

  EXPECT_NEAR(*noise_floor(many) / *noise_floor(few), 0.46, 0.08);
}

TEST(NoiseFloor, IsExceededByOneInTwentyExperimentsWithoutADifference) {
  for (const std::size_t pairs : {5u, 8u}) {
    int beyond = 0;
    constexpr int rounds = 1'000;
    for (std::uint64_t round = 0; round < rounds; ++round) {
      const double estimate = std::abs(hodges_lehmann(noise(2 * round + 1'000, pairs)));
      beyond += estimate > *noise_floor(noise(2 * round + 1'001, pairs)) ? 1 : 0;
    }

    EXPECT_NEAR(beyond / double{rounds}, 0.05, 0.025) << pairs;
  }
}

TEST(NoiseFloor, IsInfiniteWhenThePlatformFallsOverAgainstItself) {
  const double infinity = std::numeric_limits<double>::infinity();

  EXPECT_EQ(noise_floor(std::vector<double>{infinity, -infinity, infinity, infinity, 0.1}),
            infinity);
}

}  // namespace
}  // namespace flow::measure

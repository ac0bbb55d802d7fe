// SPDX-License-Identifier: Apache-2.0
#include "measure/variance_components.hpp"

#include <gmock/gmock.h>

namespace flow::measure {
namespace {

TEST(VarianceComponents, SeparateTheLevels) {
  // Two runs of two cycles: within 0.5 and 0.5, the means 1 and 4.
  const auto components =
      variance_components(std::vector<double>{0.5, 1.5, 3.5, 4.5}, std::vector<std::size_t>{2, 2});

  EXPECT_THAT(components.of_means, testing::ElementsAre(0.5, 4.5));
  EXPECT_THAT(components.own, testing::ElementsAre(0.5, 4.5 - 0.5 / 2));
}

TEST(BestRepetitions, WeighCostAgainstNoise) {
  const VarianceComponents components{.of_means = {}, .own = {4, 1, 0.25}};

  EXPECT_THAT(best_repetitions(components, std::vector<double>{1, 9, 36}),
              testing::ElementsAre(6, 4));
  EXPECT_THAT(best_repetitions(components, std::vector<double>{1, 9.1, 36}),
              testing::ElementsAre(7, 4));
}

TEST(BestRepetitions, SpendNothingOnALevelThatAddsNoNoise) {
  const VarianceComponents inner{.of_means = {}, .own = {-0.1, 1, 1}};
  const VarianceComponents middle{.of_means = {}, .own = {4, -0.1, 1}};
  const VarianceComponents outer{.of_means = {}, .own = {1, 2, 0}};
  const std::vector<double> costs = {1, 4, 16};

  EXPECT_THAT(best_repetitions(inner, costs), testing::ElementsAre(1, 2));
  EXPECT_THAT(best_repetitions(middle, costs), testing::ElementsAre(8, 1));
  EXPECT_THAT(best_repetitions(outer, costs), testing::ElementsAre(2, std::nullopt));
}

}  // namespace
}  // namespace flow::measure

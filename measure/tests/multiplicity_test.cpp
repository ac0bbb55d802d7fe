// SPDX-License-Identifier: Apache-2.0
#include "measure/multiplicity.hpp"

#include <gmock/gmock.h>

#include "base/random.hpp"

namespace flow::measure {
namespace {

TEST(Holm, OfOneTestIsItsP) {
  EXPECT_THAT(holm(std::vector<double>{0.04}), testing::ElementsAre(0.04));
}

TEST(Holm, CountsTestsThatGaveNoP) {
  EXPECT_THAT(holm(std::vector<double>{0.01, 0.02}, 3),
              testing::Pointwise(testing::DoubleNear(1e-15), {0.03, 0.04}));
}

TEST(Holm, IsNeverBelowThePThatItAdjustsAndKeepsTheOrder) {
  base::SplitMix64 random(1);
  for (int round = 0; round < 100; ++round) {
    std::vector<double> p(1 + random.next_below(10));
    for (double& value : p) value = random.next_unit();
    const auto adjusted = holm(p), shared = benjamini_hochberg(p);
    for (std::size_t i = 0; i < p.size(); ++i) {
      EXPECT_GE(adjusted[i], p[i]);
      EXPECT_LE(adjusted[i], 1);
      EXPECT_GE(adjusted[i], shared[i] - 1e-15);
      EXPECT_GE(shared[i], p[i] - 1e-15);
      for (std::size_t j = 0; j < p.size(); ++j) {
        if (p[i] < p[j]) {
          EXPECT_LE(adjusted[i], adjusted[j]);
        }
      }
    }
  }
}

TEST(Holm, KeepsTheChanceOfAnyFalsePositiveAtTheLevel) {
  base::SplitMix64 random(2);
  int with_false_positive = 0;
  constexpr int rounds = 20'000;
  for (int round = 0; round < rounds; ++round) {
    std::vector<double> p = {random.next_unit(), random.next_unit(), random.next_unit()};
    with_false_positive += std::ranges::min(holm(p)) <= 0.05 ? 1 : 0;
  }

  EXPECT_NEAR(with_false_positive / double{rounds}, 1 - std::pow(1 - 0.05 / 3, 3), 0.006);
}

TEST(BenjaminiHochberg, OfNoTestIsEmpty) {
  EXPECT_TRUE(benjamini_hochberg({}).empty());
  EXPECT_TRUE(holm({}).empty());
}

}  // namespace
}  // namespace flow::measure

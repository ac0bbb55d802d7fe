// SPDX-License-Identifier: Apache-2.0
#include "measure/signed_rank.hpp"

#include <limits>
#include <numeric>

#include <gmock/gmock.h>

#include "base/random.hpp"
#include "measure/tests/brute_force.hpp"

namespace flow::measure {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

TEST(SignedRank, OfAllPositiveDifferencesIsTheSmallestPossible) {
  for (std::size_t k = 1; k <= 12; ++k) {
    std::vector<double> d(k);
    std::iota(d.begin(), d.end(), 1.0);

    const auto test = signed_rank_test(d);

    EXPECT_DOUBLE_EQ(test.p, std::ldexp(2.0, -static_cast<int>(k)));
    EXPECT_EQ(test.negative, 0);
    EXPECT_EQ(test.positive, static_cast<double>(k * (k + 1) / 2));
  }
}

TEST(SignedRank, AgreesWithEnumerationThroughTiesAndZeros) {
  base::SplitMix64 random(7);
  for (int round = 0; round < 300; ++round) {
    std::vector<double> d(1 + random.next_below(9));
    for (double& value : d) value = static_cast<double>(random.next_below(7)) - 2;
    SCOPED_TRACE(testing::PrintToString(d));

    EXPECT_NEAR(signed_rank_test(d).p, brute::signed_rank_p(d), 1e-12);
  }
}

TEST(SignedRank, IsTheSameForTheOtherPlatformsSide) {
  base::SplitMix64 random(8);
  for (int round = 0; round < 100; ++round) {
    std::vector<double> d(10), turned;
    for (double& value : d) value = random.next_unit() - 0.3;
    for (const double value : d) turned.push_back(-value);

    const auto one = signed_rank_test(d), other = signed_rank_test(turned);

    EXPECT_EQ(one.p, other.p);
    EXPECT_EQ(one.positive, other.negative);
  }
}

TEST(SignedRank, CountsZerosInTheRankingAndGivesThemNoSign) {
  // Ranks 1.5, 1.5 (zeros), 3, 4, 5: without Pratt's rule the p value would be 0.25 as well, but
  // the sum would be 6.
  const auto test = signed_rank_test(std::vector<double>{0, 0, 1, 2, 3});

  EXPECT_EQ(test.positive, 12);
  EXPECT_EQ(test.zeros, 2u);
  EXPECT_DOUBLE_EQ(test.p, 0.25);
}

TEST(SignedRank, DiffersFromDroppingZeros) {
  // Ranks of 0, 1, -2, 3: 1, 2, 3, 4. W+ 6 and W- 3 of {2, 3, 4}.
  const auto test = signed_rank_test(std::vector<double>{0, 1, -2, 3});

  EXPECT_EQ(test.positive, 6);
  EXPECT_EQ(test.negative, 3);
}

TEST(SignedRank, TakesAFallenPlatformAsTheLargestDifference) {
  std::vector<double> d = {0.1, -0.2, 0.3, 0.05, 0.4, 0.15, 0.25};
  d.push_back(infinity);
  std::vector<double> large = d;
  large.back() = 1e9;

  EXPECT_EQ(signed_rank_test(d).p, signed_rank_test(large).p);
  EXPECT_EQ(signed_rank_test(d).positive, signed_rank_test(large).positive);
}

TEST(SignedRank, OfNothingOrOnlyZerosHasNothingToSay) {
  EXPECT_EQ(signed_rank_test({}).p, 1);
  EXPECT_EQ(signed_rank_test(std::vector<double>{0, 0, 0, 0, 0, 0, 0, 0}).p, 1);
}

TEST(SignedRank, TreatsLogarithmsOfEqualRatiosAsTies) {
  const double one = std::log(12.3) - std::log(4.1), same = std::log(3.0);
  ASSERT_NE(one, same);

  EXPECT_EQ(signed_rank_test(std::vector<double>{one, -same}).positive, 1.5);
}

TEST(SignedRankDistribution, CountsEverySubsetOfTheRanks) {
  const auto p = signed_rank_distribution(4);

  std::vector<double> ways(11, 0.0);
  for (unsigned subset = 0; subset < 16; ++subset) {
    std::size_t sum = 0;
    for (unsigned rank = 1; rank <= 4; ++rank) {
      if ((subset >> (rank - 1) & 1) != 0) sum += rank;
    }
    ways[sum] += 1.0 / 16;
  }
  EXPECT_THAT(p, testing::Pointwise(testing::DoubleEq(), ways));
}

// The published table of C and its coverage: plain 95 %, three primaries, nine.
TEST(WalshRank, IsTheTableForEachNumberOfBlocks) {
  struct Row {
    std::size_t k, plain;
    double plain_coverage;
    std::size_t three;
    double three_coverage;
    std::size_t nine;
    double nine_coverage;
  };
  for (const Row& row :
       {Row{3, 0, 1, 0, 1, 0, 1}, Row{5, 0, 1, 0, 1, 0, 1}, Row{6, 1, .969, 0, 1, 0, 1},
        Row{7, 3, .953, 1, .984, 0, 1}, Row{8, 4, .961, 2, .984, 0, 1},
        Row{9, 6, .961, 3, .988, 1, .996}, Row{10, 9, .951, 5, .986, 2, .996},
        Row{12, 14, .958, 10, .984, 6, .995}, Row{15, 26, .952, 19, .985, 14, .995},
        Row{20, 53, .952, 42, .985, 33, .995}}) {
    SCOPED_TRACE(row.k);
    const auto plain = walsh_rank(row.k, 0.05), three = walsh_rank(row.k, 0.05 / 3),
               nine = walsh_rank(row.k, 0.05 / 9);

    EXPECT_EQ(plain.rank, row.plain);
    EXPECT_NEAR(plain.coverage, row.plain_coverage, 5e-4);
    EXPECT_EQ(three.rank, row.three);
    EXPECT_NEAR(three.coverage, row.three_coverage, 5e-4);
    EXPECT_EQ(nine.rank, row.nine);
    EXPECT_NEAR(nine.coverage, row.nine_coverage, 5e-4);
  }
}

TEST(WalshRank, TakesALevelThatIsJustReached) {
  EXPECT_EQ(walsh_rank(6, 1 - 0.96875).rank, 1u);
  EXPECT_EQ(walsh_rank(6, 1 - 0.96876).rank, 0u);
}

}  // namespace
}  // namespace flow::measure

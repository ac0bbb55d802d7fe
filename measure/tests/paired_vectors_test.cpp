// One worked example through every estimator of paired data: ten blocks, p99 in ms.
// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cmath>

#include <gmock/gmock.h>

#include "measure/distributions.hpp"
#include "measure/harrell_davis.hpp"
#include "measure/hodges_lehmann.hpp"
#include "measure/mann_whitney.hpp"
#include "measure/multiplicity.hpp"
#include "measure/paired_t.hpp"
#include "measure/sign_flip.hpp"
#include "measure/signed_rank.hpp"

namespace flow::measure {
namespace {

constexpr std::array kafka = {12.4, 15.1, 11.8, 19.7, 13.3, 12.9, 16.2, 14.0, 11.5, 18.4};
constexpr std::array pulsar = {14.1, 16.0, 13.9, 21.1, 15.6, 12.6, 18.9, 17.2, 13.0, 19.9};

std::vector<double> log_ratios() {
  std::vector<double> d;
  for (std::size_t i = 0; i < kafka.size(); ++i) d.push_back(std::log(pulsar[i] / kafka[i]));
  return d;
}

TEST(PairedVectors, LogRatios) {
  EXPECT_THAT(log_ratios(), testing::Pointwise(testing::DoubleNear(5e-7),
                                               {.128478, .057894, .163789, .068654, .159507,
                                                -.023530, .154151, .205852, .122602, .078369}));
}

TEST(PairedVectors, SignedRankAndSignFlip) {
  const auto test = signed_rank_test(log_ratios());

  EXPECT_EQ(test.positive, 54);
  EXPECT_EQ(test.negative, 1);
  EXPECT_DOUBLE_EQ(test.p, 0.00390625);
  EXPECT_DOUBLE_EQ(sign_flip_test(log_ratios()).p, 4.0 / 1024);
}

TEST(PairedVectors, HodgesLehmannAndIntervals) {
  const WalshAverages averages(log_ratios());
  EXPECT_NEAR(averages.estimate(), .116222, 5e-7);
  EXPECT_NEAR(std::exp(averages.estimate()), 1.12325, 5e-6);

  struct Row {
    double confidence, coverage, lower, upper;
  };
  for (const Row& row :
       {Row{0.95, .9512, 1.06749, 1.17293}, Row{1 - 0.05 / 3, .9863, 1.05078, 1.18195},
        Row{0.90, .916, 1.07051, 1.16980}}) {
    const auto interval = averages.interval(row.confidence);
    ASSERT_TRUE(interval);
    EXPECT_NEAR(interval->coverage, row.coverage, 5e-4);
    EXPECT_NEAR(std::exp(interval->lower), row.lower, 5e-6);
    EXPECT_NEAR(std::exp(interval->upper), row.upper, 5e-6);
  }
  EXPECT_EQ(walsh_rank(10, 0.10).rank, 11u);
}

TEST(PairedVectors, PairedT) {
  const auto test = paired_t_test(log_ratios());

  ASSERT_TRUE(test);
  EXPECT_NEAR(test->mean, .111577, 5e-7);
  EXPECT_NEAR(test->sd, .066843, 5e-7);
  EXPECT_NEAR(test->t, 5.27858, 5e-6);
  EXPECT_NEAR(test->p, .00050806, 5e-9);
  EXPECT_NEAR(std::exp(test->interval(0.95).lower), 1.06584, 5e-6);
  EXPECT_NEAR(std::exp(test->interval(0.95).upper), 1.17280, 5e-6);
}

TEST(PairedVectors, UnpairedTheSameDataShowNothing) {
  const auto test = mann_whitney_test(kafka, pulsar);

  EXPECT_EQ(test.u, 69);
  EXPECT_DOUBLE_EQ(test.superiority, .69);
  EXPECT_NEAR(test.p, .165494, 5e-7);
  EXPECT_NEAR(shift_between(kafka, pulsar), 1.5, 1e-9);
}

TEST(PairedVectors, HarrellDavis) {
  EXPECT_NEAR(*harrell_davis(kafka, 0.5), 13.906681, 5e-7);
  EXPECT_NEAR(*harrell_davis(kafka, 0.9), 18.860061, 5e-7);
  EXPECT_NEAR(*harrell_davis(pulsar, 0.5), 15.856799, 5e-7);
  EXPECT_NEAR(*harrell_davis(pulsar, 0.9), 20.431161, 5e-7);
}

TEST(PairedVectors, HolmAndBenjaminiHochberg) {
  constexpr std::array p = {.001953125, .02, .012, .04, .3, .0005};

  EXPECT_THAT(holm(p), testing::Pointwise(testing::DoubleNear(1e-12),
                                          {.009765625, .06, .048, .08, .3, .003}));
  EXPECT_THAT(benjamini_hochberg(p),
              testing::Pointwise(testing::DoubleNear(5e-8), {.0058594, .03, .024, .048, .3, .003}));
}

TEST(PairedVectors, QuantilesOfStudent) {
  struct Row {
    double degrees, plain, three;
  };
  for (const Row& row : {Row{6, 2.4469, 3.2875}, Row{9, 2.2622, 2.9333}, Row{11, 2.2010, 2.8200},
                         Row{14, 2.1448, 2.7178}}) {
    EXPECT_NEAR(student_quantile(0.975, row.degrees), row.plain, 5e-5);
    EXPECT_NEAR(student_quantile(1 - 0.05 / 6, row.degrees), row.three, 5e-5);
  }
}

}  // namespace
}  // namespace flow::measure

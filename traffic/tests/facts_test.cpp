// SPDX-License-Identifier: Apache-2.0
#include "traffic/facts.hpp"

#include <gmock/gmock.h>

#include "traffic/cascade.hpp"

namespace flow::traffic {
namespace {

using std::chrono::seconds;

struct Row {
  double bias, d1, d2, hurst, peak8, peak10, peak12, variation10, peak_share10;
};

// Exact laws; the figures are printed to the digits given.
TEST(CascadeLaws, MatchTheTable) {
  const Row rows[] = {
      {.50, 1.000000, 1.000000, 1.000, 1, 1, 1, 0, .000977},
      {.55, .992774, .985645, .992822, 2.144, 2.594, 3.138, .3235, .002533},
      {.60, .970951, .943416, .971708, 4.300, 6.192, 8.916, .6930, .006047},
      {.65, .934068, .875672, .937836, 8.157, 13.786, 23.298, 1.1693, .013463},
      {.70, .881291, .785875, .892938, 14.758, 28.925, 56.694, 1.8470, .028248},
      {.75, .811278, .678072, .839036, 25.629, 57.665, 129.746, 2.8833, .056314},
      {.80, .721928, .556393, .778197, 42.950, 109.951, 281.475, 4.5438, .107374},
      {.85, .609840, .424688, .712344, 69.758, 201.599, 582.622, 7.2756, .196874},
      {.90, .468996, .286304, .643152, 110.200, 357.047, 1156.83, 11.8215, .348678},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.bias);
    EXPECT_NEAR(entropy_slope(row.bias), row.d1, 1e-6);
    EXPECT_NEAR(correlation_dimension(row.bias), row.d2, 1e-6);
    EXPECT_NEAR(hurst_exponent(row.bias), row.hurst, 1e-6);
    EXPECT_NEAR(peak_factor_of(row.bias, 8), row.peak8, 6e-4);
    EXPECT_NEAR(peak_factor_of(row.bias, 10), row.peak10, 6e-4);
    EXPECT_NEAR(peak_factor_of(row.bias, 12), row.peak12, 6e-3);
    EXPECT_NEAR(variation_of(row.bias, 10), row.variation10, 6e-5);
    const Facts facts = facts_of(cascade(row.bias, 10, 1e6, 1), seconds(1));
    EXPECT_NEAR(facts.busiest_share, row.peak_share10, 6e-7);
    EXPECT_NEAR(facts.peak_factor, row.peak10, 6e-4);
  }
}

TEST(CascadeLaws, GiveTheDepthForAPeakFactor) {
  const double biases[] = {.6, .65, .7, .75, .8};
  const int twenty[] = {16, 11, 8, 7, 6};
  const int ten[] = {12, 8, 6, 5, 4};
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(levels_for_peak(biases[i], 20), twenty[i]);
    EXPECT_EQ(levels_for_peak(biases[i], 10), ten[i]);
  }
}

TEST(Facts, KnowTheOverloadBeforeTheRun) {
  struct Expected {
    double bias, time2000, requests2000, time6000, requests6000, time10000, requests10000;
  };
  const Expected rows[] = {{.6, .0898, .232, 0, 0, 0, 0},
                           {.7, .0898, .463, .0195, .196, .00195, .0404},
                           {.8, .0898, .738, .0195, .436, .0195, .436}};
  const std::vector<double> capacities = {2000, 6000, 10000};
  for (const Expected& row : rows) {
    SCOPED_TRACE(row.bias);
    const Facts facts = facts_of(cascade(row.bias, 9, 512'000, 11), seconds(1), capacities);
    EXPECT_NEAR(facts.mean_per_second, 1000, 1e-6);
    ASSERT_EQ(facts.overload.size(), 3U);
    EXPECT_NEAR(facts.overload[0].time_share, row.time2000, 6e-5);
    EXPECT_NEAR(facts.overload[0].request_share, row.requests2000, 6e-4);
    EXPECT_NEAR(facts.overload[1].time_share, row.time6000, 6e-5);
    EXPECT_NEAR(facts.overload[1].request_share, row.requests6000, 6e-4);
    EXPECT_NEAR(facts.overload[2].time_share, row.time10000, 6e-5);
    EXPECT_NEAR(facts.overload[2].request_share, row.requests10000, 6e-4);
  }
}

TEST(Facts, CountTheTicksThatDecideTheTail) {
  struct Expected {
    double bias;
    std::size_t ticks10, ticks12, ticks14;
  };
  const Expected rows[] = {
      {.55, 5, 17, 61}, {.6, 2, 7, 21}, {.65, 1, 3, 7}, {.7, 1, 1, 3}, {.75, 1, 1, 1}};
  for (const Expected& row : rows) {
    SCOPED_TRACE(row.bias);
    EXPECT_EQ(facts_of(cascade(row.bias, 10, 1e6, 1), seconds(1)).tail_ticks, row.ticks10);
    EXPECT_EQ(facts_of(cascade(row.bias, 12, 1e6, 1), seconds(1)).tail_ticks, row.ticks12);
    EXPECT_EQ(facts_of(cascade(row.bias, 14, 1e6, 1), seconds(1)).tail_ticks, row.ticks14);
  }
}

TEST(Facts, DescribeTheStudysSchedule) {
  const auto schedule = make_schedule({.requests_per_second = 300, .seed = 1}).value();

  const Facts facts = facts_of(schedule);

  EXPECT_EQ(facts.total, 9600);
  EXPECT_NEAR(facts.mean_per_second, 300, 1e-9);
  EXPECT_NEAR(facts.peak_per_second, 1672, 1);
  EXPECT_NEAR(facts.peak_factor, 5.573, 0.004);
  EXPECT_NEAR(facts.busiest_share, 0.1742, 0.0002);
  EXPECT_EQ(facts.tail_ticks, 1U);
  EXPECT_EQ(static_cast<double>(schedule.counts[facts.busiest_tick]), facts.peak_per_second);
}

TEST(Sparkline, ShowsEveryTickAndTheHighestOfMany) {
  EXPECT_EQ(sparkline(std::vector<std::uint64_t>{0, 1, 4, 8}), "▁▂▅█");
  EXPECT_EQ(sparkline(std::vector<std::uint64_t>{0, 8, 1, 1}, 2), "█▂");
  EXPECT_EQ(sparkline(std::vector<std::uint64_t>{0, 0}), "▁▁");
}

}  // namespace
}  // namespace flow::traffic

// SPDX-License-Identifier: Apache-2.0
#include "lab/join/stationarity.hpp"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.hpp"

namespace flow::lab {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr std::int64_t second = 1'000'000'000;

// Each tick answers in about 2 ms times its class + 1, times `slower(share of the schedule)`.
TickTally tally_of(std::uint32_t ticks, ClassHop hop, auto slower) {
  const traffic::ScheduleSpec spec{
      .bias = 0.7, .ticks = ticks, .tick = 1s, .requests_per_second = 100, .seed = 7};
  TickTally tally(ticks_of(spec, traffic::make_schedule(spec)->counts), base::UnixNanos{0});
  base::SplitMix64 random(3);
  for (std::uint32_t tick = 0; tick < ticks; ++tick) {
    const double level = 2e6 * static_cast<double>(tally.ticks().classes[tick] + 1);
    for (int i = 0; i < 10; ++i) {
      const double ns = level * slower(tick / double(ticks)) * (0.8 + 0.4 * random.next_unit());
      tally.add(hop, tick * second, base::Nanos{static_cast<std::int64_t>(ns)});
    }
  }
  return tally;
}

TEST(Stationarity, OfASteadyServerHoldsThoughItsLatencyFollowsTheLoad) {
  const auto found =
      stationarity_of(tally_of(256, ClassHop::publish_response, [](double) { return 1.0; }));

  EXPECT_TRUE(found.is_judged());
  EXPECT_TRUE(found.found->is_steady);
  EXPECT_EQ(found.ticks, 256U);
  EXPECT_EQ(found.in_large, 238U);  // All but the two ends: 1 and 8 ticks, twice.
  EXPECT_THAT(found.words(), HasSubstr("publish response keeps its level"));
}

TEST(Stationarity, SeesAServerThatGrowsSlowerAndHowFast) {
  // e times slower at the end of 256 s: 26 % per minute. A little of it is lost: where the ticks of
  // a class lie late, their median is high.
  const auto found = stationarity_of(
      tally_of(256, ClassHop::publish_response, [](double share) { return std::exp(share); }));

  EXPECT_FALSE(found.found->is_steady);
  EXPECT_THAT(found.words(), HasSubstr("does not keep its level"));
  EXPECT_THAT(found.words(), HasSubstr("drift +22 % per minute (95 % interval +"));
  EXPECT_NEAR(found.drift_per_minute(found.found->drift.slope), std::expm1(60.0 / 256), 0.06);
  const auto described = describe(found);
  EXPECT_GT(described.at("kpss").as_double(), 0.739);
  EXPECT_GT(described.at("drift_interval_95").at("lower").as_double(), 0.15);
  EXPECT_LT(described.at("drift_interval_95").at("upper").as_double(), 0.40);
}

TEST(Stationarity, TakesTheResponseTimeWhereNoEventWasPublished) {
  const auto found =
      stationarity_of(tally_of(64, ClassHop::response_time, [](double) { return 1.0; }));

  EXPECT_EQ(found.hop, "response_time");
  EXPECT_TRUE(found.is_judged());
}

TEST(Stationarity, IsNotJudgedWhereTooFewTicksHaveALevelOfTheirOwn) {
  const auto found = stationarity_of(
      tally_of(32, ClassHop::publish_response, [](double share) { return std::exp(2 * share); }));

  EXPECT_EQ(found.in_large, 20U);
  EXPECT_FALSE(found.is_judged());
  EXPECT_THAT(found.words(), HasSubstr("not judged: 20 of 32 ticks count"));
  EXPECT_FALSE(describe(found).at("is_judged").as_bool());
  EXPECT_TRUE(describe(found).at("kpss").is_double());  // The number stands all the same.
}

// A queue that a burst left behind is the platform's result and no drift of it.
TEST(Stationarity, LeavesOutTicksInWhichAQueueStood) {
  auto tally = tally_of(256, ClassHop::publish_response, [](double) { return 1.0; });
  for (int i = 0; i < 1000; ++i) {
    for (const int tick : {40, 41, 42}) tally.add(ClassHop::publish_response, tick * second, 2s);
  }
  const auto found = stationarity_of(tally);

  EXPECT_EQ(found.queued, 4U);  // 40 to 43.
  EXPECT_EQ(found.ticks, 256U);
  EXPECT_TRUE(found.found->is_steady);
}

TEST(Stationarity, OfATrialThatMeasuredNothingIsNothing) {
  const auto found = stationarity_of(TickTally({}, base::UnixNanos{0}));

  EXPECT_FALSE(found.is_judged());
  EXPECT_TRUE(describe(found).at("kpss").is_null());
  EXPECT_EQ(found.words(), "not judged: there are no ticks of which a rate was planned");
}

}  // namespace
}  // namespace flow::lab

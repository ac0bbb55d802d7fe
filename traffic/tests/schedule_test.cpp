// SPDX-License-Identifier: Apache-2.0
#include "traffic/schedule.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include <gmock/gmock.h>

#include "traffic/cascade.hpp"
#include "traffic/warp.hpp"

namespace flow::traffic {
namespace {

using base::Errc;
using base::Nanos;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;

constexpr Placement all_placements[] = {Placement::uniform, Placement::even, Placement::poisson};

ScheduleSpec study(std::uint64_t seed, Placement placement = Placement::uniform) {
  return {.requests_per_second = 300, .placement = placement, .seed = seed};
}

// Counts are those of the intended times, times are sorted and inside the schedule.
void expect_consistent(const Schedule& schedule) {
  EXPECT_TRUE(std::ranges::is_sorted(schedule.intended));
  ASSERT_FALSE(schedule.intended.empty());
  EXPECT_GE(schedule.intended.front(), Nanos{0});
  EXPECT_LT(schedule.intended.back(), schedule.duration);
  std::vector<std::uint64_t> counts(schedule.counts.size());
  for (const Nanos at : schedule.intended) {
    ++counts.at(static_cast<std::size_t>(at / schedule.tick));
  }
  EXPECT_EQ(counts, schedule.counts);
  EXPECT_EQ(schedule.hash, schedule_hash(schedule));
}

TEST(Schedule, HoldsSeventeenPercentInTheStudysBusiestSecond) {
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    const auto schedule = make_schedule(study(seed));
    ASSERT_TRUE(schedule) << schedule.error().what;
    EXPECT_EQ(schedule->intended.size(), 9600U);
    EXPECT_NEAR(static_cast<double>(*std::ranges::max_element(schedule->counts)), 1672, 1);
    EXPECT_EQ(schedule->duration, Nanos(seconds(32)));
  }
}

TEST(Schedule, IsConsistentForAllPlacementsAndSizes) {
  for (const Placement placement : all_placements) {
    for (const std::uint32_t ticks : {1U, 2U, 3U, 12U, 32U, 60U, 100U, 512U}) {
      SCOPED_TRACE(name_of(placement));
      SCOPED_TRACE(ticks);
      const auto schedule = make_schedule({.bias = 0.7,
                                           .ticks = ticks,
                                           .tick = milliseconds(250),
                                           .requests_per_second = 1000,
                                           .placement = placement,
                                           .seed = ticks});
      ASSERT_TRUE(schedule) << schedule.error().what;
      expect_consistent(*schedule);
      if (placement != Placement::poisson) {
        EXPECT_EQ(schedule->intended.size(), 250U * ticks);
      }
    }
  }
}

TEST(Schedule, RoundsTheTotalOnce) {
  for (const double rate : {0.5, 33.33, 99.99, 1000.0 / 3}) {
    for (const Placement placement : {Placement::uniform, Placement::even}) {
      const auto schedule = make_schedule({.ticks = 37,
                                           .tick = milliseconds(100),
                                           .requests_per_second = rate,
                                           .placement = placement,
                                           .seed = 5});
      ASSERT_TRUE(schedule);
      EXPECT_EQ(schedule->intended.size(), static_cast<std::size_t>(std::lround(rate * 3.7)));
    }
  }
}

TEST(Schedule, PlacesEvenlyByTheInverseOfTheCumulativeVolume) {
  const auto schedule = make_schedule({.bias = 0.7,
                                       .ticks = 8,
                                       .requests_per_second = 125,
                                       .placement = Placement::even,
                                       .seed = 42});
  const Warp warp(cascade(0.7, 3, 1000, 42));

  ASSERT_TRUE(schedule);
  ASSERT_EQ(schedule->intended.size(), 1000U);
  for (std::size_t k = 0; k < 1000; ++k) {
    const double expected = warp.time_of(static_cast<double>(k) + 0.5) * 1e9;
    EXPECT_NEAR(static_cast<double>(schedule->intended[k].count()), expected, 2) << k;
  }
}

TEST(Schedule, SameSeedSameNanosecondsOtherSeedOthers) {
  for (const Placement placement : all_placements) {
    const auto one = make_schedule(study(7, placement));
    const auto again = make_schedule(study(7, placement));
    const auto other = make_schedule(study(8, placement));
    ASSERT_TRUE(one && again && other);
    EXPECT_EQ(one->intended, again->intended);
    EXPECT_EQ(one->hash, again->hash);
    EXPECT_NE(one->hash, other->hash);
  }
}

// The hashes pin the schedule for good: results of two versions of Flow can be compared. They were
// computed by golden/schedule.py as well.
TEST(Schedule, HasThePinnedHashes) {
  const auto hash = [](Placement placement) {
    return format_hash(make_schedule(study(1, placement))->hash);
  };
  EXPECT_EQ(hash(Placement::uniform), "cc312905f0e0d8b5");
  EXPECT_EQ(hash(Placement::even), "b57c5331e0570b0c");
}

TEST(Schedule, HashSeesCountsAndEveryTime) {
  auto schedule = make_schedule(study(1)).value();
  const std::uint64_t hash = schedule.hash;
  ++schedule.intended[5000];
  EXPECT_NE(schedule_hash(schedule), hash);
  --schedule.intended[5000];
  EXPECT_EQ(schedule_hash(schedule), hash);
  ++schedule.counts[3];
  EXPECT_NE(schedule_hash(schedule), hash);
}

TEST(Schedule, PoissonHasARandomTotalWithTheRightMean) {
  double sum = 0;
  bool differs = false;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    const auto schedule = make_schedule(study(seed, Placement::poisson));
    ASSERT_TRUE(schedule);
    sum += static_cast<double>(schedule->intended.size());
    differs |= schedule->intended.size() != 9600;
  }
  EXPECT_TRUE(differs);
  EXPECT_NEAR(sum / 40, 9600, 4 * std::sqrt(9600.0 / 40));
}

TEST(Schedule, UniformPlacementFillsTheTickEvenly) {
  const auto schedule =
      make_schedule({.bias = 0.5, .ticks = 1, .requests_per_second = 100'000, .seed = 9}).value();
  std::vector<int> tenths(10);
  for (const Nanos at : schedule.intended) {
    ++tenths[static_cast<std::size_t>(at / milliseconds(100))];
  }
  for (const int tenth : tenths) EXPECT_NEAR(tenth, 10'000, 5 * std::sqrt(9000));
}

TEST(Schedule, CutsWhatIsNoPowerOfTwoAndKeepsTheTotal) {
  const auto full = make_schedule({.ticks = 64, .requests_per_second = 100, .seed = 3}).value();
  const auto cut = make_schedule({.ticks = 48, .requests_per_second = 100, .seed = 3}).value();

  EXPECT_EQ(cut.counts.size(), 48U);
  EXPECT_EQ(cut.intended.size(), 4800U);
  const auto share = [](const Schedule& schedule, std::size_t tick) {
    return static_cast<double>(schedule.counts[tick]) / static_cast<double>(schedule.counts[7]);
  };
  for (std::size_t tick = 0; tick < 48; ++tick)
    EXPECT_NEAR(share(full, tick), share(cut, tick), .2);
}

TEST(Schedule, TakesAShareForEveryLevel) {
  auto spec = study(4);
  spec.profile = {0.9, 0.5, 0.5, 0.5, 0.5};
  const auto schedule = make_schedule(spec);
  ASSERT_TRUE(schedule);
  const auto half = std::accumulate(schedule->counts.begin(), schedule->counts.begin() + 16, 0UL);
  EXPECT_EQ(std::max(half, 9600 - half), 8640U);

  spec.profile = {0.9};
  EXPECT_THAT(make_schedule(spec).error().what, HasSubstr("5 levels, found 1"));
  spec.profile = {0.9, 0.5, 0.5, 0.5, 1};
  EXPECT_THAT(make_schedule(spec).error().what, HasSubstr("from 0.5 to below 1"));
}

TEST(Schedule, NamesTheFieldThatIsWrong) {
  const auto error = [](auto change) {
    ScheduleSpec spec = study(1);
    change(spec);
    const auto schedule = make_schedule(spec);
    EXPECT_FALSE(schedule);
    EXPECT_EQ(schedule.error().code, Errc::config);
    return schedule.error().what;
  };
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();

  EXPECT_THAT(error([](auto& spec) { spec.bias = 0.49; }), HasSubstr("bias 0.49"));
  EXPECT_THAT(error([](auto& spec) { spec.bias = 1; }), HasSubstr("bias 1"));
  EXPECT_THAT(error([&](auto& spec) { spec.bias = nan; }), HasSubstr("bias nan"));
  EXPECT_THAT(error([](auto& spec) { spec.ticks = 0; }), HasSubstr("ticks 0"));
  EXPECT_THAT(error([](auto& spec) { spec.ticks = UINT32_MAX; }), HasSubstr("ticks"));
  EXPECT_THAT(error([](auto& spec) { spec.tick = Nanos{0}; }), HasSubstr("tick 0"));
  EXPECT_THAT(error([](auto& spec) { spec.tick = Nanos::max(); }), HasSubstr("7 days"));
  EXPECT_THAT(error([](auto& spec) { spec.requests_per_second = 0; }), HasSubstr("rate 0"));
  EXPECT_THAT(error([&](auto& spec) { spec.requests_per_second = nan; }), HasSubstr("rate nan"));
  EXPECT_THAT(error([&](auto& spec) { spec.requests_per_second = infinity; }), HasSubstr("rate"));
  EXPECT_THAT(error([](auto& spec) { spec.requests_per_second = 1e9; }), HasSubstr("requests"));
  EXPECT_THAT(error([](auto& spec) { spec.requests_per_second = 1e-9; }), HasSubstr("requests"));
}

TEST(ConstantSchedule, KeepsTheRateInEverySecond) {
  for (const Placement placement : {Placement::uniform, Placement::even}) {
    const auto schedule = constant_schedule(250, milliseconds(10'500), placement, 1);
    ASSERT_TRUE(schedule) << schedule.error().what;
    expect_consistent(*schedule);
    ASSERT_EQ(schedule->counts.size(), 11U);
    for (std::size_t i = 0; i < 10; ++i) EXPECT_EQ(schedule->counts[i], 250U);
    EXPECT_EQ(schedule->counts[10], 125U);
    EXPECT_EQ(schedule->duration, Nanos(milliseconds(10'500)));
  }
}

TEST(ConstantSchedule, WorksBelowOneSecondAndOneRequest) {
  const auto schedule = constant_schedule(10, milliseconds(300), Placement::even, 1);
  ASSERT_TRUE(schedule);
  expect_consistent(*schedule);
  EXPECT_EQ(schedule->intended.size(), 3U);
  EXPECT_FALSE(constant_schedule(0.1, seconds(1), Placement::even, 1));
  EXPECT_FALSE(constant_schedule(10, seconds(0), Placement::even, 1));
  EXPECT_FALSE(constant_schedule(10, hours(24 * 8), Placement::even, 1));
}

TEST(Placement, IsReadByItsName) {
  for (const Placement placement : all_placements) {
    EXPECT_EQ(parse_placement(name_of(placement)), placement);
  }
  EXPECT_THAT(parse_placement("random").error().what, HasSubstr("'random': expected uniform"));
}

}  // namespace
}  // namespace flow::traffic

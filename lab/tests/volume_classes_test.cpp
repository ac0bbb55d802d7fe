// SPDX-License-Identifier: Apache-2.0
#include "lab/join/volume_classes.hpp"

#include <cmath>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace flow::lab {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::int64_t start = 1'000'000'000'000;
constexpr std::int64_t ms = 1'000'000;

traffic::ScheduleSpec spec_of(double bias, std::uint32_t ticks, double rate) {
  return {.bias = bias, .ticks = ticks, .tick = 1s, .requests_per_second = rate, .seed = 42};
}

Ticks ticks_of(const traffic::ScheduleSpec& spec) {
  return lab::ticks_of(spec, traffic::make_schedule(spec)->counts);
}

// Two classes: ticks of one second with 10 and with 90 requests.
TickTally small_tally() {
  return {{.length = 1s, .classes = {0, 3, 0, 3}, .requests = {10, 90, 10, 90}},
          base::UnixNanos{start}};
}

TEST(VolumeClassesOfASchedule, HoldTheTicksOfTheBModelByHowOftenTheyWereTheHeavierHalf) {
  const auto spec = spec_of(0.705, 32, 300);
  const auto ticks = ticks_of(spec);
  std::map<std::size_t, std::size_t> sizes;
  for (const auto number : ticks.classes) ++sizes[number];

  EXPECT_THAT(sizes, ElementsAre(std::pair(0, 1), std::pair(1, 5), std::pair(2, 10),
                                 std::pair(3, 10), std::pair(4, 5), std::pair(5, 1)));
  for (std::size_t tick = 0; tick < 32; ++tick) {
    const auto j = static_cast<double>(ticks.classes[tick]);
    const double volume = 9600 * std::pow(0.705, j) * std::pow(0.295, 5 - j);
    EXPECT_NEAR(static_cast<double>(ticks.requests[tick]), volume, 1) << tick;
  }
}

TEST(VolumeClassesOfASchedule, AreTheSameWhereTheCascadeWasCutToALengthThatIsNoPowerOfTwo) {
  const auto ticks = ticks_of(spec_of(0.7, 24, 1000));

  ASSERT_THAT(ticks.classes, SizeIs(24));
  // The ratio of two ticks' requests is that of their classes.
  for (std::size_t tick = 1; tick < 24; ++tick) {
    const double steps =
        static_cast<double>(ticks.classes[tick]) - static_cast<double>(ticks.classes[0]);
    const double ratio = std::pow(0.7 / 0.3, steps);
    EXPECT_NEAR(
        static_cast<double>(ticks.requests[tick]) / static_cast<double>(ticks.requests[0]) / ratio,
        1, 0.05)
        << tick;
  }
}

TEST(VolumeClassesOfASchedule, AreOneWithoutBursts) {
  EXPECT_THAT(ticks_of(spec_of(0.5, 8, 100)).classes, testing::Each(0U));
  EXPECT_THAT(ticks_of(spec_of(0.7, 1, 100)).classes, ElementsAre(0U));
}

TEST(VolumeClassesOfASchedule, AreNoneWithoutASchedule) {
  EXPECT_THAT(lab::ticks_of(spec_of(0.7, 8, 100), {}).classes, IsEmpty());
}

TEST(TickTally, FilesAValueUnderTheClassOfTheTickInWhichItWasIntended) {
  auto tally = small_tally();

  tally.add(ClassHop::response_time, start + 999 * ms, 5ms);
  tally.add(ClassHop::response_time, start + 1000 * ms, 7s);  // Answered long after its tick.
  tally.add(ClassHop::publish_response, start + 3999 * ms, std::nullopt);
  tally.add(ClassHop::response_time, start - 1, 1ms);
  tally.add(ClassHop::response_time, start + 4000 * ms, 1ms);

  const auto& classes = tally.classes();
  ASSERT_THAT(classes, SizeIs(2));
  EXPECT_EQ(classes[0].hops[0].values.count(), 1U);
  EXPECT_EQ(classes[0].hops[0].values.max(), 5ms);
  EXPECT_EQ(classes[1].hops[0].values.max(), 7s);
  EXPECT_EQ(classes[1].hops[1].censored, 1U);
  EXPECT_EQ(classes[1].hops[1].values.count(), 0U);
}

TEST(TickTally, KnowsTheOfferedRateOfAClassFromThePlan) {
  const auto tally = small_tally();

  EXPECT_EQ(tally.classes()[0].ticks, 2U);
  EXPECT_EQ(tally.requests_per_second(tally.classes()[0]), 10);
  EXPECT_EQ(tally.requests_per_second(tally.classes()[1]), 90);
}

TEST(TickTally, TakesTheMeanOfTheLogarithmsOfATick) {
  auto tally = small_tally();
  tally.add(ClassHop::publish_response, start, 1ms);
  tally.add(ClassHop::publish_response, start, 100ms);
  tally.add(ClassHop::publish_response, start + 2000 * ms, std::nullopt);

  const auto means = tally.mean_logs(ClassHop::publish_response);

  EXPECT_NEAR(means[0], std::log(10e6), 1e-12);
  EXPECT_TRUE(std::isnan(means[1]));
  EXPECT_TRUE(std::isnan(means[2]));
}

TEST(TickTally, DescribesNoQuantileThatItsSamplesCannotTell) {
  auto tally = small_tally();
  for (int i = 0; i < 99; ++i) tally.add(ClassHop::response_time, start, 1ms);
  for (int i = 0; i < 98; ++i) tally.add(ClassHop::response_time, start + 1000 * ms, 1ms);
  for (int i = 0; i < 2; ++i) tally.add(ClassHop::response_time, start + 1000 * ms, std::nullopt);

  const auto rows = describe(tally, /*has_analytics=*/false);

  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].at("class").to_number<int>(), 0);
  EXPECT_TRUE(rows[0].at("response_time").at("p50_ns").is_int64());
  EXPECT_TRUE(rows[0].at("response_time").at("p99_ns").is_null());  // 99 samples.
  EXPECT_TRUE(rows[1].at("response_time").at("p50_ns").is_int64());
  EXPECT_TRUE(rows[1].at("response_time").at("p99_ns").is_null());  // Beyond what was measured.
  EXPECT_EQ(rows[1].at("response_time").at("censored").to_number<int>(), 2);
  EXPECT_EQ(rows[1].as_object().if_contains("queryable"), nullptr);
}

}  // namespace
}  // namespace flow::lab

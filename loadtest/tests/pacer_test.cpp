// SPDX-License-Identifier: Apache-2.0
#include "loadtest/pacer.hpp"

#include <algorithm>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "loadtest/shard.hpp"

namespace flow::loadtest {
namespace {

using namespace std::chrono_literals;

TEST(Pacer, DeliversAStallAsBacklogWithTheOriginalTimes) {
  const std::vector<Nanos> schedule = {0ms, 400ms, 400ms, 1200ms, 1900ms};
  Pacer punctual(schedule, TimePoint{});
  Pacer stalled(schedule, TimePoint{});
  std::vector<TimePoint> expected;
  std::vector<TimePoint> actual;

  for (TimePoint now{}; now < TimePoint{2s}; now += 1ms) {  // A fake clock: nothing sleeps.
    punctual.release_due(now, 10, [&](Slot, TimePoint at) { expected.push_back(at); });
  }
  stalled.release_due(TimePoint{1999ms}, 10, [&](Slot, TimePoint at) { actual.push_back(at); });

  EXPECT_EQ(actual.size(), schedule.size());
  EXPECT_EQ(actual, expected);
}

TEST(Pacer, SendsNothingEarlyAndNoMoreThanTheLimitAtOnce) {
  const std::vector<Nanos> schedule = {10ns, 20ns, 20ns, 20ns, 30ns};
  const TimePoint start{5s};
  Pacer pacer(schedule, start);
  std::vector<std::size_t> slots;
  const auto note = [&](Slot slot, TimePoint) { slots.push_back(index_of(slot)); };

  EXPECT_EQ(pacer.release_due(start + 9ns, 10, note), 0);
  EXPECT_EQ(pacer.release_due(start + 20ns, 2, note), 2);
  EXPECT_EQ(pacer.release_due(start + 20ns, 10, note), 2);
  EXPECT_EQ(pacer.next(), start + 30ns);
  EXPECT_FALSE(pacer.done());
  EXPECT_EQ(pacer.release_due(start + 1s, 10, note), 1);

  EXPECT_TRUE(pacer.done());
  EXPECT_EQ(slots, (std::vector<std::size_t>{0, 1, 2, 3, 4}));
}

// Goal: the requests do not depend on the number of threads. Method: put the stripes together
// again.
TEST(Stripe, CoversEverySlotOnceWhateverTheNumberOfShards) {
  std::vector<Nanos> schedule;
  for (int i = 0; i < 101; ++i) schedule.push_back(Nanos{i * i});

  for (std::size_t shards = 1; shards <= 7; ++shards) {
    SCOPED_TRACE(shards);
    std::vector<Nanos> rebuilt(schedule.size(), Nanos{-1});
    for (std::size_t shard = 0; shard < shards; ++shard) {
      const Stripe stripe{shard, shards};
      const std::vector<Nanos> slots = stripe_of(schedule, stripe);
      EXPECT_TRUE(std::ranges::is_sorted(slots));
      for (std::size_t i = 0; i < slots.size(); ++i) {
        EXPECT_EQ(rebuilt.at(stripe.global_of(Slot{i})), Nanos{-1});
        rebuilt.at(stripe.global_of(Slot{i})) = slots[i];
      }
    }
    EXPECT_EQ(rebuilt, schedule);
  }
}

}  // namespace
}  // namespace flow::loadtest

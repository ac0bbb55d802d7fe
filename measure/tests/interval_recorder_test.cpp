// SPDX-License-Identifier: Apache-2.0
#include "measure/interval_recorder.hpp"

#include <thread>

#include <gmock/gmock.h>

#include "base/clock.hpp"
#include "base/random.hpp"

namespace flow::measure {
namespace {

TEST(IntervalRecorder, HandsOverWhatWasRecordedSinceTheLastTake) {
  IntervalRecorder recorder;
  Histogram interval;
  recorder.record(Nanos{100});
  recorder.record(Nanos{300});

  recorder.take(interval);
  EXPECT_EQ(interval.count(), 2U);
  EXPECT_EQ(interval.max(), Nanos{300});

  recorder.record(Nanos{200});
  recorder.take(interval);
  EXPECT_EQ(interval.count(), 1U);
  EXPECT_EQ(interval.min(), Nanos{200});
  EXPECT_EQ(interval.max(), Nanos{200});

  recorder.take(interval);
  EXPECT_EQ(interval.count(), 0U);
}

// Goal: no value is lost, repeated or torn while one thread records and another takes as often as
// it can. Method: the merged intervals equal a histogram of all values. Run under ThreadSanitizer.
TEST(IntervalRecorder, NeitherLosesNorRepeatsAValueUnderConcurrentTakes) {
  constexpr int values = 400'000;
  const Histogram::Options options{.highest = std::chrono::seconds(1), .significant_digits = 2};
  IntervalRecorder recorder(options);
  Histogram expected(options), merged(options), interval(options);
  std::atomic<bool> is_done = false;

  std::thread writer([&] {
    base::SplitMix64 random(1);
    for (int i = 0; i < values; ++i) {
      const Nanos value{static_cast<std::int64_t>(random.next_below(1'000'000'001))};
      recorder.record(value);
      expected.record(value);
    }
    is_done = true;
  });
  int takes = 0;
  const base::TimePoint deadline = base::now() + std::chrono::seconds(50);
  while (!is_done && base::now() < deadline) {
    recorder.take(interval);
    merged.merge(interval);
    ++takes;
  }
  writer.join();
  recorder.take(interval);
  merged.merge(interval);

  EXPECT_GT(takes, 1);
  EXPECT_EQ(merged, expected);
  EXPECT_EQ(merged.count(), static_cast<std::uint64_t>(values));
}

}  // namespace
}  // namespace flow::measure

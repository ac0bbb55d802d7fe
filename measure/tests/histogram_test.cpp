// SPDX-License-Identifier: Apache-2.0
#include "measure/histogram.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include <gmock/gmock.h>

#include "base/random.hpp"

namespace flow::measure {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

// Values over many orders of magnitude, as latencies are.
std::vector<std::int64_t> spread_values(std::size_t count, std::uint64_t seed) {
  base::SplitMix64 random(seed);
  std::vector<std::int64_t> values;
  for (std::size_t i = 0; i < count; ++i) {
    values.push_back(static_cast<std::int64_t>(std::exp(random.next_unit() * 28)));
  }
  return values;
}

Histogram histogram_of(const std::vector<std::int64_t>& values, Histogram::Options options = {}) {
  Histogram histogram(options);
  for (const auto value : values) histogram.record(Nanos{value});
  return histogram;
}

TEST(Histogram, QuantileIsWithinOneThousandthOfTheOrderStatistic) {
  auto values = spread_values(10'007, 1);
  const Histogram histogram = histogram_of(values);
  std::ranges::sort(values);

  for (const double q : {0.0, 0.001, 0.1, 0.25, 0.5, 0.9, 0.99, 0.999, 0.9999, 1.0}) {
    SCOPED_TRACE(q);
    const std::int64_t exact = values[rank_of(q, values.size()) - 1];
    const std::int64_t read = histogram.quantile(q).count();
    EXPECT_GE(read, exact);
    EXPECT_LE(static_cast<double>(read - exact), 0.001 * static_cast<double>(exact));
  }
}

TEST(Histogram, RankIsTheCeilingOfTheDecimalProduct) {
  EXPECT_EQ(rank_of(0.07, 100), 7U);  // 0.07 * 100 is 7.000000000000001 in doubles.
  EXPECT_EQ(rank_of(0.99, 100), 99U);
  EXPECT_EQ(rank_of(0.99, 101), 100U);
  EXPECT_EQ(rank_of(0.999, 1'000'000), 999'000U);
  EXPECT_EQ(rank_of(0.999, 1'000'001), 999'001U);
  EXPECT_EQ(rank_of(0.0, 10), 1U);
  EXPECT_EQ(rank_of(1.0, 10), 10U);
  for (std::uint64_t percent = 1; percent <= 100; ++percent) {
    EXPECT_EQ(rank_of(static_cast<double>(percent) / 100, 100), percent);
  }
}

TEST(Histogram, EveryBucketHoldsItsBoundsAndTouchesTheNext) {
  for (const int digits : {1, 2, 3}) {
    for (const std::int64_t lowest : {1, 3, 1000}) {
      SCOPED_TRACE(digits);
      SCOPED_TRACE(lowest);
      Histogram histogram(
          {.lowest = Nanos{lowest}, .highest = Nanos{50'000'000}, .significant_digits = digits});
      for (std::int64_t value = 0; value <= 50'000'000; value += 1 + value / 3000) {
        histogram.record(Nanos{value});
      }

      Nanos next{0};
      std::uint64_t sum = 0;
      histogram.for_each_bucket([&](const Histogram::Bucket& bucket) {
        EXPECT_EQ(bucket.lower, next);
        EXPECT_LE((bucket.upper - bucket.lower).count(),
                  std::max(static_cast<double>(lowest),
                           static_cast<double>(bucket.lower.count()) * std::pow(0.1, digits)));
        next = bucket.upper + Nanos{1};
        sum += bucket.count;
      });

      EXPECT_EQ(sum, histogram.count());
    }
  }
}

TEST(Histogram, ReportsTheHighestEquivalentValueButNeverAboveTheMaximum) {
  Histogram histogram;
  histogram.record(Nanos{100'000});
  histogram.record(Nanos{1'000'003});

  EXPECT_EQ(histogram.quantile(0.5), Nanos{100'031});  // Bucket 99'968..100'031 is 64 ns wide.
  EXPECT_EQ(histogram.quantile(1.0), Nanos{1'000'003});
  EXPECT_EQ(histogram.min(), Nanos{100'000});
  EXPECT_EQ(histogram.max(), Nanos{1'000'003});
  EXPECT_EQ(histogram.mean(), Nanos{550'002});
}

TEST(Histogram, CountsOverflowInTheQuantileAndNeverClampsIt) {
  Histogram histogram;
  for (int i = 0; i < 98; ++i) histogram.record(milliseconds(1));
  histogram.record(hours(1));
  histogram.record(hours(1) + Nanos{1});

  EXPECT_EQ(histogram.count(), 100U);
  EXPECT_EQ(histogram.overflow(), 1U);
  EXPECT_EQ(histogram.quantile(0.99), Nanos(hours(1)));
  EXPECT_EQ(histogram.quantile(0.991), Nanos::max());
  EXPECT_EQ(histogram.max(), hours(1) + Nanos{1});
  EXPECT_EQ(histogram.mean(), Nanos::max());
}

TEST(Histogram, CountsNegativeValuesAtZeroAndShowsThem) {
  Histogram histogram;
  histogram.record(Nanos{-1500});
  histogram.record(Nanos{10});

  EXPECT_EQ(histogram.count(), 2U);
  EXPECT_EQ(histogram.negative(), 1U);
  EXPECT_EQ(histogram.quantile(0.5), Nanos{0});
  EXPECT_EQ(histogram.min(), Nanos{-1500});
}

TEST(Histogram, MergeOfPartsIsTheWhole) {
  auto values = spread_values(5'000, 2);
  values.push_back(Nanos(hours(2)).count());
  values.push_back(-7);
  const Histogram whole = histogram_of(values);

  for (const std::size_t parts : {2U, 3U, 17U}) {
    std::vector<Histogram> shards(parts);
    for (std::size_t i = 0; i < values.size(); ++i) shards[i % parts].record(Nanos{values[i]});
    Histogram merged;
    for (const auto& shard : shards) merged.merge(shard);

    EXPECT_EQ(merged, whole);
    EXPECT_EQ(merged.negative(), whole.negative());
    for (const double q : {0.01, 0.5, 0.99, 1.0}) EXPECT_EQ(merged.quantile(q), whole.quantile(q));
  }
}

TEST(Histogram, IsEmptyAgainAfterReset) {
  Histogram histogram = histogram_of(spread_values(1'000, 3));
  histogram.record(hours(2));

  histogram.reset();

  EXPECT_EQ(histogram, Histogram());
  EXPECT_EQ(histogram.quantile(0.99), Nanos{0});
  histogram.for_each_bucket([](const Histogram::Bucket&) { ADD_FAILURE(); });
}

TEST(Histogram, RecordingNTimesIsRecordingAgainAndAgain) {
  Histogram once, again;
  once.record_n(seconds(3), 1000);
  once.record_n(seconds(4), 0);
  for (int i = 0; i < 1000; ++i) again.record(seconds(3));

  EXPECT_EQ(once, again);
  EXPECT_EQ(once.mean(), again.mean());
}

TEST(Histogram, RefusesOptionsThatMakeNoHistogram) {
  EXPECT_FALSE(Histogram::are_valid({.significant_digits = 0}));
  EXPECT_FALSE(Histogram::are_valid({.significant_digits = 6}));
  EXPECT_FALSE(Histogram::are_valid({.lowest = Nanos{0}}));
  EXPECT_FALSE(Histogram::are_valid({.lowest = Nanos{10}, .highest = Nanos{19}}));
  EXPECT_TRUE(Histogram::are_valid({.lowest = Nanos{10}, .highest = Nanos{20}}));
  EXPECT_TRUE(Histogram::are_valid({.highest = Nanos::max()}));
  EXPECT_FALSE(Histogram::are_valid({.highest = Nanos::max(), .significant_digits = 5}));
  EXPECT_FALSE(Histogram::are_valid({.lowest = Nanos{1LL << 60}, .highest = Nanos::max()}));
}

TEST(HistogramDeathTest, RefusesToMergeDifferentOptions) {
  Histogram milliseconds_only({.lowest = milliseconds(1)});
  EXPECT_DEATH(milliseconds_only.merge(Histogram()), "broken invariant");
}

TEST(Histogram, RestoresWhatTheEncodingDoesNotCarryOnlyWhenItFits) {
  const auto fresh = [] {
    Histogram histogram;
    EXPECT_TRUE(histogram.add_to_bucket(1500, 10));
    EXPECT_TRUE(histogram.add_to_bucket(3000, 10));
    return histogram;
  };
  const Nanos low = fresh().min();
  const Nanos high = fresh().max();

  Histogram good = fresh();
  EXPECT_TRUE(good.restore(5, low, hours(3)));
  EXPECT_EQ(good.count(), 25U);
  EXPECT_EQ(good.quantile(0.81), Nanos::max());
  EXPECT_FALSE(fresh().restore(0, low - Nanos{1}, high));
  EXPECT_FALSE(fresh().restore(0, low, high + Nanos{1}));
  EXPECT_FALSE(fresh().restore(1, low, high));
  EXPECT_FALSE(fresh().restore(0, low, hours(2)));
  EXPECT_FALSE(fresh().restore(UINT64_MAX, low, hours(2)));
}

}  // namespace
}  // namespace flow::measure

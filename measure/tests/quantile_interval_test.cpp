// SPDX-License-Identifier: Apache-2.0
#include "measure/quantile_interval.hpp"

#include <gmock/gmock.h>

#include "base/random.hpp"
#include "measure/harrell_davis.hpp"

namespace flow::measure {
namespace {

TEST(QuantileRanks, ArePublishedValues) {
  EXPECT_EQ(quantile_ranks(100, 0.5, 0.95), (RankInterval{40, 61}));
  EXPECT_EQ(quantile_ranks(1000, 0.99, 0.95), (RankInterval{983, 997}));
  EXPECT_EQ(quantile_ranks(10'000, 0.99, 0.95), (RankInterval{9880, 9920}));
  EXPECT_EQ(quantile_ranks(10'000, 0.999, 0.95), (RankInterval{9983, 9997}));
}

TEST(QuantileRanks, EndNowhereWhereTheValuesAreTooFew) {
  EXPECT_EQ(quantile_ranks(367, 0.99, 0.95).upper, std::nullopt);
  EXPECT_EQ(quantile_ranks(368, 0.99, 0.95).upper, 368u);
  EXPECT_EQ(quantile_ranks(0, 0.99, 0.95), RankInterval{});
  EXPECT_EQ(quantile_ranks(10, 0.01, 0.95).lower, std::nullopt);
}

TEST(ValuesForUpperBound, ArePublishedValues) {
  EXPECT_EQ(values_for_upper_bound(0.99, 0.975), 368u);
  EXPECT_EQ(values_for_upper_bound(0.999, 0.975), 3'688u);
  EXPECT_EQ(values_for_upper_bound(0.9999, 0.975), 36'887u);
}

TEST(HarrellDavis, OfAHistogramIsThatOfItsValues) {
  base::SplitMix64 random(9);
  Histogram histogram;
  std::vector<double> values;
  for (int i = 0; i < 5'000; ++i) {
    const Nanos value{static_cast<std::int64_t>(1e6 * (1 + random.next_exponential()))};
    histogram.record(value);
    values.push_back(static_cast<double>(value.count()));
  }

  for (const double q : {0.1, 0.5, 0.9, 0.99, 0.999}) {
    const double exact = *harrell_davis(values, q);
    EXPECT_NEAR(*harrell_davis(histogram, q), exact, 0.001 * exact) << q;
    EXPECT_NEAR(static_cast<double>(histogram.quantile(q).count()), exact, 0.05 * exact) << q;
  }
}

TEST(HarrellDavis, OfNothingOrAnOverflowIsNone) {
  Histogram overflown({.highest = std::chrono::microseconds(1), .significant_digits = 3});
  overflown.record(std::chrono::seconds(1));

  EXPECT_FALSE(harrell_davis(std::vector<double>{}, 0.5));
  EXPECT_FALSE(harrell_davis(Histogram(), 0.5));
  EXPECT_FALSE(harrell_davis(overflown, 0.5));
}

TEST(HarrellDavis, OfMillionsOfRequestsIsStillTheirQuantile) {
  Histogram histogram;
  for (int i = 1; i <= 1'000; ++i) histogram.record_n(Nanos{i * 1'000'000}, 10'000);

  EXPECT_NEAR(*harrell_davis(histogram, 0.99), 990e6, 1.5e6);
}

}  // namespace
}  // namespace flow::measure

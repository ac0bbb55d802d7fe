// Every estimator against what NumPy, SciPy, statsmodels and plain enumeration in Python say about
// the same data. golden/make_statistics.py made the file.
// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <limits>
#include <numeric>

#include <gmock/gmock.h>

#include "base/json.hpp"
#include "measure/harrell_davis.hpp"
#include "measure/hodges_lehmann.hpp"
#include "measure/mann_whitney.hpp"
#include "measure/multiplicity.hpp"
#include "measure/noise_floor.hpp"
#include "measure/paired_t.hpp"
#include "measure/planning.hpp"
#include "measure/quantile_interval.hpp"
#include "measure/sign_flip.hpp"
#include "measure/signed_rank.hpp"
#include "measure/stationarity.hpp"
#include "measure/trend.hpp"
#include "measure/variance_components.hpp"

namespace flow::measure {
namespace {

namespace json = base::json;

const json::array& cases(std::string_view name) {
  static const json::value file =
      base::read_json_file(FLOW_SOURCE_DIR "/measure/tests/golden/statistics.json").value();
  return file.as_object().at(name).as_array();
}

double number(const json::value& value) { return value.to_number<double>(); }
double number(const json::value& object, std::string_view key) {
  return number(object.as_object().at(key));
}
std::size_t whole(const json::value& object, std::string_view key) {
  return static_cast<std::size_t>(number(object, key));
}

// 1e300 stands for infinity, which JSON has not.
std::vector<double> numbers(const json::value& object, std::string_view key) {
  std::vector<double> values;
  for (const auto& value : object.as_object().at(key).as_array()) {
    const double plain = number(value);
    values.push_back(std::abs(plain) == 1e300 ? std::copysign(HUGE_VAL, plain) : plain);
  }
  return values;
}

void expect_interval(const std::vector<double>& d, double confidence, const json::value& expected) {
  const auto interval = WalshAverages(d).interval(confidence);
  ASSERT_EQ(interval.has_value(), !expected.is_null());
  if (!interval) return;
  EXPECT_NEAR(interval->lower, number(expected.as_array()[0]), 1e-12);
  EXPECT_NEAR(interval->upper, number(expected.as_array()[1]), 1e-12);
}

TEST(StatisticsGolden, PairedDifferences) {
  for (const auto& item : cases("paired")) {
    const auto d = numbers(item, "d");
    const auto test = signed_rank_test(d);
    EXPECT_EQ(test.positive, number(item, "positive"));
    EXPECT_EQ(test.negative, number(item, "negative"));
    EXPECT_NEAR(test.p, number(item, "p"), 1e-12);
    EXPECT_NEAR(hodges_lehmann(d), number(item, "estimate"), 1e-12);
    expect_interval(d, 0.90, item.as_object().at("interval_90"));
    expect_interval(d, 0.95, item.as_object().at("interval_95"));
    expect_interval(d, 1 - 0.05 / 3, item.as_object().at("interval_9833"));
    EXPECT_NEAR(sign_flip_test(d).p, number(item, "flip_p"), 1e-12);
    if (!item.as_object().at("noise_floor").is_null()) {
      EXPECT_NEAR(*noise_floor(d), number(item, "noise_floor"), 1e-12);
    }
  }
}

TEST(StatisticsGolden, PairedT) {
  for (const auto& item : cases("paired")) {
    const auto test = paired_t_test(numbers(item, "d"));
    ASSERT_TRUE(test);
    EXPECT_NEAR(test->mean, number(item, "mean"), 1e-12);
    EXPECT_NEAR(test->sd, number(item, "sd"), 1e-12);
    EXPECT_NEAR(test->t, number(item, "t"), 1e-9);
    EXPECT_NEAR(test->p, number(item, "t_p"), 1e-12);
    EXPECT_NEAR(test->interval(0.95).lower, numbers(item, "t_95")[0], 1e-9);
    EXPECT_NEAR(test->interval(0.95).upper, numbers(item, "t_95")[1], 1e-9);
  }
}

TEST(StatisticsGolden, TiesAndZeros) {
  for (const auto& item : cases("tied")) {
    const auto d = numbers(item, "d");
    SCOPED_TRACE(testing::PrintToString(d));
    const auto test = signed_rank_test(d);
    EXPECT_EQ(test.positive, number(item, "positive"));
    EXPECT_EQ(test.negative, number(item, "negative"));
    EXPECT_NEAR(test.p, number(item, "p"), 1e-12);
    EXPECT_NEAR(sign_flip_test(d).p, number(item, "flip_p"), 1e-12);
    EXPECT_NEAR(hodges_lehmann(d), number(item, "estimate"), 1e-12);
  }
}

TEST(StatisticsGolden, InfiniteDifferences) {
  for (const auto& item : cases("infinite")) {
    const auto d = numbers(item, "d");
    SCOPED_TRACE(testing::PrintToString(d));
    const auto test = signed_rank_test(d);
    EXPECT_EQ(test.positive, number(item, "positive"));
    EXPECT_EQ(test.negative, number(item, "negative"));
    EXPECT_NEAR(test.p, number(item, "p"), 1e-12);
    EXPECT_NEAR(sign_flip_test(d).p, number(item, "flip_p"), 1e-12);
  }
}

TEST(StatisticsGolden, Multiplicity) {
  for (const auto& item : cases("multiplicity")) {
    const auto p = numbers(item, "p");
    EXPECT_THAT(holm(p), testing::Pointwise(testing::DoubleNear(1e-12), numbers(item, "holm")));
    EXPECT_THAT(benjamini_hochberg(p),
                testing::Pointwise(testing::DoubleNear(1e-12), numbers(item, "bh")));
  }
}

TEST(StatisticsGolden, QuantileRanks) {
  for (const auto& item : cases("ranks")) {
    const auto ranks =
        quantile_ranks(whole(item, "n"), number(item, "q"), number(item, "confidence"));
    EXPECT_EQ(ranks.lower.value_or(0), whole(item, "lower")) << json::serialize(item);
    EXPECT_EQ(ranks.upper.value_or(0), whole(item, "upper")) << json::serialize(item);
  }
}

TEST(StatisticsGolden, HarrellDavis) {
  for (const auto& item : cases("harrell_davis")) {
    const auto x = numbers(item, "x"), q = numbers(item, "q"), expected = numbers(item, "estimate");
    for (std::size_t i = 0; i < q.size(); ++i) {
      EXPECT_NEAR(*harrell_davis(x, q[i]), expected[i], 1e-9 * expected[i]);
    }
  }
}

TEST(StatisticsGolden, Series) {
  for (const auto& item : cases("series")) {
    const auto y = numbers(item, "y");
    std::vector<double> x(y.size());
    std::iota(x.begin(), x.end(), 0.0);
    const auto slope = numbers(item, "slope");

    EXPECT_EQ(kpss_lags(y.size()), whole(item, "lags"));
    EXPECT_NEAR(*kpss_level(y, 0), number(item, "kpss_0"), 1e-9);
    EXPECT_NEAR(*kpss_level(y, whole(item, "lags")), number(item, "kpss"), 1e-9);
    EXPECT_EQ(mser5(y)->values, whole(item, "mser5"));
    const auto trend = theil_sen(x, y);
    ASSERT_TRUE(trend);
    EXPECT_NEAR(trend->slope, slope[0], 1e-12);
    EXPECT_NEAR(trend->interval.lower, slope[1], 1e-12);
    EXPECT_NEAR(trend->interval.upper, slope[2], 1e-12);
  }
}

TEST(StatisticsGolden, UnpairedSamples) {
  for (const auto& item : cases("unpaired")) {
    const auto test = mann_whitney_test(numbers(item, "a"), numbers(item, "b"));
    EXPECT_EQ(test.u, number(item, "u"));
    EXPECT_NEAR(test.p, number(item, "p"), 1e-10);
    EXPECT_NEAR(shift_between(numbers(item, "a"), numbers(item, "b")), number(item, "shift"), 1e-9);
  }
}

TEST(StatisticsGolden, PowerOfSimulatedExperiments) {
  for (const auto& item : cases("plan")) {
    const double power = power_of(number(item, "effect"), whole(item, "k"), number(item, "alpha"));
    // Both sides are simulated, from 40,000 and 5,000 experiments.
    EXPECT_NEAR(power, number(item, "power"), 0.02) << json::serialize(item);
  }
}

TEST(StatisticsGolden, VarianceComponents) {
  for (const auto& item : cases("variance")) {
    const auto repetitions = numbers(item, "repetitions");
    const auto components = variance_components(
        numbers(item, "x"), std::vector<std::size_t>(repetitions.begin(), repetitions.end()));
    const auto best = best_repetitions(components, numbers(item, "costs"));

    EXPECT_THAT(components.of_means,
                testing::Pointwise(testing::DoubleNear(1e-9), numbers(item, "of_means")));
    EXPECT_THAT(components.own,
                testing::Pointwise(testing::DoubleNear(1e-9), numbers(item, "own")));
    for (std::size_t i = 0; i < best.size(); ++i) {
      EXPECT_EQ(static_cast<double>(best[i].value()), numbers(item, "best")[i]);
    }
  }
}

}  // namespace
}  // namespace flow::measure

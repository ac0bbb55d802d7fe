// SPDX-License-Identifier: Apache-2.0
#include "lab/join/steady_state.hpp"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.hpp"

namespace flow::lab {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Log response times around 15 (about 3 ms) with a little noise, and what is added to them.
template <class Extra>
std::vector<double> series(std::size_t seconds, Extra extra) {
  base::SplitMix64 random(7);
  std::vector<double> values;
  for (std::size_t i = 0; i < seconds; ++i) {
    const double noise = 0.02 * (random.next_unit() + random.next_unit() - 1);
    values.push_back(15 + noise + extra(static_cast<double>(i)));
  }
  return values;
}

TEST(SteadyState, IsReachedByAConstantLevel) {
  const auto found = steadiness_of(series(60, [](double) { return 0.0; }));

  EXPECT_EQ(found.is_steady, true) << found.words;
  EXPECT_EQ(found.seconds, 60U);
}

TEST(SteadyState, IsNotReachedWhileAJvmWarmsUp) {
  const auto found = steadiness_of(series(60, [](double t) { return 0.5 * std::exp(-t / 60); }));

  EXPECT_EQ(found.is_steady, false) << found.words;
  EXPECT_LT(*found.drift_per_minute, -0.1);
  EXPECT_THAT(found.words, HasSubstr("not settled"));
}

TEST(SteadyState, ForgetsTheBeginningOfALongWarmUp) {
  const auto found = steadiness_of(series(200, [](double t) { return t < 100 ? 1.0 : 0.0; }));

  EXPECT_EQ(found.is_steady, true) << found.words;
  EXPECT_EQ(found.seconds, steady_seconds_max);
}

TEST(SteadyState, IsNotJudgedFromAFewSeconds) {
  const auto found = steadiness_of(series(29, [](double) { return 0.0; }));

  EXPECT_FALSE(found.is_steady);
  EXPECT_THAT(found.words, HasSubstr("too few"));
}

struct NoSink final : loadtest::RequestSink {
  void on_request(const loadtest::RequestEntry&) override { ++requests; }
  int requests = 0;
};

TEST(SecondsOfResponse, HandsAllOnAndAveragesAnswersByIntendedSecond) {
  NoSink next;
  SecondsOfResponse seconds(next);
  const auto request = [&](std::int64_t second, double ms, std::uint16_t status = 200) {
    loadtest::RequestEntry entry;
    entry.intended = second * 1'000'000'000 + 500;
    entry.answered = entry.intended + static_cast<std::int64_t>(ms * 1e6);
    entry.status = status;
    entry.end = loadtest::RequestEnd::answered;
    seconds.on_request(entry);
  };
  request(1, 1);
  request(2, 1);
  request(2, 4);
  request(2, 1000, 500);
  request(3, 2);

  EXPECT_THAT(seconds.values(), ElementsAre(DoubleNear(std::log(2e6), 1e-6)));
  EXPECT_EQ(next.requests, 5);
}

}  // namespace
}  // namespace flow::lab

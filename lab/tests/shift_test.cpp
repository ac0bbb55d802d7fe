// SPDX-License-Identifier: Apache-2.0
#include "lab/judge/shift.hpp"

#include <cmath>
#include <deque>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.hpp"
#include "measure/hdr_codec.hpp"

namespace flow::lab {
namespace {

using base::Nanos;
using base::json::object;
using base::json::value;
using testing::HasSubstr;

// A trial of `count` events whose logarithms spread evenly over `spread` around `middle_ns`.
value trial(double middle_ns, double spread, int count = 4000, std::uint64_t censored = 0) {
  measure::Histogram values;
  for (int i = 0; i < count; ++i) {
    const double place = (i + 0.5) / count - 0.5;
    values.record(Nanos{static_cast<std::int64_t>(middle_ns * std::exp(spread * place))});
  }
  object hop{{"count", count},
             {"censored", censored},
             {"overflow", 0},
             {"hdr_v2", measure::encode_hdr(values)}};
  return object{{"valid", true},
                {"platform_fell_over", false},
                {"hops", {{"publish_response", std::move(hop)}}}};
}

class Pairs {
 public:
  void add(value first, value second) {
    const value& a = trials_.emplace_back(std::move(first));
    const value& b = trials_.emplace_back(std::move(second));
    blocks_.push_back({static_cast<std::uint32_t>(blocks_.size() + 1), &a, &b, nullptr});
  }
  Shift shift() const { return shift_of(blocks_, "publish_response"); }
  std::string sentence() const { return sentence_of(shift(), "Kafka", "Pulsar"); }

 private:
  std::deque<value> trials_;
  std::vector<BlockTrials> blocks_;
};

// Each block a little different, as blocks are.
Pairs pairs(int blocks, double ratio, double first_spread, double second_spread) {
  base::SplitMix64 random(5);
  Pairs result;
  for (int i = 0; i < blocks; ++i) {
    const double noise = 1 + 0.02 * (random.next_unit() - 0.5);
    result.add(trial(5e6, first_spread), trial(5e6 * ratio * noise, second_spread));
  }
  return result;
}

TEST(Shift, FindsThePlatformThatIsLowerEverywhere) {
  const auto found = pairs(10, 0.5, 2, 2);
  const auto shift = found.shift();

  ASSERT_EQ(shift.points.size(), 12U);
  for (const auto& point : shift.points) EXPECT_NEAR(point.log_ratio, std::log(0.5), 0.02);
  EXPECT_FALSE(shift.crosses);
  EXPECT_EQ(found.sentence(), "Pulsar is lower at p10 to p99.9; no quantile shows the opposite.");
}

TEST(Shift, SaysThatCurvesCrossAndWhere) {
  // Equal medians: the wider one is lower below and higher above.
  const auto found = pairs(10, 1, 1, 3);

  EXPECT_TRUE(found.shift().crosses);
  EXPECT_THAT(found.sentence(), HasSubstr("Pulsar is lower at p10 to p40, Kafka at p60 to p99.9"));
  EXPECT_THAT(found.sentence(), HasSubstr("Never summarise this level by one number"));
}

TEST(Shift, ShowsNothingWherePlatformsAreAlike) {
  base::SplitMix64 random(6);
  Pairs found;
  for (int i = 0; i < 10; ++i) {
    found.add(trial(5e6, 2), trial(5e6 * std::exp(0.1 * (random.next_unit() - 0.5)), 2));
  }

  EXPECT_EQ(found.sentence(), "No quantile shows a difference.");
}

TEST(Shift, HasNoBandBelowNineBlocks) {
  const auto found = pairs(8, 0.5, 2, 2);

  EXPECT_FALSE(found.shift().points[0].band);
  EXPECT_THAT(found.sentence(), HasSubstr("Too few blocks for a band"));
  const auto described = describe(found.shift(), "publish_response", "Kafka", "Pulsar");
  EXPECT_TRUE(described.at("points").at(0).at("lower").is_null());
  EXPECT_FALSE(described.at("points").at(0).at("has_band").as_bool());
}

TEST(Shift, LeavesOutAQuantileThatFewSamplesCannotTell) {
  Pairs found;
  for (int i = 0; i < 10; ++i) found.add(trial(5e6, 2, 999), trial(4e6, 2, 999));
  const auto shift = found.shift();

  EXPECT_EQ(shift.blocks[10], 10U);  // p99
  EXPECT_EQ(shift.blocks[11], 0U);   // p99.9
  EXPECT_TRUE(describe(shift, "publish_response", "Kafka", "Pulsar")
                  .at("points")
                  .at(11)
                  .at("ratio")
                  .is_null());
}

TEST(Shift, RanksWhatNeverEndedAndAPlatformThatFellOverAboveEveryValue) {
  Pairs found;
  for (int i = 0; i < 9; ++i) found.add(trial(5e6, 2), trial(4e6, 2, 4000, 200));
  auto fallen = trial(4e6, 2);
  fallen.as_object()["platform_fell_over"] = true;
  found.add(trial(5e6, 2), std::move(fallen));
  const auto shift = found.shift();

  EXPECT_TRUE(std::isinf(shift.points[10].log_ratio));  // p99: 4.8 % never ended.
  EXPECT_LT(shift.points[0].log_ratio, 0);
  EXPECT_EQ(shift.blocks[0], 10U);
}

TEST(Shift, TakesNoTrialThatIsNotValidOrWhoseHistogramCannotBeRead) {
  Pairs found;
  auto invalid = trial(5e6, 2);
  invalid.as_object()["valid"] = false;
  found.add(std::move(invalid), trial(4e6, 2));
  auto broken = trial(5e6, 2);
  broken.at("hops").at("publish_response").as_object()["hdr_v2"] = "HISTFAAAbroken";
  found.add(trial(4e6, 2), std::move(broken));
  found.add(object{}, nullptr);

  EXPECT_THAT(found.shift().blocks, testing::Each(0U));
}

}  // namespace
}  // namespace flow::lab

// SPDX-License-Identifier: Apache-2.0
#include "lab/judge/load_curve.hpp"

#include <cmath>
#include <deque>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace flow::lab {
namespace {

using base::json::array;
using base::json::object;
using base::json::value;
using testing::SizeIs;

object hop(double p50_ns, value p99_ns, int count = 1000) {
  return {{"count", count}, {"censored", 0}, {"p50_ns", p50_ns}, {"p99_ns", std::move(p99_ns)}};
}

// Classes 0, 1, 2 at 10, 100 and 1,000 requests/s whose p99 grows as rate^slope.
value trial(double p50_ns, double slope) {
  array classes;
  for (int j = 0; j < 3; ++j) {
    const double rate = std::pow(10, j + 1);
    classes.push_back(object{{"class", j},
                             {"requests_per_second", rate},
                             {"ticks", j == 1 ? 2 : 1},
                             {"publish_response", hop(p50_ns, 1e6 * std::pow(rate, slope))}});
  }
  return object{{"valid", true}, {"platform_fell_over", false}, {"classes", std::move(classes)}};
}

class Blocks {
 public:
  void add(value first, value second) {
    const value& a = trials_.emplace_back(std::move(first));
    const value& b = trials_.emplace_back(std::move(second));
    blocks_.push_back({static_cast<std::uint32_t>(blocks_.size() + 1), &a, &b, nullptr});
  }
  LoadCurves curves() const { return load_curves_of(blocks_); }

 private:
  std::deque<value> trials_;
  std::vector<BlockTrials> blocks_;
};

TEST(LoadCurve, IsTheMedianOverBlocksOfEachClass) {
  Blocks blocks;
  for (const double p50 : {1e6, 9e6, 2e6}) blocks.add(trial(p50, 0.5), trial(2 * p50, 0.5));

  const auto curves = blocks.curves();

  ASSERT_THAT(curves, SizeIs(1));
  const auto& curve = curves.at("publish_response");
  ASSERT_THAT(curve, SizeIs(3));
  EXPECT_EQ(curve[1].requests_per_second, 100);
  EXPECT_EQ(curve[1].ticks, 2U);
  EXPECT_EQ(curve[1].first.p50_ns, 2e6);
  EXPECT_EQ(curve[1].second.p50_ns, 4e6);
  EXPECT_EQ(curve[1].first.blocks, 3U);
}

TEST(LoadCurve, LeavesOutTrialsThatAreNotValidAndRanksThoseThatFellOverWorst) {
  Blocks blocks;
  value invalid = trial(1, 1);
  invalid.as_object()["valid"] = false;
  value fallen = trial(1, 1);
  fallen.as_object()["platform_fell_over"] = true;
  blocks.add(trial(1e6, 1), std::move(fallen));
  blocks.add(std::move(invalid), trial(2e6, 1));
  blocks.add(trial(3e6, 1), nullptr);

  const auto curve = blocks.curves().at("publish_response");

  EXPECT_EQ(curve[0].first.blocks, 2U);
  EXPECT_EQ(curve[0].first.p50_ns, 2e6);
  EXPECT_EQ(curve[0].second.blocks, 2U);
  EXPECT_TRUE(std::isinf(curve[0].second.p50_ns));
  EXPECT_TRUE(
      describe(blocks.curves()).at("publish_response").at(0).at("second").at("p50_ns").is_null());
}

TEST(LoadCurve, TellsAQuantileBeyondWhatWasMeasuredFromOneThatFewSamplesCannotTell) {
  Blocks blocks;
  const auto with = [](int count) {
    value one = trial(1e6, 1);
    one.at("classes").at(0).as_object()["publish_response"] = hop(1e6, nullptr, count);
    return one;
  };
  blocks.add(with(100), with(99));

  const auto curve = blocks.curves().at("publish_response");

  EXPECT_TRUE(std::isinf(curve[0].first.p99_ns));
  EXPECT_TRUE(std::isnan(curve[0].second.p99_ns));
}

TEST(LoadCurve, SaysHowMuchTheTailAnswersToTheLoad) {
  Blocks blocks;
  blocks.add(trial(1e6, 0.5), trial(1e6, 2));

  const auto elasticity = describe_elasticity(blocks.curves(), "publish_response");

  EXPECT_NEAR(elasticity.at("at_requests_per_second").as_double(), (10 + 200 + 1000) / 4.0, 1e-9);
  EXPECT_NEAR(elasticity.at("first").as_double(), 0.5, 1e-12);
  EXPECT_NEAR(elasticity.at("second").as_double(), 2, 1e-12);
}

TEST(LoadCurve, OfTrialsWithoutClassesIsEmpty) {
  Blocks blocks;
  blocks.add(object{{"valid", true}}, nullptr);

  EXPECT_THAT(blocks.curves(), SizeIs(0));
  EXPECT_TRUE(describe_elasticity(blocks.curves(), "publish_response").at("first").is_null());
}

}  // namespace
}  // namespace flow::lab

// What is asked and when: the probe's sample and the plan of the dashboard queries.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <set>

#include <gtest/gtest.h>

#include "analytics/probe.hpp"
#include "analytics/query_load.hpp"

namespace flow::analytics {
namespace {

using namespace std::chrono_literals;

std::vector<ProbeTarget> candidates_at(const std::vector<base::Nanos>& times) {
  std::vector<ProbeTarget> candidates;
  for (const auto at : times) candidates.push_back({candidates.size() + 1, at, 1});
  return candidates;
}

TEST(ProbeSample, TakesOneOfEverySlotHoweverManyABurstHas) {
  std::vector<base::Nanos> times = {100ms};
  for (int i = 0; i < 1000; ++i) times.push_back(500ms + i * 100us);  // A burst.
  times.push_back(2600ms);

  const auto targets = sample_targets(candidates_at(times), 2, 7);  // Slots of half a second.

  ASSERT_EQ(targets.size(), 3U);
  EXPECT_EQ(targets[0].request, 1U);
  EXPECT_GE(targets[1].intended, 500ms);
  EXPECT_LT(targets[1].intended, 1s);
  EXPECT_EQ(targets[2].intended, 2600ms);
}

TEST(ProbeSample, IsDrawnByItsSeed) {
  std::vector<base::Nanos> times;
  for (int i = 0; i < 1000; ++i) times.push_back(i * 1ms);
  const auto requests = [&](std::uint64_t seed) {
    std::vector<std::uint64_t> found;
    for (const auto& target : sample_targets(candidates_at(times), 10, seed)) {
      found.push_back(target.request);
    }
    return found;
  };

  EXPECT_EQ(requests(1), requests(1));
  EXPECT_NE(requests(1), requests(2));
}

TEST(ProbeSample, IsEmptyWithoutABudgetOrCandidates) {
  EXPECT_TRUE(sample_targets(candidates_at({1s}), 0, 1).empty());
  EXPECT_TRUE(sample_targets({}, 5, 1).empty());
}

TEST(QueryPlan, HasAsManyQueriesAsTheRateAsksForInOrderOfTime) {
  const auto plan = make_query_plan(3, 2.5, 8s, 1);

  ASSERT_EQ(plan.size(), 20U);
  EXPECT_TRUE(std::ranges::is_sorted(plan, {}, &PlannedQuery::intended));
  EXPECT_GE(plan.front().intended, 0s);
  EXPECT_LT(plan.back().intended, 8s);
}

TEST(QueryPlan, AsksEveryQueryOnceInEveryRound) {
  const auto plan = make_query_plan(4, 10, 10s, 3);

  for (std::size_t round = 0; round < plan.size(); round += 4) {
    std::set<std::uint16_t> asked;
    for (std::size_t i = 0; i < 4; ++i) asked.insert(plan[round + i].query);
    EXPECT_EQ(asked, (std::set<std::uint16_t>{0, 1, 2, 3}));
  }
}

TEST(QueryPlan, IsEmptyWhereThereIsNothingToAsk) {
  EXPECT_TRUE(make_query_plan(0, 10, 10s, 1).empty());
  EXPECT_TRUE(make_query_plan(3, 0, 10s, 1).empty());
}

}  // namespace
}  // namespace flow::analytics

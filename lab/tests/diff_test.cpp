// SPDX-License-Identifier: Apache-2.0
#include "lab/judge/diff.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace flow::lab {
namespace {

using base::json::array;
using base::json::object;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// `times`: of a p99 that differs a little from block to block.
object result_of(int blocks, double times, const char* host = "a") {
  array trials;
  for (int block = 1; block <= blocks; ++block) {
    const double noise = 1 + 0.004 * ((block * 7) % 5);
    trials.push_back(
        {{"cell", "kafka-fsync-1"},
         {"workload", "bursts"},
         {"block", block},
         {"valid", true},
         {"is_repeat", false},
         {"schedule_hash", "54d2"},
         {"hops", {{"publish_response", {{"count", 100}, {"p99_ns", 1e7 * times * noise}}}}}});
  }
  return {{"experiment", {{"host", {{"host_name", host}}}}}, {"trials", std::move(trials)}};
}

Change change_between(const object& before, const object& after) {
  const auto diff = diff_results(before, after, "", 0.1);
  EXPECT_TRUE(diff) << diff.error().what;
  return diff ? diff->worst() : Change::unknown;
}

TEST(Diff, CallsAResultWorseThatIsHigherByMoreThanTheMargin) {
  EXPECT_EQ(change_between(result_of(8, 1), result_of(8, 1.5)), Change::worse);
}

TEST(Diff, CallsAResultBetterThatIsLowerByMoreThanTheMargin) {
  EXPECT_EQ(change_between(result_of(8, 1), result_of(8, 0.5)), Change::better);
}

TEST(Diff, CallsAChangeWithinTheMarginNone) {
  EXPECT_EQ(change_between(result_of(8, 1), result_of(8, 1.01)), Change::same);
}

TEST(Diff, CannotTellFromThreeBlocks) {
  EXPECT_EQ(change_between(result_of(3, 1), result_of(3, 1.5)), Change::unknown);
}

TEST(Diff, LeavesTheTrialOfTheNullBrokerOut) {
  object before = result_of(8, 1), after = result_of(8, 1.01);
  for (object* result : {&before, &after}) {
    object null = result->at("trials").at(0).as_object();
    null["cell"] = "null";
    null["block"] = 0;
    result->at("trials").as_array().push_back(std::move(null));
  }

  const auto diff = diff_results(before, after, "", 0.1);

  ASSERT_TRUE(diff) << diff.error().what;
  EXPECT_EQ(diff->cells.size(), 1u);
  EXPECT_EQ(diff->worst(), Change::same);
}

TEST(Diff, BeginsItsTableWithTheWorstChange) {
  const auto diff = diff_results(result_of(8, 1), result_of(8, 1.5), "", 0.1);

  ASSERT_TRUE(diff) << diff.error().what;
  EXPECT_THAT(markdown_of(*diff), StartsWith("**p99 of publish response: worse** (1 of 1 cell)"));
}

TEST(Diff, SaysWhatMakesTheComparisonWeaker) {
  const auto diff = diff_results(result_of(8, 1, "a"), result_of(8, 1, "b"), "", 0.1);

  ASSERT_TRUE(diff) << diff.error().what;
  EXPECT_THAT(diff->notes, Contains(HasSubstr("'a' before, 'b' after")));
  EXPECT_THAT(markdown_of(*diff), HasSubstr("| kafka-fsync-1 |"));
}

TEST(Diff, RefusesResultsWithNothingInCommonAndAMetricThatIsNone) {
  object other = result_of(8, 1);
  for (auto& trial : other.at("trials").as_array()) trial.as_object()["cell"] = "pulsar-fsync-1";

  EXPECT_THAT(diff_results(result_of(8, 1), other, "", 0.1).error().what, HasSubstr("no cell"));
  EXPECT_THAT(diff_results(result_of(8, 1), result_of(8, 1), "latency", 0.1).error().what,
              HasSubstr("<hop>_<quantile>"));
}

}  // namespace
}  // namespace flow::lab

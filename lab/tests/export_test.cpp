// SPDX-License-Identifier: Apache-2.0
#include "lab/result/export.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace flow::lab {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using ::testing::StartsWith;

base::json::object result_of(std::string_view trials) {
  return base::parse_json(fmt::format(R"({{"experiment": {{}}, "trials": [{}]}})", trials), "test")
      ->get_object();
}

constexpr std::string_view two_trials = R"(
  {"trial": 1, "id": "001-kafka", "platform": "kafka", "valid": true,
   "hops": {"end_to_end": {"count": 5, "p50_ns": 7, "p99_9_ns": null, "hdr_v2": "HIST"}},
   "per_second": [{"second": 0, "intended": 3}],
   "gates": [{"name": "steal", "holds": false, "words": "a \"word\", and more"}]},
  {"trial": 2, "id": "002-pulsar", "platform": "pulsar", "valid": false,
   "per_second": [{"second": 0, "intended": 3, "queryable_p50_ns": 9}]})";

TEST(Export, HasARowForEveryHopWithItsTrial) {
  const auto tables = tables_of(result_of(two_trials));

  const auto& hops = tables.at(0);
  EXPECT_EQ(hops.name, "hops");
  ASSERT_THAT(hops.rows, SizeIs(1));
  EXPECT_EQ(csv_text(hops),
            "trial,id,platform,level,workload,block,seed,is_repeat,state,valid,hop,count,censored,"
            "overflow,min_ns,mean_ns,p50_ns,p90_ns,p99_ns,p99_9_ns,max_ns\r\n"
            "1,001-kafka,kafka,,,,,,,true,end_to_end,5,,,,,7,,,,\r\n");
}

TEST(Export, GivesEveryRowOfATableTheSameColumns) {
  const auto seconds = tables_of(result_of(two_trials)).at(1);

  ASSERT_THAT(seconds.rows, SizeIs(2));
  EXPECT_EQ(seconds.columns.back(), "queryable_p50_ns");
  EXPECT_THAT(seconds.rows, Each(SizeIs(seconds.columns.size())));
  EXPECT_THAT(json_lines_text(seconds), HasSubstr(R"("intended":3,"queryable_p50_ns":null})"));
}

TEST(Export, QuotesWhatCsvWouldBreakOn) {
  EXPECT_THAT(csv_text(tables_of(result_of(two_trials)).at(2)),
              HasSubstr("\"a \"\"word\"\", and more\""));
}

TEST(Export, TakesAResultWithoutTrials) {
  const auto tables = tables_of(result_of(""));

  EXPECT_THAT(tables, SizeIs(4));
  EXPECT_THAT(csv_text(tables.at(0)), StartsWith("trial,id,"));
  EXPECT_EQ(json_lines_text(tables.at(3)), "");
}

}  // namespace
}  // namespace flow::lab

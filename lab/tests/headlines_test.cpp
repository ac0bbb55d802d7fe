// SPDX-License-Identifier: Apache-2.0
#include "lab/result/headlines.hpp"

#include <chrono>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lab/join/hops.hpp"
#include "lab/tests/scratch_folder.hpp"

namespace flow::lab {
namespace {

using namespace std::chrono_literals;
using base::json::object;
using base::json::value;
using testing::HasSubstr;

class HeadlinesTest : public testing::Test {
 protected:
  HeadlinesTest() {
    folder_.append("experiment.json",
                   R"({"name": "demo", "host": {"cpu_model": "c", "kernel": "k"},
                       "levels": {"a": {"promises": "p", "like_for_like": true, "kafka": {}}},
                       "workloads": {"w": {"users": 1, "facts": {"volumes": [1]}}}})");
  }

  // So many events of this response time, and so many without one.
  void trial(const std::string& id, const std::string& cell, base::Nanos each, std::uint64_t count,
             std::uint64_t censored = 0, std::string_view state = "complete") {
    Hop hop;
    hop.values.record_n(each, count);
    hop.censored = censored;
    const object document{{"cell", cell},
                          {"platform", "kafka"},
                          {"level", "a"},
                          {"workload", "w"},
                          {"state", state},
                          {"valid", id != "2"},
                          {"hops", object{{"publish_response", describe(hop)}}}};
    folder_.append("trials/" + id + "/trial.json", base::pretty_json(document));
  }

  value cell(std::size_t nth) {
    const auto all = headlines(folder_.path());
    EXPECT_TRUE(all) << all.error().what;
    return all->at("cells").at(nth);
  }

  test::ScratchFolder folder_;
};

// A quantile of all samples, which the mean or the median of two quantiles is not.
TEST_F(HeadlinesTest, TakesQuantilesFromTheMergedHistogramsOfACell) {
  trial("1", "kafka-a", 1ms, 980);
  trial("2", "kafka-a", 100ms, 20);
  trial("3", "pulsar-a", 5ms, 10);

  const value kafka = cell(0);
  EXPECT_EQ(kafka.at("id").as_string(), "kafka-a");
  EXPECT_EQ(kafka.at("trials").to_number<int>(), 2);
  EXPECT_EQ(kafka.at("trials_valid").to_number<int>(), 1);
  const value& hop = kafka.at("hops").at("publish_response");
  EXPECT_EQ(hop.at("count").to_number<int>(), 1000);
  EXPECT_NEAR(hop.at("p50_ns").to_number<double>(), 1e6, 1e3);
  EXPECT_NEAR(hop.at("p99_ns").to_number<double>(), 100e6, 1e5);
  EXPECT_EQ(hop.at("max_ns").to_number<std::int64_t>(), 100'000'000);
  EXPECT_EQ(cell(1).at("id").as_string(), "pulsar-a");
}

TEST_F(HeadlinesTest, CountsWhatWasNotAnsweredAndSaysNullBeyondIt) {
  trial("1", "kafka-a", 1ms, 900, 100);

  const value hop = cell(0).at("hops").at("publish_response");
  EXPECT_NEAR(hop.at("p50_ns").to_number<double>(), 1e6, 1e3);
  EXPECT_TRUE(hop.at("p99_ns").is_null());
  EXPECT_TRUE(hop.at("max_ns").is_null());
}

TEST_F(HeadlinesTest, LeavesTrialsThatAreNotCompleteOutOfTheNumbers) {
  trial("1", "kafka-a", 1ms, 10);
  trial("3", "kafka-a", 1s, 1000, 0, "partial");

  const value kafka = cell(0);
  EXPECT_EQ(kafka.at("trials").to_number<int>(), 2);
  EXPECT_EQ(kafka.at("trials_complete").to_number<int>(), 1);
  EXPECT_EQ(kafka.at("hops").at("publish_response").at("count").to_number<int>(), 10);
}

TEST_F(HeadlinesTest, SaysWhatDecidesWhetherResultsMayBeCompared) {
  const auto all = headlines(folder_.path());

  ASSERT_TRUE(all) << all.error().what;
  const auto& experiment = all->at("experiment").as_object();
  EXPECT_EQ(experiment.at("host").at("cpu_model").as_string(), "c");
  EXPECT_EQ(experiment.at("levels").at("a").at("promises").as_string(), "p");
  EXPECT_FALSE(experiment.at("workloads").at("w").as_object().contains("facts"));
  EXPECT_TRUE(all->at("cells").as_array().empty());
}

TEST_F(HeadlinesTest, NamesTheTrialThatCannotBeRead) {
  folder_.append("trials/007-x/trial.json", R"({"state": "complete", "hops": {"end_to_end": {}}})");

  const auto all = headlines(folder_.path());

  ASSERT_FALSE(all);
  EXPECT_THAT(all.error().what, HasSubstr("007-x: /hops/end_to_end"));
}

}  // namespace
}  // namespace flow::lab

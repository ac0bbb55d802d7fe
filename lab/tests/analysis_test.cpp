// SPDX-License-Identifier: Apache-2.0
#include "lab/judge/analysis.hpp"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lab/plan/plan.hpp"

namespace flow::lab {
namespace {

using base::json::array;
using base::json::object;
using ::testing::HasSubstr;
using ::testing::SizeIs;

object trial_of(std::string_view platform, int block, double p99_ns, bool is_valid = true) {
  return {{"platform", platform},
          {"cell", std::string(platform) + "-fsync-1"},
          {"level", "fsync-1"},
          {"workload", "bursts"},
          {"block", block},
          {"valid", is_valid},
          {"platform_fell_over", false},
          {"is_repeat", false},
          {"phases", {{"measured", {{"events", {{"acked", 1000}}}}}}},
          {"resources", array{object{{"role", std::string(platform) + "-1"},
                                     {"cpu_seconds", 2.0},
                                     {"write_bytes", 5000}}}},
          {"hops", {{"publish_response", {{"count", 1000}, {"p99_ns", p99_ns}}}}}};
}

object experiment_of(bool like_for_like = true) {
  const object effective{{"platforms", {"kafka", "pulsar"}},
                         {"levels", {"fsync-1"}},
                         {"margin", 0.1},
                         {"primary", "publish_response_p99"},
                         {"analytics", false}};
  const object plan{{"blocks", 8}};
  return {{"effective", effective},
          {"plan", plan},
          {"preregistered_sha256", preregistration_of(effective, plan)},
          {"levels", {{"fsync-1", {{"like_for_like", like_for_like}}}}}};
}

// Kafka's p99 is 10 ms and a little more in each block, Pulsar's `ratio` times that.
object result_of(int blocks, double ratio, bool like_for_like = true) {
  array trials;
  for (int block = 1; block <= blocks; ++block) {
    const double kafka = 1e7 * (1 + 0.01 * block);
    trials.push_back(trial_of("kafka", block, kafka));
    trials.push_back(trial_of("pulsar", block, kafka * ratio * (1 + 0.001 * (block % 3))));
    object repeat = trial_of("kafka", block, kafka * (1 + 0.002 * (block % 2)));
    repeat["is_repeat"] = true;
    trials.push_back(std::move(repeat));
  }
  return {{"experiment", experiment_of(like_for_like)}, {"trials", std::move(trials)}};
}

TEST(Analysis, PairsThePlatformsOfEachBlockAndTheRepeatsWithTheirCell) {
  const auto input = analysis_input(result_of(8, 0.5));

  ASSERT_TRUE(input) << input.error().what;
  ASSERT_THAT(input->inference.levels, SizeIs(1));
  const auto& level = input->inference.levels[0];
  EXPECT_EQ(level.level, "fsync-1");
  EXPECT_EQ(level.primary.metric, "p99 of publish response");
  ASSERT_THAT(level.primary.blocks, SizeIs(8));
  EXPECT_NEAR(level.primary.blocks[2].second / level.primary.blocks[2].first, 0.5, 1e-9);
  ASSERT_THAT(level.same, SizeIs(8));
  EXPECT_NEAR(level.same[1].second / level.same[1].first, 1.0, 1e-9);
}

TEST(Analysis, SaysInASentenceWhichPlatformIsLower) {
  const auto analysis = analyse(result_of(8, 0.5));

  ASSERT_TRUE(analysis) << analysis.error().what;
  const std::string sentence(analysis->at("sentences").at(0).as_string());
  EXPECT_THAT(sentence, HasSubstr("Pulsar"));
  EXPECT_THAT(sentence, HasSubstr("fsync-1"));
  EXPECT_EQ(analysis->at("levels").at(0).at("verdict").as_string(), "lower");
  EXPECT_TRUE(analysis->at("preregistered").as_bool());
}

TEST(Analysis, GivesNoVerdictBelowSevenBlocks) {
  const auto analysis = analyse(result_of(3, 0.5));

  ASSERT_TRUE(analysis) << analysis.error().what;
  EXPECT_EQ(analysis->at("levels").at(0).at("verdict").as_string(), "estimate");
}

TEST(Analysis, PutsNotLikeForLikeBeforeTheSentence) {
  const auto analysis = analyse(result_of(8, 0.5, /*like_for_like=*/false));

  ASSERT_TRUE(analysis) << analysis.error().what;
  EXPECT_TRUE(analysis->at("sentences").at(0).as_string().starts_with("NOT LIKE FOR LIKE"));
}

TEST(Analysis, LeavesATrialOutThatIsNotValidAndRanksOneThatFellOverWorst) {
  object result = result_of(8, 0.5);
  auto& trials = result.at("trials").as_array();
  trials[0].as_object()["valid"] = false;                                       // Kafka, block 1.
  trials[4].as_object()["platform_fell_over"] = true;                           // Pulsar, block 2.
  trials[7].at("hops").at("publish_response").as_object()["p99_ns"] = nullptr;  // Pulsar, block 3.

  const auto input = analysis_input(result);

  ASSERT_TRUE(input) << input.error().what;
  const auto& blocks = input->inference.levels[0].primary.blocks;
  EXPECT_TRUE(std::isnan(blocks[0].first));
  EXPECT_TRUE(std::isinf(blocks[1].second));
  EXPECT_TRUE(std::isinf(blocks[2].second));
}

// Levels differ in noise: the inference scales a floor that it borrows, which copied pairs would
// hide.
TEST(Analysis, LendsNoLevelTheRepeatsOfAnother) {
  object result = result_of(8, 0.5);
  const object same_again = result;
  auto& trials = result.at("trials").as_array();
  for (const auto& trial : same_again.at("trials").as_array()) {
    if (trial.at("is_repeat").as_bool()) continue;
    object other = trial.as_object();
    other["level"] = "page-cache-1";
    other["cell"] = std::string(other.at("platform").as_string()) + "-page-cache-1";
    trials.push_back(std::move(other));
  }

  const auto input = analysis_input(result);

  ASSERT_TRUE(input) << input.error().what;
  ASSERT_THAT(input->inference.levels, SizeIs(2));
  EXPECT_THAT(input->inference.levels[0].same, SizeIs(8));
  EXPECT_THAT(input->inference.levels[1].same, SizeIs(0));
}

TEST(Analysis, SaysOfALevelWhatOneNumberLeavesOut) {
  const auto analysis = analyse(result_of(8, 0.5));

  ASSERT_TRUE(analysis) << analysis.error().what;
  const auto& level = analysis->at("levels").at(0).as_object();
  EXPECT_EQ(level.at("shift").at("hop").as_string(), "publish_response");
  EXPECT_EQ(level.at("shift").at("points").as_array().size(), 12U);
  EXPECT_TRUE(level.at("classes").is_object());
  EXPECT_EQ(level.at("elasticity").at("hop").as_string(), "publish_response");
  // result_of(): Kafka again is 1 + 0.002 (block % 2) times Kafka.
  EXPECT_EQ(level.at("components").at("same_pairs").to_number<int>(), 8);
  EXPECT_NEAR(level.at("components").at("variance_run_to_run").as_double(),
              std::pow(std::log(1.002), 2) / 4, 1e-12);
}

TEST(Analysis, SeesThatThePlanWasChangedAfterTheStart) {
  object result = result_of(8, 0.5);
  result.at("experiment").at("effective").as_object()["margin"] = 0.5;

  const auto analysis = analyse(result);

  ASSERT_TRUE(analysis) << analysis.error().what;
  EXPECT_FALSE(analysis->at("preregistered").as_bool());
}

// Only what Kafka did.
object one_platform() {
  object result = result_of(8, 0.5);
  array trials;
  for (const auto& trial : result.at("trials").as_array()) {
    if (trial.at("platform") == "kafka") trials.push_back(trial);
  }
  result["trials"] = std::move(trials);
  return result;
}

TEST(Analysis, ComparesNothingWithOnePlatform) {
  const auto analysis = analyse(one_platform());

  ASSERT_TRUE(analysis) << analysis.error().what;
  EXPECT_THAT(analysis->at("levels").as_array(), SizeIs(0));
}

TEST(Analysis, ComparesTheValuesOfWhatIsVariedOnOnePlatform) {
  object result = one_platform();
  auto& trials = result.at("trials").as_array();
  array halved;
  for (const auto& trial : trials) {
    if (trial.at("is_repeat").as_bool()) continue;
    object other = trial.as_object();
    other["cell"] = "kafka-fsync-1-broker_cpus=0.5";
    auto& p99 = other["hops"].at("publish_response").as_object()["p99_ns"];
    p99 = 3 * p99.to_number<double>();
    halved.push_back(std::move(other));
  }
  trials.insert(trials.end(), halved.begin(), halved.end());
  const auto cell = [](const char* id, const char* cpus) {
    return object{{"id", id},
                  {"platform", "kafka"},
                  {"level", "fsync-1"},
                  {"workload", "bursts"},
                  {"settings", {{"broker_cpus", cpus}}}};
  };
  result.at("experiment").at("plan").as_object()["cells"] =
      array{cell("kafka-fsync-1", "0"), cell("kafka-fsync-1-broker_cpus=0.5", "0.5")};

  const auto analysis = analyse(result);

  ASSERT_TRUE(analysis) << analysis.error().what;
  EXPECT_THAT(std::string(analysis->at("sentences").at(0).as_string()),
              HasSubstr("Kafka (broker_cpus all) has the lower p99 of publish response"));
}

TEST(Analysis, AnswersTheQuestionsOfTheFileByName) {
  object result = result_of(8, 0.5, false);
  result.at("experiment").at("effective").as_object()["questions"] =
      array{object{{"name", "RQ1"}, {"text", "Which is lower?"}, {"levels", array{"fsync-1"}}},
            object{{"name", "RQ2"}, {"text", "And there?"}, {"levels", array{"strong"}}}};

  const auto analysis = analyse(result);

  ASSERT_TRUE(analysis) << analysis.error().what;
  const auto& questions = analysis->at("questions").as_array();
  ASSERT_THAT(questions, SizeIs(2));
  EXPECT_EQ(questions[0].at("name"), "RQ1");
  EXPECT_THAT(std::string(questions[0].at("sentences").at(0).as_string()),
              HasSubstr("NOT LIKE FOR LIKE: At level fsync-1, Pulsar"));
  EXPECT_THAT(questions[1].at("sentences").as_array(), SizeIs(0));
}

TEST(Analysis, SaysWhatAPilotTeachesAndWhatFlowItselfAdds) {
  object result = one_platform();
  result.at("experiment").at("effective").as_object()["pilot"] = true;
  result.at("experiment").at("plan").as_object()["primaries"] = 3;
  object null_trial = trial_of("null", 0, 2e6);
  null_trial["id"] = "001-null";
  null_trial["state"] = "complete";
  null_trial["hops"].at("publish_response").as_object()["p50_ns"] = 1e6;
  result.at("trials").as_array().push_back(std::move(null_trial));

  const auto analysis = analyse(result);

  ASSERT_TRUE(analysis) << analysis.error().what;
  const auto& sentences = analysis->at("sentences").as_array();
  ASSERT_THAT(sentences, SizeIs(2));
  EXPECT_THAT(std::string(sentences[0].as_string()), HasSubstr("8 A/A pairs"));
  EXPECT_THAT(std::string(sentences[1].as_string()), HasSubstr("p99 of 2.00 ms"));
  EXPECT_EQ(analysis->at("pilot").as_array().size(), 1U);
}

}  // namespace
}  // namespace flow::lab

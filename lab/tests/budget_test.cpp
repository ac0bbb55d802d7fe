// SPDX-License-Identifier: Apache-2.0
#include "lab/budget.hpp"

#include <cmath>
#include <numbers>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.hpp"
#include "lab/judge/diff.hpp"
#include "lab/plan/estimate.hpp"

namespace flow::lab {
namespace {

using namespace std::chrono_literals;
using base::json::array;
using base::json::object;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Experiment experiment_of(const std::string& more = "") {
  auto experiment = parse_experiment(
      "name: x\nplatforms: [kafka, pulsar]\nlevels: [fsync-1]\nworkloads: [{name: w}]\n" + more,
      "x.yaml");
  EXPECT_TRUE(experiment) << experiment.error().what;
  return experiment.value_or(Experiment{});
}

TEST(Budget, TakesAsManyBlocksAsFit) {
  Experiment experiment = experiment_of();

  const auto plan = fit_into_budget(experiment, 60min);

  ASSERT_TRUE(plan) << plan.error().what;
  EXPECT_GE(plan->blocks, 7u);
  EXPECT_EQ(experiment.blocks, plan->blocks);
  EXPECT_EQ(experiment.seeds.size(), plan->blocks);
  EXPECT_TRUE(experiment.with_repeats);
  EXPECT_EQ(plan->estimated, estimated_duration(experiment));
  EXPECT_LE(plan->estimated, 54min);
  Experiment more = experiment;
  more.blocks += 1;
  more.seeds.push_back(4711);
  EXPECT_GT(estimated_duration(more), 54min);
}

// A level without A/A runs K P, P K, K P: each block is spared another start, and so not as long.
TEST(Budget, TakesAsManyBlocksAsFitWhereServersGoOn) {
  for (auto budget = 90min; budget < 180min; budget += 3min) {
    SCOPED_TRACE(budget.count());
    Experiment experiment = experiment_of("reuse: level\n");
    experiment.levels = {"weak", "fsync-1", "strong"};

    const auto plan = fit_into_budget(experiment, budget);

    ASSERT_TRUE(plan) << plan.error().what;
    const base::Nanos usable = base::Nanos(budget) * 9 / 10;
    EXPECT_LE(plan->estimated, usable);
    experiment.blocks += 1;
    experiment.seeds.push_back(4711);
    EXPECT_GT(estimated_duration(experiment), usable);
  }
}

TEST(Budget, RefusesATimeInWhichNothingCanBeDecided) {
  Experiment experiment = experiment_of();

  const auto plan = fit_into_budget(experiment, 5min);

  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().code, base::Errc::config);
  EXPECT_THAT(plan.error().what, HasSubstr("--budget 5:00: 7 blocks"));
  EXPECT_THAT(plan.error().what, HasSubstr("expected"));
}

// What the refusal asks for is enough.
TEST(Budget, AcceptsTheTimeThatItsRefusalNames) {
  Experiment experiment = experiment_of("blocks: 7\n");
  const auto least = estimated_duration(experiment);

  EXPECT_FALSE(fit_into_budget(experiment, least));
  const auto plan = fit_into_budget(experiment, least + least / 9 + 1s);

  ASSERT_TRUE(plan) << plan.error().what;
  EXPECT_EQ(plan->blocks, 7u);
}

TEST(Budget, NeedsMoreBlocksWhereMoreCellsAreCompared) {
  Experiment experiment = experiment_of();
  experiment.levels = {"fsync-1", "page-cache-1"};

  const auto plan = fit_into_budget(experiment, 10h);

  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->comparisons, 4u);
  EXPECT_EQ(plan->blocks_min, 8u);
}

TEST(Budget, KeepsTheSeedsOfTheFileAndGoesOnBehindThem) {
  Experiment experiment = experiment_of("blocks: 2\nseeds: [100, 7]\n");
  Experiment seven = experiment;
  seven.with_repeats = true;
  seven.blocks = 7;
  seven.seeds.resize(7);
  const auto least = estimated_duration(seven);

  ASSERT_TRUE(fit_into_budget(experiment, least + least / 9 + 1s));

  EXPECT_THAT(experiment.seeds, ElementsAre(100, 7, 101, 102, 103, 104, 105));
}

object with_repeats(int pairs) {
  array trials;
  for (int block = 1; block <= pairs; ++block) {
    for (const bool is_again : {true, false}) {
      const double p99 = is_again ? (block % 2 == 0 ? 1.1e7 : 1e7 / 1.1) : 1e7;
      trials.push_back({{"cell", "kafka-fsync-1"},
                        {"block", block},
                        {"valid", true},
                        {"is_repeat", is_again},
                        {"hops", {{"publish_response", {{"count", 9}, {"p99_ns", p99}}}}}});
    }
  }
  return {{"trials", std::move(trials)}};
}

// Two trials of a cell differ by sd, as a change of it does from one without a change.
object noisy_result(const BudgetPlan& plan, double times, double sd, base::SplitMix64& random) {
  array trials;
  for (std::uint32_t block = 1; block <= plan.blocks; ++block) {
    for (const bool is_again : {false, true}) {
      double normal = -6;  // Of twelve uniform ones.
      for (int i = 0; i < 12; ++i)
        normal += static_cast<double>(random.next_below(1 << 20)) / (1 << 20);
      const double p99 = 1e7 * times * std::exp(sd / std::numbers::sqrt2 * normal);
      trials.push_back({{"cell", "kafka-fsync-1"},
                        {"block", block},
                        {"valid", true},
                        {"is_repeat", is_again},
                        {"hops", {{"publish_response", {{"count", 9}, {"p99_ns", p99}}}}}});
    }
  }
  return {{"experiment", object{}}, {"trials", std::move(trials)}};
}

TEST(Noise, IsWhatPairsOfEqualTrialsDifferBy) {
  const auto noise = noise_of(with_repeats(8), "publish_response_p99", "results/x");

  ASSERT_TRUE(noise);
  EXPECT_EQ(noise->pairs, 8u);
  EXPECT_GT(noise->sd, std::log(1.1));  // An upper bound of it.
  EXPECT_LT(noise->sd, 2 * std::log(1.1));
  EXPECT_FALSE(noise_of(with_repeats(3), "publish_response_p99", ""));
  EXPECT_FALSE(noise_of(object{}, "publish_response_p99", ""));
}

TEST(Noise, SaysHowSmallAChangeCanBeSeen) {
  BudgetPlan plan;
  plan.detectable_in_sd = 1.5;
  plan.blocks = 8;

  EXPECT_THAT(words_of(plan, Noise{0.1, 8, "results/x"}),
              HasSubstr("28 % (two equal trials differ by 11 %, from 8 A/A pairs of results/x)"));
  EXPECT_THAT(words_of(plan, Noise{2.0, 7, "x"}),
              HasSubstr("a factor of 22.1 (two equal trials differ by a factor of 7.4"));
  EXPECT_THAT(words_of(plan, std::nullopt), HasSubstr("16 % where two equal trials differ by 3 %"));
}

// Four times in five: what the words promise, tried on results that differ by so much.
TEST(Noise, TellsTheChangeThatIsCalledWorseFourTimesInFive) {
  constexpr double sd = 0.05;
  Experiment experiment = experiment_of();
  experiment.platforms = {"kafka"};
  const auto plan = fit_into_budget(experiment, 20min);
  ASSERT_TRUE(plan) << plan.error().what;
  const double change = std::exp(plan->smallest_worse(sd));
  base::SplitMix64 random(7);
  int found = 0;
  for (int round = 0; round < 400; ++round) {
    const auto before = noisy_result(*plan, 1, sd, random),
               after = noisy_result(*plan, change, sd, random);
    const auto diff = diff_results(before, after, "publish_response_p99", plan->margin);
    found += diff && diff->worst() == Change::worse ? 1 : 0;
  }

  EXPECT_GT(found, 400 * 0.72);
  EXPECT_LT(found, 400 * 0.88);
}

}  // namespace
}  // namespace flow::lab

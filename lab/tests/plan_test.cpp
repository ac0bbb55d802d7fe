// SPDX-License-Identifier: Apache-2.0
#include "lab/plan/plan.hpp"

#include <map>
#include <set>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace flow::lab {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

Experiment experiment_of(std::vector<std::string> levels, std::uint32_t blocks) {
  Experiment experiment;
  experiment.name = "plan";
  experiment.platforms = {"kafka", "pulsar"};
  experiment.levels = std::move(levels);
  experiment.workloads = {Workload{}};
  experiment.blocks = blocks;
  for (std::uint64_t block = 0; block < blocks; ++block) experiment.seeds.push_back(42 + block);
  return experiment;
}

TEST(WilliamsSquare, IsThePublishedOneForSix) {
  EXPECT_THAT(williams_square(6),
              ElementsAre(ElementsAre(0, 1, 5, 2, 4, 3), ElementsAre(1, 2, 0, 3, 5, 4),
                          ElementsAre(2, 3, 1, 4, 0, 5), ElementsAre(3, 4, 2, 5, 1, 0),
                          ElementsAre(4, 5, 3, 0, 2, 1), ElementsAre(5, 0, 4, 1, 3, 2)));
}

TEST(WilliamsSquare, BalancesPlacesAndNeighboursForEveryNumberOfCells) {
  for (std::size_t n = 2; n <= 12; ++n) {
    SCOPED_TRACE(n);
    const auto rows = williams_square(n);
    std::map<std::pair<std::size_t, std::size_t>, int> at_place, behind;

    for (const auto& row : rows) {
      EXPECT_EQ(std::set<std::size_t>(row.begin(), row.end()).size(), n);
      for (std::size_t place = 0; place < n; ++place) {
        ++at_place[{row[place], place}];
        if (place > 0) ++behind[{row[place - 1], row[place]}];
      }
    }

    const int times = n % 2 == 0 ? 1 : 2;
    EXPECT_EQ(at_place.size(), n * n);
    EXPECT_EQ(behind.size(), n * (n - 1));
    for (const auto& [where, count] : at_place) EXPECT_EQ(count, times);
    for (const auto& [pair, count] : behind) EXPECT_EQ(count, times);
  }
}

TEST(WilliamsSquare, HasOneRowForOneCell) {
  EXPECT_THAT(williams_square(1), ElementsAre(ElementsAre(0), ElementsAre(0)));
}

TEST(Plan, RunsEveryCellOnceInEveryBlock) {
  const auto experiment = experiment_of({"fsync-1", "default", "weak"}, 7);

  const Plan plan = make_plan(experiment);

  ASSERT_EQ(plan.trials.size(), 42U);
  for (std::size_t block = 0; block < 7; ++block) {
    std::set<std::size_t> cells;
    for (std::size_t i = 0; i < 6; ++i) {
      const auto& trial = plan.trials[6 * block + i];
      cells.insert(trial.cell);
      EXPECT_EQ(trial.block, block + 1);
      EXPECT_EQ(trial.seed, experiment.seeds[block]);
    }
    EXPECT_EQ(cells.size(), 6U);
  }
  EXPECT_EQ(trial_id(plan, plan.trials[0]), "001-" + plan.cells[plan.trials[0].cell].id);
}

TEST(Plan, LetsEachOfTwoPlatformsBeginEquallyOften) {
  const auto experiment = experiment_of({"fsync-1"}, 8);

  const Plan plan = make_plan(experiment);

  int kafka_first = 0;
  for (std::size_t i = 0; i < plan.trials.size(); i += 2) kafka_first += plan.trials[i].cell == 0;
  EXPECT_EQ(kafka_first, 4);
}

TEST(Plan, DependsOnTheSeeds) {
  auto experiment = experiment_of({"fsync-1", "default", "weak"}, 6);
  const auto cells_of = [&] {
    std::vector<std::size_t> cells;
    for (const auto& trial : make_plan(experiment).trials) cells.push_back(trial.cell);
    return cells;
  };
  const auto once = cells_of();

  EXPECT_EQ(cells_of(), once);
  experiment.seeds.front() = 4711;
  EXPECT_NE(cells_of(), once);
}

TEST(Plan, RunsOneCellAgainInEveryBlockFirstAndLastInTurn) {
  auto experiment = experiment_of({"fsync-1", "default", "weak"}, 2);
  experiment.with_repeats = true;

  const Plan plan = make_plan(experiment);

  ASSERT_EQ(plan.trials.size(), 14U);
  EXPECT_TRUE(plan.trials[6].is_repeat);
  EXPECT_TRUE(plan.trials[7].is_repeat);
  EXPECT_EQ(plan.cells[plan.trials[6].cell].id, "kafka-default");
  EXPECT_EQ(trial_id(plan, plan.trials[6]), "007-kafka-default-aa");
}

// "1:kafka-fsync-1 2:pulsar-fsync-1", A/A trials with a star.
std::string order_of(const Plan& plan) {
  std::string text;
  for (const auto& trial : plan.trials) {
    text += fmt::format("{}{}:{}{}", text.empty() ? "" : " ", trial.block,
                        plan.cells[trial.cell].id, trial.is_repeat ? "*" : "");
  }
  return text;
}

TEST(Plan, GoesForthAndBackOnReusedServersLevelByLevel) {
  auto experiment = experiment_of({"fsync-1", "weak"}, 3);
  experiment.reuses_servers = true;

  EXPECT_EQ(order_of(make_plan(experiment)),
            "1:kafka-fsync-1 1:pulsar-fsync-1 2:pulsar-fsync-1 2:kafka-fsync-1 3:kafka-fsync-1 "
            "3:pulsar-fsync-1 1:kafka-weak 1:pulsar-weak 2:pulsar-weak 2:kafka-weak 3:kafka-weak "
            "3:pulsar-weak");
}

TEST(Plan, PutsCellsThatShareServersBesideEachOther) {
  auto experiment = experiment_of({"fsync-1"}, 1);
  experiment.reuses_servers = true;
  Workload calm;
  calm.name = "calm";
  experiment.workloads.push_back(calm);

  EXPECT_EQ(order_of(make_plan(experiment)),
            "1:kafka-fsync-1-bursts 1:kafka-fsync-1-calm 1:pulsar-fsync-1-bursts "
            "1:pulsar-fsync-1-calm");
}

TEST(Plan, RunsTheNullBrokerOnceBeforeTheBlocks) {
  auto experiment = experiment_of({"fsync-1"}, 2);
  experiment.with_null_broker = true;

  const Plan plan = make_plan(experiment);

  ASSERT_EQ(plan.trials.size(), 5U);
  EXPECT_EQ(plan.trials[0].block, 0U);
  EXPECT_EQ(trial_id(plan, plan.trials[0]), "001-null");
  EXPECT_EQ(plan.primaries, 1U);
}

TEST(Plan, OfAPilotIsPairsOfTheSameCellWithOtherTraffic) {
  auto experiment = experiment_of({"fsync-1", "weak"}, 10);
  experiment.name = "study";

  const Experiment pilot = pilot_of(experiment);
  const Plan plan = make_plan(pilot);

  EXPECT_EQ(pilot.name, "study-pilot");
  EXPECT_EQ(plan.primaries, 2U);
  ASSERT_EQ(plan.trials.size(), 16U);
  std::map<std::pair<std::uint32_t, std::size_t>, int> runs, repeats;
  for (const auto& trial : plan.trials) {
    ++runs[{trial.block, trial.cell}];
    repeats[{trial.block, trial.cell}] += trial.is_repeat ? 1 : 0;
    EXPECT_EQ(plan.cells[trial.cell].platform, "kafka");
    EXPECT_THAT(experiment.seeds, Not(Contains(trial.seed)));
  }
  for (const auto& [where, count] : runs) EXPECT_EQ(count, 2);
  for (const auto& [where, count] : repeats) EXPECT_EQ(count, 1);
}

TEST(Plan, MakesACellOfEachValueForThePlatformsThatHaveTheSetting) {
  auto experiment = experiment_of({"fsync-1"}, 1);
  experiment.vary = {{"producer.linger_ms", {"0", "5"}},
                     {"kafka.broker.num.io.threads", {"4", "8"}}};

  const Plan plan = make_plan(experiment);

  std::vector<std::string> ids;
  for (const auto& cell : plan.cells) ids.push_back(cell.id);
  EXPECT_THAT(ids, ElementsAre("kafka-fsync-1-linger_ms=0-num.io.threads=4",
                               "kafka-fsync-1-linger_ms=0-num.io.threads=8",
                               "kafka-fsync-1-linger_ms=5-num.io.threads=4",
                               "kafka-fsync-1-linger_ms=5-num.io.threads=8",
                               "pulsar-fsync-1-linger_ms=0", "pulsar-fsync-1-linger_ms=5"));
  EXPECT_EQ(plan.trials.size(), 6U);
}

TEST(Plan, PutsWhatIsVariedIntoTheLevelOfACell) {
  auto experiment = experiment_of({"fsync-1"}, 1);
  experiment.vary = {{"producer.linger_ms", {"0", "7"}}, {"broker_cpus", {"0", "0.5"}}};
  const auto level = servers::load_level("fsync-1");
  ASSERT_TRUE(level);
  const Plan plan = make_plan(experiment);

  const Cell& last = plan.cells.back();
  const auto varied = level_of(last, *level);

  ASSERT_TRUE(varied) << varied.error().what;
  EXPECT_EQ(last.id, "pulsar-fsync-1-linger_ms=7-broker_cpus=0.5");
  EXPECT_THAT(varied->pulsar.producer, Contains(Pair("linger_ms", "7")));
  EXPECT_EQ(varied->kafka.producer, level->kafka.producer);
  EXPECT_EQ(broker_cpus_of(last, experiment), 0.5);
}

TEST(Plan, RefusesASettingThatALevelDoesNotHave) {
  const auto level = servers::load_level("fsync-1");
  ASSERT_TRUE(level);
  Cell cell{"k", "kafka", "fsync-1", 0, {{"producer.linger", "1"}}};

  const auto varied = level_of(cell, *level);

  ASSERT_FALSE(varied);
  EXPECT_THAT(varied.error().what,
              AllOf(HasSubstr("kafka.producer.linger"), HasSubstr("linger_ms")));
  cell.settings = {{"produces.linger_ms", "1"}};
  EXPECT_THAT(level_of(cell, *level).error().what, HasSubstr("expected one of kafka.broker"));
}

}  // namespace
}  // namespace flow::lab

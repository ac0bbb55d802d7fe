// SPDX-License-Identifier: Apache-2.0
#include "lab/plan.hpp"

#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace flow::lab {
namespace {

using ::testing::ElementsAre;
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

}  // namespace
}  // namespace flow::lab

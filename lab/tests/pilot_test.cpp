// SPDX-License-Identifier: Apache-2.0
#include "lab/judge/pilot.hpp"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "measure/planning.hpp"

namespace flow::lab {
namespace {

using ::testing::HasSubstr;

// Pairs whose log ratios are +sd and -sd in turn.
PilotLevel level_of(double sd, std::uint32_t pairs = 4) {
  PilotLevel level{.level = "fsync-1", .metric = "p99 of publish response", .same = {}};
  for (std::uint32_t block = 1; block <= pairs; ++block) {
    level.same.push_back({block, 1e7, 1e7 * std::exp(block % 2 ? sd : -sd)});
  }
  return level;
}

TEST(Pilot, SaysHowManyBlocksFindTheMargin) {
  const auto findings = learn_from_pilot({level_of(0.1)}, 0.1, 3);

  ASSERT_EQ(findings.size(), 1U);
  ASSERT_TRUE(findings[0].sd && findings[0].blocks && findings[0].blocks_max);
  EXPECT_NEAR(*findings[0].sd, 0.1, 1e-9);
  EXPECT_EQ(*findings[0].blocks, *measure::blocks_to_detect(std::log(1.1), 0.1, 0.05 / 3));
  EXPECT_GT(*findings[0].blocks_max, *findings[0].blocks);
  EXPECT_THAT(findings[0].sentence, HasSubstr("About " + std::to_string(*findings[0].blocks)));
}

TEST(Pilot, AsksForMoreBlocksWhereTrialsDifferMore) {
  const auto findings = learn_from_pilot({level_of(0.05), level_of(0.2)}, 0.1, 2);

  EXPECT_LT(*findings[0].blocks, *findings[1].blocks);
}

TEST(Pilot, NeverAsksForFewerBlocksThanAVerdictNeeds) {
  const auto findings = learn_from_pilot({level_of(0.0001)}, 0.1, 6);

  EXPECT_EQ(*findings[0].blocks, 8U);
}

TEST(Pilot, LeavesOutPairsWithoutAValue) {
  PilotLevel level = level_of(0.1);
  level.same[0].second = std::numeric_limits<double>::quiet_NaN();
  level.same[1].first = std::numeric_limits<double>::infinity();

  EXPECT_EQ(learn_from_pilot({level}, 0.1, 1)[0].pairs, 2U);
}

TEST(Pilot, SaysWhenThereAreTooFewPairs) {
  const auto finding = learn_from_pilot({level_of(0.1, 1)}, 0.1, 1)[0];

  EXPECT_FALSE(finding.sd);
  EXPECT_THAT(finding.sentence, HasSubstr("too few"));
}

TEST(Pilot, SaysWhenNoNumberOfBlocksWouldDo) {
  EXPECT_THAT(learn_from_pilot({level_of(5)}, 0.01, 1)[0].sentence, HasSubstr("more than 10,000"));
}

}  // namespace
}  // namespace flow::lab

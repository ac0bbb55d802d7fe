// SPDX-License-Identifier: Apache-2.0
#include "lab/plan/estimate.hpp"

#include <gtest/gtest.h>

namespace flow::lab {
namespace {

using namespace std::chrono_literals;

Experiment experiment_of(std::uint32_t blocks) {
  Experiment experiment;
  experiment.platforms = {"kafka", "pulsar"};
  experiment.levels = {"fsync-1"};
  experiment.workloads = {Workload{}};
  experiment.blocks = blocks;
  for (std::uint64_t block = 0; block < blocks; ++block) experiment.seeds.push_back(42 + block);
  return experiment;
}

TEST(Estimate, GrowsByAsMuchWithEachBlock) {
  const auto one = estimated_duration(experiment_of(1));

  EXPECT_GT(one, 1min);
  EXPECT_EQ(estimated_duration(experiment_of(8)), 8 * one);
}

// Three blocks run K P, P K, K P: Pulsar starts once less, and so does Kafka.
TEST(Estimate, CountsNoStartWhereServersGoOn) {
  auto reusing = experiment_of(3);
  reusing.reuses_servers = true;

  EXPECT_EQ(estimated_duration(experiment_of(3)) - estimated_duration(reusing),
            (25s - 2s) + (8s - 2s));
}

TEST(Estimate, IsWrittenInMinutesAndHours) {
  EXPECT_EQ(format_elapsed(42s), "0:42");
  EXPECT_EQ(format_elapsed(12min + 5s), "12:05");
  EXPECT_EQ(format_elapsed(20h + 58min + 45s), "20:58:45");
}

}  // namespace
}  // namespace flow::lab

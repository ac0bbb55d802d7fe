// SPDX-License-Identifier: Apache-2.0
#include "lab/plan/contrasts.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace flow::lab {
namespace {

using ::testing::ElementsAre;

PlainCell cell(std::string id, std::string platform, std::string level = "fsync-1",
               std::vector<std::pair<std::string, std::string>> settings = {}) {
  return {std::move(id), std::move(platform), std::move(level), "bursts", std::move(settings)};
}

std::vector<std::string> names_of(const std::vector<Contrast>& contrasts) {
  std::vector<std::string> names;
  for (const auto& one : contrasts) {
    names.push_back(one.name + ": " + one.first + " and " + one.second);
  }
  return names;
}

TEST(Contrasts, AreThePlatformsAtEachLevel) {
  const auto contrasts =
      contrasts_of({cell("a", "kafka"), cell("b", "pulsar"), cell("c", "kafka", "strong"),
                    cell("d", "pulsar", "strong")});

  EXPECT_THAT(names_of(contrasts),
              ElementsAre("fsync-1: Kafka and Pulsar", "strong: Kafka and Pulsar"));
  EXPECT_EQ(contrasts[1].first_cell, "c");
  EXPECT_EQ(contrasts[1].second_cell, "d");
}

TEST(Contrasts, NameTheWorkloadWhereThereAreSeveral) {
  auto calm = cell("c", "kafka");
  auto calm_too = cell("d", "pulsar");
  calm.workload = calm_too.workload = "calm";

  const auto contrasts = contrasts_of({cell("a", "kafka"), cell("b", "pulsar"), calm, calm_too});

  EXPECT_THAT(names_of(contrasts),
              ElementsAre("fsync-1, bursts: Kafka and Pulsar", "fsync-1, calm: Kafka and Pulsar"));
}

TEST(Contrasts, ArePlatformsAtEqualValuesOfWhatIsVaried) {
  const auto contrasts =
      contrasts_of({cell("k0", "kafka", "fsync-1", {{"producer.linger_ms", "0"}}),
                    cell("k5", "kafka", "fsync-1", {{"producer.linger_ms", "5"}}),
                    cell("p0", "pulsar", "fsync-1", {{"producer.linger_ms", "0"}}),
                    cell("p5", "pulsar", "fsync-1", {{"producer.linger_ms", "5"}})});

  EXPECT_THAT(names_of(contrasts), ElementsAre("fsync-1, producer.linger_ms 0: Kafka and Pulsar",
                                               "fsync-1, producer.linger_ms 5: Kafka and Pulsar"));
}

TEST(Contrasts, CompareEveryVariantOfOnePlatformWithTheOther) {
  const auto contrasts =
      contrasts_of({cell("k0", "kafka", "fsync-1", {{"kafka.producer.in_flight_max", "1"}}),
                    cell("k5", "kafka", "fsync-1", {{"kafka.producer.in_flight_max", "5"}}),
                    cell("p", "pulsar")});

  EXPECT_THAT(names_of(contrasts),
              ElementsAre("fsync-1, kafka.producer.in_flight_max 1: Kafka and Pulsar",
                          "fsync-1, kafka.producer.in_flight_max 5: Kafka and Pulsar"));
}

TEST(Contrasts, AreTheValuesAgainstTheFirstOneWhereThereIsOnePlatform) {
  const auto contrasts = contrasts_of({cell("all", "kafka", "fsync-1", {{"broker_cpus", "0"}}),
                                       cell("half", "kafka", "fsync-1", {{"broker_cpus", "0.5"}}),
                                       cell("one", "kafka", "fsync-1", {{"broker_cpus", "1"}})});

  EXPECT_THAT(names_of(contrasts),
              ElementsAre("fsync-1: Kafka (broker_cpus all) and Kafka (broker_cpus 0.5)",
                          "fsync-1: Kafka (broker_cpus all) and Kafka (broker_cpus 1)"));
  EXPECT_TRUE(contrasts[0].is_one_platform);
  EXPECT_FALSE(contrasts[0].differs_in_promise);
}

TEST(Contrasts, SayWhereASettingCanChangeThePromise) {
  const auto contrasts =
      contrasts_of({cell("a", "kafka", "fsync-1", {{"topic.flush_messages", "1"}}),
                    cell("b", "kafka", "fsync-1", {{"topic.flush_messages", "0"}})});

  ASSERT_EQ(contrasts.size(), 1U);
  EXPECT_TRUE(contrasts[0].differs_in_promise);
}

TEST(Contrasts, AreNoneForOnePlatformAtSeveralLevels) {
  EXPECT_TRUE(contrasts_of({cell("a", "kafka"), cell("b", "kafka", "strong")}).empty());
  EXPECT_TRUE(contrasts_of({}).empty());
}

}  // namespace
}  // namespace flow::lab

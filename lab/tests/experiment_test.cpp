// SPDX-License-Identifier: Apache-2.0
#include "lab/plan/experiment.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace flow::lab {
namespace {

using testing::HasSubstr;

constexpr auto small = R"(
name: small
platforms: [kafka, pulsar]
levels: [fsync-1]
blocks: 2
seeds: [1, 2]
workloads:
  - name: bursts
    requests_per_second: 300
)";

std::string error_of(const std::string& yaml) {
  const auto experiment = parse_experiment(yaml, "x.yaml");
  return experiment ? "no error" : experiment.error().what;
}

std::string with(std::string_view from, std::string_view to) {
  std::string yaml = small;
  return yaml.replace(yaml.find(from), from.size(), to);
}

TEST(Experiment, FillsInTheStudysTrafficWhereTheFileIsSilent) {
  const auto experiment = parse_experiment(small, "x.yaml");

  ASSERT_TRUE(experiment) << experiment.error().what;
  EXPECT_EQ(experiment->workloads.at(0).bias, 0.705);
  EXPECT_EQ(experiment->workloads.at(0).ticks, 32U);
  EXPECT_EQ(experiment->workloads.at(0).warm_up_requests_per_second, 300);
}

TEST(Experiment, NamesFileLineAndKeyOfAnUnknownKey) {
  EXPECT_THAT(error_of(with("blocks: 2", "block: 2")),
              AllOf(HasSubstr("x.yaml:5"), HasSubstr("/block"), HasSubstr("unknown key")));
  EXPECT_THAT(error_of(with("    requests_per_second: 300", "    rps: 300")),
              AllOf(HasSubstr("x.yaml:9"), HasSubstr("/workloads/0/rps")));
}

TEST(Experiment, RefusesWhatCannotBeRun) {
  EXPECT_THAT(error_of(with("[kafka, pulsar]", "[kafka, nats]")), HasSubstr("'nats'"));
  EXPECT_THAT(error_of(with("[kafka, pulsar]", "[kafka, kafka]")), HasSubstr("occurs twice"));
  EXPECT_THAT(error_of(with("seeds: [1, 2]", "seeds: [1]")), HasSubstr("2 blocks need 2 seeds"));
  EXPECT_THAT(error_of(with("name: small", "name: a/b")), HasSubstr("letters, digits"));
  EXPECT_THAT(error_of(with("300", "-1")), HasSubstr("a number from 0.1"));
  EXPECT_THAT(error_of(with("workloads:", "other:")), HasSubstr("workloads"));
}

TEST(Experiment, TakesQuestionsAboutItsLevels) {
  const std::string asked =
      std::string(small) + "questions:\n  - {name: RQ1, text: Which one, levels: [";

  const auto experiment = parse_experiment(asked + "fsync-1]}\n", "x.yaml");

  ASSERT_TRUE(experiment) << experiment.error().what;
  EXPECT_EQ(experiment->questions.at(0).name, "RQ1");
  EXPECT_THAT(error_of(asked + "strong]}\n"), HasSubstr("a list of fsync-1, found 'strong'"));
  EXPECT_THAT(error_of(asked + "]}\n"), HasSubstr("at least one"));
}

TEST(Experiment, TakesSettingsThatAreVaried) {
  const auto experiment = parse_experiment(
      std::string(small) +
          "vary:\n  broker_cpus: [0, 0.5]\n  producer.batch_bytes_max: [16384, 131072]\n",
      "x.yaml");

  ASSERT_TRUE(experiment) << experiment.error().what;
  ASSERT_EQ(experiment->vary.size(), 2U);
  EXPECT_EQ(experiment->vary[1].setting, "producer.batch_bytes_max");
  EXPECT_THAT(experiment->vary[1].values, testing::ElementsAre("16384", "131072"));
}

TEST(Experiment, RefusesVariationsThatSayNothing) {
  const auto vary = [](const char* line) {
    return error_of(std::string(small) + "vary:\n  " + line + "\n");
  };

  EXPECT_THAT(vary("producer.linger_ms: [5]"), HasSubstr("two values or more, found 1"));
  EXPECT_THAT(vary("producer.linger_ms: [5, 5]"), HasSubstr("'5' occurs twice"));
  EXPECT_THAT(vary("producer.linger_ms: [5, a/b]"), HasSubstr("found 'a/b'"));
  EXPECT_THAT(vary("broker_cpus: [0, few]"), HasSubstr("0 for all, found 'few'"));
  EXPECT_THAT(vary("producer.linger_ms: 5"), HasSubstr("producer.linger_ms"));
  EXPECT_THAT(error_of(std::string(small) + "broker_cpus: -1\n"), HasSubstr("found '-1'"));
}

TEST(Experiment, TakesAnalyticsAndFaults) {
  const auto experiment = parse_experiment(
      std::string(small) +
          "\nanalytics: true\nqueries_per_second: 3\nfaults:\n"
          "  - {what: kill, role: pinot-server, at_seconds: 2, for_seconds: 0.5}\n",
      "x.yaml");

  ASSERT_TRUE(experiment) << experiment.error().what;
  EXPECT_TRUE(experiment->analytics.is_on);
  EXPECT_EQ(experiment->analytics.queries_per_second, 3);
  ASSERT_EQ(experiment->faults.size(), 1U);
  EXPECT_EQ(experiment->faults[0].role, "pinot-server");
}

TEST(Experiment, RefusesAnalyticsKeysThatWouldDoNothing) {
  const std::string yaml = std::string(small) + "\n";

  EXPECT_THAT(error_of(yaml + "queries_per_second: 3\n"), HasSubstr("only with analytics: true"));
  EXPECT_THAT(error_of(yaml + "faults: [{what: kill, role: pinot-server, at_seconds: 1, "
                              "for_seconds: 1}]\n"),
              HasSubstr("only with analytics: true"));
  EXPECT_THAT(error_of(yaml + "faults: [{what: kill, role: broker, at_seconds: 1, "
                              "for_seconds: 1}]\n"),
              HasSubstr("a broker can be paused"));
}

}  // namespace
}  // namespace flow::lab

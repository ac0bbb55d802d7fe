// SPDX-License-Identifier: Apache-2.0
#include "lab/trial/live_trial.hpp"

#include <chrono>
#include <fstream>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lab/tests/scratch_folder.hpp"

namespace flow::lab {
namespace {

using namespace std::chrono_literals;
using base::json::object;
using testing::Contains;
using testing::Pair;
using testing::UnorderedElementsAre;

class LiveTrialTest : public testing::Test {
 protected:
  // A second in which so many requests left, each so late.
  void second(std::uint64_t requests, base::Nanos start_error) {
    measure::Histogram late;
    late.record_n(start_error, requests);
    measure::Histogram response;
    response.record_n(1ms, requests);
    progress_.sent += requests;
    progress_.start_error = &late;
    progress_.response = &response;
    trial_.load(progress_);
  }

  std::vector<object> lines() {
    io_.run([] {});
    std::ifstream file(folder_ / "intervals.jsonl");
    std::vector<object> lines;
    for (std::string line; std::getline(file, line);) {
      lines.push_back(base::parse_json(line, "intervals.jsonl")->as_object());
    }
    return lines;
  }

  // Of the newest line: name -> holds.
  std::map<std::string, bool> gates() {
    std::map<std::string, bool> gates;
    const auto newest = lines().back();
    for (const auto& gate : newest.at("gates").as_array()) {
      gates[std::string(gate.at("name").as_string())] = gate.at("holds").as_bool();
    }
    return gates;
  }

  test::ScratchFolder folder_;
  net::IoThread io_{"test"};
  std::unique_ptr<LiveLog> log_ =
      std::move(*LiveLog::create((folder_ / "intervals.jsonl").string()));
  LiveTrial trial_{io_, *log_, base::ClockAnchor::take()};
  loadtest::LoadProgress progress_;
};

TEST_F(LiveTrialTest, TellsEachStepWithItsMomentAndItsPlannedLength) {
  trial_.step("starting kafka and PostgreSQL");
  trial_.step("measuring", 32s);

  const auto told = lines();
  ASSERT_EQ(told.size(), 2u);
  EXPECT_EQ(told[0].at("kind").as_string(), "step");
  EXPECT_EQ(told[0].at("step").as_string(), "starting kafka and PostgreSQL");
  EXPECT_EQ(told[0].at("planned_seconds").to_number<double>(), 0);
  EXPECT_EQ(told[1].at("planned_seconds").to_number<double>(), 32);
  EXPECT_GE(told[1].at("unix_ns").to_number<std::int64_t>(),
            told[0].at("unix_ns").to_number<std::int64_t>());
}

TEST_F(LiveTrialTest, TellsTheGatesThatASecondDecides) {
  second(1000, 100us);

  EXPECT_THAT(gates(), UnorderedElementsAre(Pair("start_error_p99", true),
                                            Pair("late_starts", true), Pair("generator_cpu", true),
                                            Pair("steal", true), Pair("clock_step", true)));
}

// A gate is about the whole phase: one bad second of many does not break it, and a broken one does
// not heal at once.
TEST_F(LiveTrialTest, JudgesThePhaseSoFarAndNotItsLastSecond) {
  second(100, 20ms);
  EXPECT_THAT(gates(), Contains(Pair("start_error_p99", false)));
  second(5'000, 50us);
  EXPECT_THAT(gates(), Contains(Pair("start_error_p99", false)));  // 2 % were late.
  second(10'000, 50us);
  EXPECT_THAT(gates(), Contains(Pair("start_error_p99", true)));
}

TEST_F(LiveTrialTest, BreaksTheGatesOfLateStartsAndGeneratorCpu) {
  progress_.late = 3;
  progress_.cpu_share_max = 0.8;

  second(1000, 100us);

  EXPECT_THAT(gates(), Contains(Pair("late_starts", false)));
  EXPECT_THAT(gates(), Contains(Pair("generator_cpu", false)));
}

TEST_F(LiveTrialTest, TellsWhatEachProcessUsesAndBreaksTheGateOfStolenTime) {
  servers::ResourceSample sample;
  sample.roles = {{"kafka-1", 0.5, 400'000'000}, {"shop", 0.25, 20'000'000}};
  sample.machine.steal_fraction = 0.3;
  sample.machine_so_far.steal_fraction = 0.02;

  trial_.resource_sink()(sample);
  second(10, 1us);

  const auto told = lines();
  ASSERT_EQ(told.size(), 2u);
  EXPECT_EQ(told[0].at("kind").as_string(), "resources");
  const auto& kafka = told[0].at("roles").at("kafka-1");
  EXPECT_EQ(kafka.at("cpu_share").to_number<double>(), 0.5);
  EXPECT_EQ(kafka.at("rss_bytes").to_number<std::uint64_t>(), 400'000'000u);
  EXPECT_EQ(told[0].at("machine").at("steal_share").to_number<double>(), 0.3);
  EXPECT_THAT(gates(), Contains(Pair("steal", false)));
}

TEST_F(LiveTrialTest, TrustsNoGeneratorThatNeverFoundAConnectionFree) {
  measure::Histogram empty;
  progress_.sent = 10;
  progress_.start_error = &empty;
  progress_.response = &empty;

  trial_.load(progress_);

  EXPECT_THAT(gates(), Contains(Pair("start_error_p99", false)));
}

}  // namespace
}  // namespace flow::lab

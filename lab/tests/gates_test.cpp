// SPDX-License-Identifier: Apache-2.0
#include "lab/join/gates.hpp"

#include <algorithm>
#include <chrono>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace flow::lab {
namespace {

using namespace std::chrono_literals;

GateInputs good() {
  GateInputs inputs;
  inputs.completeness = 1;
  inputs.start_error_p99 = 100us;
  inputs.response_p50 = 2ms;
  inputs.schedule_hash = inputs.block_schedule_hash = "54d2fc914faa7c29";
  inputs.sums = 9;
  inputs.audit_complete = true;
  return inputs;
}

std::vector<std::string> broken(const GateInputs& inputs) {
  std::vector<std::string> names;
  for (const auto& gate : evaluate_gates(inputs)) {
    if (!gate.holds) names.push_back(gate.name);
  }
  return names;
}

TEST(Gates, AllHoldForAGoodTrial) { EXPECT_THAT(broken(good()), testing::IsEmpty()); }

TEST(Gates, EachFailsAloneWhenItsPromiseIsBroken) {
  const auto fails = [](auto change) {
    GateInputs inputs = good();
    change(inputs);
    return broken(inputs);
  };
  using testing::ElementsAre;
  EXPECT_THAT(fails([](auto& i) { i.start_error_p99 = 1100us; }), ElementsAre("start_error_p99"));
  EXPECT_THAT(fails([](auto& i) { i.late_share = 0.002; }), ElementsAre("late_starts"));
  EXPECT_THAT(fails([](auto& i) { i.completeness = 0.998; }), ElementsAre("completeness"));
  EXPECT_THAT(fails([](auto& i) { i.generator_cpu_share = 0.71; }), ElementsAre("generator_cpu"));
  EXPECT_THAT(fails([](auto& i) { i.littles_law_error = 0.03; }), ElementsAre("littles_law"));
  EXPECT_THAT(fails([](auto& i) { i.steal_share = 0.02; }), ElementsAre("steal"));
  EXPECT_THAT(fails([](auto& i) { i.clock_step = -20ms; }), ElementsAre("clock_step"));
  EXPECT_THAT(fails([](auto& i) { i.schedule_hash = "x"; }), ElementsAre("schedule_hash"));
  EXPECT_THAT(fails([](auto& i) { i.sums_broken = 1; }), ElementsAre("conservation"));
  EXPECT_THAT(fails([](auto& i) { i.audit_complete = false; }), ElementsAre("audit_complete"));
}

TEST(Gates, AskOfCustomersWhoWaitOnlyForWhatCameDue) {
  const auto words_of = [](bool is_closed) {
    GateInputs inputs = good();
    inputs.is_closed = is_closed;
    const auto gates = evaluate_gates(inputs);
    return std::ranges::find(gates, "completeness", &Gate::name)->words;
  };

  EXPECT_THAT(words_of(true), testing::HasSubstr("requests that came due were tried"));
  EXPECT_THAT(words_of(false), testing::HasSubstr("planned requests came due"));
}

TEST(Gates, MeasureTheStartErrorAgainstASlowSystemsMedian) {
  GateInputs inputs = good();
  inputs.start_error_p99 = 1100us;
  inputs.response_p50 = 100ms;  // 2 % of it is 2 ms.

  EXPECT_THAT(broken(inputs), testing::IsEmpty());
}

Stationarity steady(double kpss, std::size_t in_large) {
  Stationarity stationarity;
  stationarity.hop = "publish_response";
  stationarity.ticks = 64;
  stationarity.in_large = in_large;
  stationarity.tick = 1s;
  stationarity.found = {.kpss = kpss, .lags = 3, .is_steady = kpss <= 0.739, .drift = {}};
  return stationarity;
}

TEST(Gates, JudgeWhetherTheServerWasSteadyWhereTheTicksAreEnough) {
  GateInputs inputs = good();
  inputs.stationarity = steady(0.7, 30);
  EXPECT_THAT(broken(inputs), testing::IsEmpty());

  inputs.stationarity = steady(0.8, 30);
  EXPECT_THAT(broken(inputs), testing::ElementsAre("stationarity"));

  inputs.stationarity = steady(0.8, 29);  // Says nothing.
  EXPECT_THAT(broken(inputs), testing::IsEmpty());
  EXPECT_EQ(evaluate_gates(inputs).size(), evaluate_gates(good()).size());
}

}  // namespace
}  // namespace flow::lab

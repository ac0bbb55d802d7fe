// The inference against servers of which the truth is known, in small; simulate_aa.cpp is the whole
// of it. Every bound is one that chance breaks less than once in a thousand seeds.
// SPDX-License-Identifier: Apache-2.0
#include "lab/tests/aa_simulation.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <gmock/gmock.h>

#include "base/random.hpp"
#include "measure/distributions.hpp"
#include "measure/planning.hpp"

namespace flow::lab::simulation {
namespace {

const Setting small{.blocks = 8, .ticks = 64, .requests_per_second = 40};

std::vector<Outcome> run(const Setting& setting, int experiments, RequestTests request_tests) {
  std::vector<Outcome> outcomes;
  for (int i = 0; i < experiments; ++i) {
    outcomes.push_back(run_experiment(setting, static_cast<std::uint64_t>(i), request_tests));
  }
  return outcomes;
}

// The smallest count that n coins of chance q exceed less than once in a thousand times.
int bound_of(int n, double q) {
  std::uint64_t count = 0;
  while (measure::binomial_at_least(count + 1, static_cast<std::uint64_t>(n), q) > 0.001) ++count;
  return static_cast<int>(count);
}

TEST(AaSimulation, OfEqualServersGivesNoMoreFalseDifferencesThanStated) {
  constexpr int experiments = 200;
  int false_experiments = 0, by_requests = 0, by_p99 = 0;
  for (const auto& outcome : run(small, experiments, RequestTests::first_block)) {
    false_experiments += std::ranges::any_of(outcome, [](const LevelOutcome& level) {
      return claims_difference(level.inference.verdict);
    });
    for (const auto& level : outcome) {
      by_requests += *level.differ_by_mann_whitney ? 1 : 0;
      by_p99 += *level.differ_by_p99 ? 1 : 0;
    }
  }

  EXPECT_LE(false_experiments, bound_of(experiments, 0.05));
  // One pair of runs in twenty is what these tests promise.
  EXPECT_GT(by_requests, 3 * bound_of(3 * experiments, 0.05));
  EXPECT_GT(by_p99, 3 * bound_of(3 * experiments, 0.05));
}

TEST(AaSimulation, OfASlowerServerFindsItAsOftenAsPlanned) {
  Setting setting = small;
  setting.slower = 1.2;
  constexpr int experiments = 60;
  const auto outcomes = run(setting, experiments, RequestTests::none);
  for (std::size_t i = 0; i < capacity_factors.size(); ++i) {
    std::vector<double> all;
    int found = 0;
    for (const auto& outcome : outcomes) {
      const auto& level = outcome[i].inference;
      for (const auto& block : level.ratios) all.push_back(block.log_ratio);
      found += claims_difference(level.verdict) ? 1 : 0;
      EXPECT_FALSE(level.simultaneous->upper < 0) << level.sentence;  // The wrong server.
    }
    const double effect = measure::hodges_lehmann(all);
    const double sd = std::sqrt(std::inner_product(all.begin(), all.end(), all.begin(), 0.0) /
                                    static_cast<double>(all.size()) -
                                effect * effect);
    const double planned = measure::power_of(effect / sd, setting.blocks, 0.05 / 3);
    EXPECT_NEAR(static_cast<double>(found) / experiments, planned, 0.2) << capacity_factors[i];
  }
}

// Log ratios straight from a normal distribution: the truth is exact.
InferenceInput normal_experiment(double centre, double sd, std::size_t blocks,
                                 base::SplitMix64& random) {
  InferenceInput input;
  input.primaries = 1;
  input.levels = {
      {.level = "one", .primary = {.metric = "p99", .blocks = {}}, .secondaries = {}, .same = {}}};
  for (std::uint32_t number = 1; number <= blocks; ++number) {
    const double z = standard_normal(random);
    input.levels[0].primary.blocks.push_back(
        {.block = number, .first = 1, .second = std::exp(centre + sd * z)});
  }
  return input;
}

TEST(AaSimulation, OfServersAtTheMarginCallsThemEquivalentNoMoreThanStated) {
  base::SplitMix64 random(3);
  constexpr int experiments = 1'500;
  int equivalent = 0;
  for (int i = 0; i < experiments; ++i) {
    const auto level = infer(normal_experiment(std::log1p(0.10), 0.05, 10, random)).at(0);
    equivalent +=
        level.verdict == Verdict::equivalent || level.verdict == Verdict::different_but_equivalent
            ? 1
            : 0;
  }

  EXPECT_LE(equivalent, bound_of(experiments, 0.05));
}

TEST(AaSimulation, OfEqualServersWithLittleNoiseCallsThemEquivalent) {
  base::SplitMix64 random(4);
  int equivalent = 0;
  for (int i = 0; i < 200; ++i) {
    const auto level = infer(normal_experiment(0, 0.05, 10, random)).at(0);
    equivalent += level.verdict == Verdict::equivalent ? 1 : 0;
  }

  EXPECT_GT(equivalent, 180);
}

TEST(AaSimulation, TheGateOfClassResidualsSeesAWarmUpAndNotTheLoad) {
  const Setting setting{.requests_per_second = 200};
  int false_alarms = 0, seen = 0;
  constexpr int runs = 20;
  for (std::uint64_t seed = 0; seed < runs; ++seed) {
    false_alarms += is_steady_run(setting, 8, 0, seed) == false ? 1 : 0;
    seen += is_steady_run(setting, 8, 0.5, seed) == false ? 1 : 0;
  }

  EXPECT_LE(false_alarms, bound_of(runs, 0.05));
  EXPECT_GE(seen, runs - 1);
}

}  // namespace
}  // namespace flow::lab::simulation

// What the verdicts of a large experiment cost: 1,000 trials, six secondary metrics, and so much
// noise that no level can be decided, which makes it ask for more blocks.
// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include <benchmark/benchmark.h>

#include "base/random.hpp"
#include "lab/judge/inference.hpp"
#include "lab/judge/inference_document.hpp"

namespace {

using namespace flow;

std::vector<lab::BlockPair> noisy_blocks(std::uint32_t blocks, base::SplitMix64& random) {
  std::vector<lab::BlockPair> pairs;
  for (std::uint32_t block = 1; block <= blocks; ++block) {
    const double noise = random.next_exponential() - random.next_exponential();
    pairs.push_back({.block = block, .first = 10, .second = 10 * std::exp(noise)});
  }
  return pairs;
}

// Every block runs both platforms at each level and one A/A trial.
lab::InferenceInput experiment(std::uint32_t trials, std::uint32_t levels) {
  base::SplitMix64 random(1);
  lab::InferenceInput input;
  input.primaries = levels;
  const std::uint32_t blocks = trials / (2 * levels + 1);
  for (std::uint32_t i = 0; i < levels; ++i) {
    lab::LevelBlocks level;
    level.level = "level-" + std::to_string(i);
    level.primary = {.metric = "p99 of publish response", .blocks = noisy_blocks(blocks, random)};
    for (int secondary = 0; secondary < 6; ++secondary) {
      level.secondaries.push_back({.metric = "metric-" + std::to_string(secondary),
                                   .blocks = noisy_blocks(blocks, random)});
    }
    if (i == 0) level.same = noisy_blocks(blocks, random);
    input.levels.push_back(std::move(level));
  }
  return input;
}

void infer(benchmark::State& state, std::uint32_t trials, std::uint32_t levels) {
  const auto input = experiment(trials, levels);
  for (auto _ : state) {
    for (const auto& level : lab::infer(input)) {
      benchmark::DoNotOptimize(lab::describe(level, input));
    }
  }
}
BENCHMARK_CAPTURE(infer, 70_trials_3_levels, 70, 3)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(infer, 1000_trials_3_levels, 1'000, 3)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(infer, 1000_trials_12_levels, 1'000, 12)->Unit(benchmark::kMillisecond);

}  // namespace

// Experiments on simulated servers, of which the truth is known: does the inference find what is
// there and nothing else? A server is one FIFO queue with exponential service under a b-model
// schedule; its speed differs a little from run to run, as that of a machine does. It stands for no
// platform: directions and orders of magnitude hold, batching, page cache and compilers are not in
// it.
// Thread: any; pure functions, all randomness from the seeds.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/random.hpp"
#include "lab/judge/inference.hpp"

namespace flow::lab::simulation {

// How far each level's server is from saturation: its capacity over the mean rate. With a bias of
// 0.6 and 512 ticks the busiest tick has 5.2 times the mean rate, nine more have 3.4 times: the
// first server is never overloaded, the second in one tick, the third in ten.
inline constexpr std::array capacity_factors = {8.0, 4.0, 2.5};

double standard_normal(base::SplitMix64& random);

struct Setting {
  std::size_t blocks = 10;
  double bias = 0.6;
  std::uint32_t ticks = 512;
  double requests_per_second = 50;
  double run_sd = 0.03;    // Of the log of a server's speed, between runs.
  double block_sd = 0.05;  // The same between blocks, common to all runs of a block.
  double slower = 1;       // Service times of the second platform over those of the first.
};

// What one experiment says about one level.
struct LevelOutcome {
  LevelInference inference;
  // Whether tests of single requests call the first block's two runs different at 5 %: their ranks,
  // or the p99 with the standard error that independent requests would give it. nullopt: not asked.
  std::optional<bool> differ_by_mann_whitney;
  std::optional<bool> differ_by_p99;
  // The same when the requests of all blocks are thrown together.
  std::optional<bool> pooled_differ_by_mann_whitney;
  std::optional<bool> pooled_differ_by_p99;
};
using Outcome = std::array<LevelOutcome, capacity_factors.size()>;

enum class RequestTests : std::uint8_t { none, first_block, pooled_too };

// Runs every block of an experiment and judges it. Each block: one schedule for both platforms at
// every level, and an A/A pair at the middle level.
Outcome run_experiment(const Setting& setting, std::uint64_t seed,
                       RequestTests request_tests = RequestTests::none);

bool claims_difference(Verdict verdict);

// The gate of class residuals over one run: nullopt when it has nothing to say. `warm_up`: how much
// longer service takes at the start (0.5: half as long again), fading with a time constant of 60 s.
std::optional<bool> is_steady_run(const Setting& setting, double capacity_factor, double warm_up,
                                  std::uint64_t seed);

}  // namespace flow::lab::simulation

// Seeded randomness, the same bits on every machine and compiler: no std::*_distribution, whose
// results differ between libraries.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace flow::base {

// SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, OOPSLA 2014).
// Vector: seed 42 gives bdd732262feb6e95 28efe333b266f103 47526757130f9f52 581ce1ff0e4ae394.
class SplitMix64 {
 public:
  explicit constexpr SplitMix64(std::uint64_t seed) : state_(seed) {}

  constexpr std::uint64_t next() {
    state_ += 0x9E3779B97F4A7C15;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
  }

  // Uniform in [0, 1), 53 bits.
  constexpr double next_unit() { return static_cast<double>(next() >> 11) * 0x1p-53; }

  // Exp(1) = -log1p(-u).
  double next_exponential();

  // Uniform in [0, bound), bound > 0, without bias (Lemire's multiply, with rejection).
  std::uint64_t next_below(std::uint64_t bound);

 private:
  std::uint64_t state_;
};

// A seed for a named purpose under one trial seed: streams of different purposes do not overlap.
std::uint64_t derive_seed(std::uint64_t seed, std::uint64_t purpose);

}  // namespace flow::base

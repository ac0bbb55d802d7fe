// The b-model (Wang, Madhyastha, Chan, Papadimitriou, Faloutsos: Data Mining Meets Performance
// Evaluation: Fast Algorithms for Modeling Bursty Traffic, ICDE 2002) in its general form, a level
// profile: an interval that holds some volume is halved, a fair coin says which half gets the
// share b of its level and the other gets 1 - b, and so on down to the ticks. Every level
// conserves the total. The set of tick volumes does not depend on the seed; the seed only permutes
// positions. Arithmetic is fixed to the last bit (IEEE double, no fused multiply-add), so that a
// seed makes the same schedule on every machine.
// Thread: any; pure functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace flow::traffic {

// The shares b_1 (coarsest) .. b_n (finest) of a profile, each in [0.5, 1): 2^n volumes whose sum
// is `total`, left to right. One draw of SplitMix64(seed) per halving, depth first, left first; the
// top bit 1 = the left half is the heavy one.
std::vector<double> cascade(std::span<const double> profile, double total, std::uint64_t seed);

// One share for all levels: the plain b-model.
std::vector<double> cascade(double bias, int levels, double total, std::uint64_t seed);

// Whole counts: differences of floor(cumulative volume + 0.5). Every prefix sum is right to half an
// event.
std::vector<std::uint64_t> whole_counts(std::span<const double> volumes);

// FNV-1a, 64 bits, over the counts as little-endian u64.
std::uint64_t count_hash(std::span<const std::uint64_t> counts);

}  // namespace flow::traffic

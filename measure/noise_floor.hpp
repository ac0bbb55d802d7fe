// What a platform shows against itself. Each block holds an A/A pair, the same cell twice; their
// log ratios differ from zero by noise alone, whose sign is a coin. The floor is the 95 % quantile
// of |Hodges-Lehmann| over all ways to give the pairs signs: an estimate that is no larger says no
// more than A/A pairs would. The pairs are few, and their own spread is an estimate: the quantile
// is widened as Student's is against the normal one, so that a further A/A experiment with as many
// pairs exceeds it about one time in twenty. Every sign to 12 pairs, beyond that seeded draws
// (2,000; fewer above 70 pairs, and at least 200, to bound the work).
// Thread: any; pure functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <span>

namespace flow::measure {

inline constexpr std::size_t noise_floor_pairs_min = 4;  // Those of a pilot.

// Infinity when infinite pairs decide it. nullopt for fewer pairs than the minimum. No NaN
// (FLOW_CHECK).
std::optional<double> noise_floor(std::span<const double> log_ratios, double quantile = 0.95);

}  // namespace flow::measure

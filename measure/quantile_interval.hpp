// How well the order statistics of n independent values pin down a quantile, whatever the
// distribution: the number of values below the true q-quantile is binomial(n, q). Requests of one
// bursty run are far from independent: there this is a lower bound of the doubt, never a verdict.
// Thread: any; pure functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

namespace flow::measure {

// Ranks from 1; nullopt: no value is so small (large) that the interval may end at it.
struct RankInterval {
  std::optional<std::uint64_t> lower;
  std::optional<std::uint64_t> upper;

  bool operator==(const RankInterval&) const = default;
};

// The largest lower and the smallest upper rank, each beyond the q-quantile with a probability of
// at most (1 - confidence) / 2. q and confidence in (0, 1).
RankInterval quantile_ranks(std::uint64_t n, double q, double confidence);

// The fewest values of which the largest is above the q-quantile with this probability.
std::uint64_t values_for_upper_bound(double q, double confidence);

}  // namespace flow::measure

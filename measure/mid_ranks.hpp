// Ranks from 1, where equal values share the mean of their ranks (mid-ranks). Doubled they are
// whole numbers, so that exact distributions of rank sums can be counted.
// Thread: any; pure functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace flow::measure {

// Twice the mid-rank of each value, in the order of `values`; no NaN (FLOW_CHECK). Neighbours that
// differ by no more than 1e-12 of their size are equal: the logarithms of equal ratios may differ
// in the last bits.
std::vector<std::uint64_t> doubled_mid_ranks(std::span<const double> values);

}  // namespace flow::measure

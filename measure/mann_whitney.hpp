// The Mann-Whitney test of two unpaired samples. Flow draws no verdict from it: blocks are paired,
// and requests of one run are not independent. It is here to show what it would have said
// (docs/concepts/statistics.md), and for two sets of runs that share no blocks.
// Thread: any; pure functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

namespace flow::measure {

struct MannWhitney {
  double u = 0;              // Pairs in which `second` is larger, ties as a half.
  double superiority = 0.5;  // A12 = u / (n1 n2).
  double p = 1;              // Two-sided.
  bool is_exact = true;
};

// Exact, with the ranks present, to 40 values in all; beyond that normal with the correction for
// ties. p = 1 when a sample is empty. Finite values only (FLOW_CHECK).
MannWhitney mann_whitney_test(std::span<const double> first, std::span<const double> second);

// Hodges and Lehmann's shift: the median of second - first over all n1 n2 pairs, which are kept.
// Not empty (FLOW_CHECK).
double shift_between(std::span<const double> first, std::span<const double> second);

}  // namespace flow::measure

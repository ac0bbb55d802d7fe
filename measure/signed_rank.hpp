// Wilcoxon's signed-rank test for paired differences, exact. Under "no difference" every sign is a
// fair coin; nothing is asked of the distribution of the differences beyond that. Infinite
// differences (one of a pair fell over) are the largest ranks, ties share mid-ranks, and the
// distribution is that of the ranks present. Zeros by Pratt: they take part in the ranking, so that
// dropping them cannot make the rest look stronger, and carry no sign.
// Source: Pratt, Remarks on zeros and ties in the Wilcoxon signed rank procedures, JASA 54, 1959.
// Thread: any; pure functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace flow::measure {

struct SignedRank {
  double positive = 0;    // W+: sum of the ranks of positive differences.
  double negative = 0;    // W-
  double p = 1;           // Two-sided, exact.
  std::size_t zeros = 0;  // Of the differences.
};

// No NaN (FLOW_CHECK). p = 1 where no difference has a sign. O(k^3) time, O(k^2) memory.
SignedRank signed_rank_test(std::span<const double> differences);

// P(W+ = w) for w = 0 .. k(k+1)/2 of k differences without ties or zeros.
std::vector<double> signed_rank_distribution(std::size_t k);

// C, the largest c with 2 P(W+ <= c - 1) <= alpha, and what the interval from the C-th smallest to
// the C-th largest Walsh average then covers: 1 - 2 P(W+ <= C - 1). C = 0 and coverage 1 where k
// differences are too few for any such interval.
struct WalshRank {
  std::size_t rank = 0;
  double coverage = 1;
};
WalshRank walsh_rank(std::size_t k, double alpha);

}  // namespace flow::measure

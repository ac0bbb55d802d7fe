// Student's t test of paired differences. A cross-check: it believes in normal differences, which
// the exact tests beside it do not.
// Thread: any; pure functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "measure/hodges_lehmann.hpp"

namespace flow::measure {

struct PairedT {
  double mean = 0;
  double sd = 0;  // Of one difference; n - 1 in the denominator.
  double t = 0;   // Infinite when all differences are equal and not zero.
  double p = 1;   // Two-sided.
  std::size_t n = 0;

  Interval interval(double confidence) const;  // Of the mean.
};

// nullopt for fewer than two differences, or when one is not finite.
std::optional<PairedT> paired_t_test(std::span<const double> differences);

}  // namespace flow::measure

// SPDX-License-Identifier: Apache-2.0
#include "measure/paired_t.hpp"

#include <cmath>

#include "measure/distributions.hpp"

namespace flow::measure {

std::optional<PairedT> paired_t_test(std::span<const double> differences) {
  if (differences.size() < 2) return std::nullopt;
  const auto n = static_cast<double>(differences.size());
  double sum = 0, squares = 0;
  for (const double d : differences) sum += d;
  const double mean = sum / n;
  for (const double d : differences) squares += (d - mean) * (d - mean);
  if (!std::isfinite(squares)) return std::nullopt;
  PairedT test{.mean = mean, .sd = std::sqrt(squares / (n - 1)), .n = differences.size()};
  if (mean == 0) return test;
  test.t = mean / (test.sd / std::sqrt(n));
  test.p = std::isinf(test.t) ? 0 : student_two_sided(test.t, n - 1);
  return test;
}

Interval PairedT::interval(double confidence) const {
  const auto count = static_cast<double>(n);
  const double half = student_quantile(1 - (1 - confidence) / 2, count - 1) * sd / std::sqrt(count);
  return {
      .lower = mean - half, .upper = mean + half, .confidence = confidence, .coverage = confidence};
}

}  // namespace flow::measure

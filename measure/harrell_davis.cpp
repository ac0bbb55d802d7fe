// SPDX-License-Identifier: Apache-2.0
#include "measure/harrell_davis.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "base/check.hpp"
#include "measure/distributions.hpp"

namespace flow::measure {
namespace {

// Takes ascending values with their multiplicity; weights are I_{upto/n}(a, b) - I_{from/n}(a, b).
class WeightedSum {
 public:
  WeightedSum(std::uint64_t n, double q)
      : n_(static_cast<double>(n)), a_((n_ + 1) * q), b_((n_ + 1) * (1 - q)) {
    FLOW_CHECK(q > 0 && q < 1);
  }

  void add(double value, std::uint64_t times) {
    taken_ += times;
    const double below = incomplete_beta(a_, b_, static_cast<double>(taken_) / n_);
    sum_ += value * (below - below_);
    below_ = below;
  }

  double sum() const { return sum_; }

 private:
  double n_, a_, b_;
  std::uint64_t taken_ = 0;
  double below_ = 0;
  double sum_ = 0;
};

}  // namespace

std::optional<double> harrell_davis(std::span<const double> values, double q) {
  if (values.empty()) return std::nullopt;
  std::vector<double> sorted(values.begin(), values.end());
  for (const double value : sorted) FLOW_CHECK(std::isfinite(value));
  std::ranges::sort(sorted);
  WeightedSum weighted(sorted.size(), q);
  for (const double value : sorted) weighted.add(value, 1);
  return weighted.sum();
}

std::optional<double> harrell_davis(const Histogram& histogram, double q) {
  if (histogram.count() == 0 || histogram.overflow() > 0) return std::nullopt;
  WeightedSum weighted(histogram.count(), q);
  histogram.for_each_bucket([&](const Histogram::Bucket& bucket) {
    const auto lower = static_cast<double>(bucket.lower.count());
    const auto upper = static_cast<double>(bucket.upper.count());
    weighted.add((lower + upper) / 2, bucket.count);
  });
  return weighted.sum();
}

}  // namespace flow::measure

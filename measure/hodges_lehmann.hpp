// The Hodges-Lehmann estimate of the centre of paired differences, and its exact interval: the
// median, and two symmetric order statistics, of the Walsh averages (d_i + d_j) / 2, i <= j. The
// interval is the signed-rank test turned round: it holds every shift that the test does not
// reject.
// Source: Hollander, Wolfe, Chicken: Nonparametric Statistical Methods, 3rd ed., 3.2 and 3.3.
// Thread: any; immutable after construction.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace flow::measure {

struct Interval {
  double lower = 0;       // May be -infinity.
  double upper = 0;       // May be +infinity.
  double confidence = 0;  // What was asked for.
  double coverage = 0;    // What it has; at least `confidence` where it is exact.

  bool excludes_zero() const { return lower > 0 || upper < 0; }
  // Wholly on one side of zero and further from it than `distance`.
  bool is_beyond(double distance) const { return lower > distance || upper < -distance; }
  // With a 90 % interval: two one-sided tests (TOST) at 5 % find equivalence within `distance`.
  bool is_inside(double distance) const { return lower > -distance && upper < distance; }
  // The end nearest zero; 0 when the interval holds zero.
  double nearest_zero() const { return lower > 0 ? lower : upper < 0 ? upper : 0; }
};

class WalshAverages {
 public:
  // Differences may be infinite, not NaN (FLOW_CHECK). The average of -infinity and +infinity has
  // no place: the estimate leaves it out, an interval puts it where it makes the interval longer.
  explicit WalshAverages(std::span<const double> differences);

  // NaN for no difference, or when the middle lies between -infinity and +infinity.
  double estimate() const;

  // nullopt when so few differences cannot give that confidence (3 never, 6 give 95 %).
  std::optional<Interval> interval(double confidence) const;

  std::size_t differences() const { return differences_; }

 private:
  std::size_t differences_;
  std::size_t placeless_ = 0;
  std::vector<double> sorted_;  // The others, ascending.
};

// The estimate alone, in linear time of the averages.
double hodges_lehmann(std::span<const double> differences);

}  // namespace flow::measure

// SPDX-License-Identifier: Apache-2.0
#include "measure/hodges_lehmann.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/check.hpp"
#include "measure/signed_rank.hpp"

namespace flow::measure {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

// Of two values in order; NaN only between -infinity and +infinity.
double mean_of(double below, double above) {
  return below == above ? below : 0.5 * below + 0.5 * above;
}

std::vector<double> averages_with_a_place(std::span<const double> differences) {
  for (const double d : differences) FLOW_CHECK(!std::isnan(d));
  std::vector<double> averages;
  averages.reserve(differences.size() * (differences.size() + 1) / 2);
  for (std::size_t i = 0; i < differences.size(); ++i) {
    for (std::size_t j = i; j < differences.size(); ++j) {
      const double average = 0.5 * differences[i] + 0.5 * differences[j];
      if (!std::isnan(average)) averages.push_back(average);
    }
  }
  return averages;
}

}  // namespace

WalshAverages::WalshAverages(std::span<const double> differences)
    : differences_(differences.size()), sorted_(averages_with_a_place(differences)) {
  placeless_ = differences_ * (differences_ + 1) / 2 - sorted_.size();
  std::ranges::sort(sorted_);
}

double WalshAverages::estimate() const {
  if (sorted_.empty()) return std::numeric_limits<double>::quiet_NaN();
  const std::size_t middle = sorted_.size() / 2;
  if (sorted_.size() % 2 == 1) return sorted_[middle];
  return mean_of(sorted_[middle - 1], sorted_[middle]);
}

std::optional<Interval> WalshAverages::interval(double confidence) const {
  FLOW_CHECK(confidence > 0 && confidence < 1);
  const WalshRank rank = walsh_rank(differences_, 1 - confidence);
  if (rank.rank == 0) return std::nullopt;
  const bool has_place = rank.rank > placeless_;
  const std::size_t skipped = has_place ? rank.rank - placeless_ - 1 : 0;
  return Interval{.lower = has_place ? sorted_[skipped] : -infinity,
                  .upper = has_place ? sorted_[sorted_.size() - 1 - skipped] : infinity,
                  .confidence = confidence,
                  .coverage = rank.coverage};
}

double hodges_lehmann(std::span<const double> differences) {
  auto averages = averages_with_a_place(differences);
  if (averages.empty()) return std::numeric_limits<double>::quiet_NaN();
  const auto middle = averages.begin() + static_cast<std::ptrdiff_t>(averages.size() / 2);
  std::nth_element(averages.begin(), middle, averages.end());
  const double above = *middle;
  return averages.size() % 2 == 1 ? above
                                  : mean_of(*std::max_element(averages.begin(), middle), above);
}

}  // namespace flow::measure

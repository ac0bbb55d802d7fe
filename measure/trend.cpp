// SPDX-License-Identifier: Apache-2.0
#include "measure/trend.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

#include "base/check.hpp"
#include "measure/distributions.hpp"

namespace flow::measure {
namespace {

std::vector<double> means_of_groups(std::span<const double> values, std::size_t group) {
  std::vector<double> means;
  for (std::size_t from = 0; from < values.size(); from += group) {
    const auto part = values.subspan(from, std::min(group, values.size() - from));
    double sum = 0;
    for (const double value : part) sum += value;
    means.push_back(sum / static_cast<double>(part.size()));
  }
  return means;
}

std::vector<double> sorted_slopes(std::span<const double> x, std::span<const double> y) {
  std::vector<double> slopes;
  slopes.reserve(x.size() * (x.size() - 1) / 2);
  for (std::size_t i = 0; i < x.size(); ++i) {
    for (std::size_t j = i + 1; j < x.size(); ++j) {
      if (x[i] != x[j]) slopes.push_back((y[j] - y[i]) / (x[j] - x[i]));
    }
  }
  std::ranges::sort(slopes);
  return slopes;
}

// Sum over groups of t equal values of t (t - 1) (2 t + 5).
double tie_term(std::span<const double> values) {
  std::map<double, double> counts;
  for (const double value : values) ++counts[value];
  double sum = 0;
  for (const auto& [value, t] : counts) sum += t * (t - 1) * (2 * t + 5);
  return sum;
}

// Of Kendall's S under no trend, less what ties on either axis take away: Sen's (2.6).
double kendall_deviation(std::span<const double> x, std::span<const double> y, double inflation) {
  const auto n = static_cast<double>(x.size());
  const double all = n * (n - 1) * (2 * n + 5);
  return std::sqrt(std::max(0.0, all - tie_term(x) - tie_term(y)) / 18 * inflation);
}

}  // namespace

std::optional<Trend> theil_sen(std::span<const double> x, std::span<const double> y,
                               double confidence, double variance_inflation) {
  FLOW_CHECK(x.size() == y.size() && confidence > 0 && confidence < 1);
  if (x.size() < 3) return std::nullopt;
  const std::size_t group = (x.size() + trend_points_max - 1) / trend_points_max;
  const auto xs = means_of_groups(x, group), ys = means_of_groups(y, group);
  const auto slopes = sorted_slopes(xs, ys);
  if (slopes.empty()) return std::nullopt;
  const auto count = static_cast<double>(slopes.size());
  const double reach = normal_quantile(1 - (1 - confidence) / 2) *
                       kendall_deviation(xs, ys, std::max(1.0, variance_inflation));
  const auto index = [&](double rank) {
    return static_cast<std::size_t>(std::clamp(rank, 0.0, count - 1));
  };
  const std::size_t middle = slopes.size() / 2;
  const double median =
      slopes.size() % 2 == 1 ? slopes[middle] : (slopes[middle - 1] + slopes[middle]) / 2;
  return Trend{.slope = median,
               .interval = {.lower = slopes[index(std::round((count - reach) / 2) - 1)],
                            .upper = slopes[index(std::round((count + reach) / 2))],
                            .confidence = confidence,
                            .coverage = confidence}};
}

}  // namespace flow::measure

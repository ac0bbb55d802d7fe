// SPDX-License-Identifier: Apache-2.0
#include "measure/stationarity.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

namespace flow::measure {
namespace {

double mean_of(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

}  // namespace

std::size_t kpss_lags(std::size_t n) {
  return static_cast<std::size_t>(std::floor(4 * std::pow(static_cast<double>(n) / 100, 0.25)));
}

double long_run_variance(std::span<const double> values, std::size_t lags) {
  if (values.empty()) return 0;
  const double mean = mean_of(values);
  double variance = 0;
  for (std::size_t lag = 0; lag <= lags && lag < values.size(); ++lag) {
    double products = 0;
    for (std::size_t i = lag; i < values.size(); ++i) {
      products += (values[i] - mean) * (values[i - lag] - mean);
    }
    const double weight = 1 - static_cast<double>(lag) / static_cast<double>(lags + 1);
    variance += (lag == 0 ? 1 : 2 * weight) * products;
  }
  return variance / static_cast<double>(values.size());
}

std::optional<double> kpss_level(std::span<const double> values, std::size_t lags) {
  if (values.size() < 10) return std::nullopt;
  const auto n = static_cast<double>(values.size());
  const double mean = mean_of(values);
  double sum = 0, squares = 0;
  for (const double value : values) {
    sum += value - mean;
    squares += sum * sum;
  }
  const double variance = long_run_variance(values, lags);
  if (variance <= 0) return 0;
  return squares / (n * n) / variance;
}

std::optional<Truncation> mser5(std::span<const double> values) {
  constexpr std::size_t batch = 5, kept_min = 5;
  std::vector<double> means;
  for (std::size_t from = 0; from + batch <= values.size(); from += batch) {
    means.push_back(mean_of(values.subspan(from, batch)));
  }
  if (means.size() < kept_min + 1) return std::nullopt;
  std::size_t best = 0;
  double smallest = 0;
  for (std::size_t left_out = 0; left_out + kept_min < means.size(); ++left_out) {
    const auto kept = std::span<const double>(means).subspan(left_out);
    const double mean = mean_of(kept);
    double squares = 0;
    for (const double value : kept) squares += (value - mean) * (value - mean);
    const auto count = static_cast<double>(kept.size());
    const double error = squares / (count * count);
    if (left_out == 0 || error < smallest) {
      smallest = error;
      best = left_out;
    }
  }
  return Truncation{.values = batch * best, .is_settled = 2 * best <= means.size()};
}

}  // namespace flow::measure

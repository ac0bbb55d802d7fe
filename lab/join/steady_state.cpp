// SPDX-License-Identifier: Apache-2.0
#include "lab/join/steady_state.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "lab/result/lenient_json.hpp"
#include "measure/stationarity.hpp"
#include "measure/trend.hpp"

namespace flow::lab {
namespace {

constexpr std::uint16_t first_error_status = 400;

// How much more a mean of these varies than it would were they independent.
double inflation_of(std::span<const double> values) {
  const double variance = measure::long_run_variance(values, 0);
  if (!(variance > 0)) return 1;
  return measure::long_run_variance(values, measure::kpss_lags(values.size())) / variance;
}

std::optional<double> drift_of(std::span<const double> values, bool& is_shown) {
  std::vector<double> minutes;
  for (std::size_t i = 0; i < values.size(); ++i) minutes.push_back(static_cast<double>(i) / 60);
  const auto trend = measure::theil_sen(minutes, values, 0.95, inflation_of(values));
  is_shown = trend && trend->interval.excludes_zero();
  return trend ? std::optional(trend->slope) : std::nullopt;
}

}  // namespace

Steadiness steadiness_of(std::span<const double> log_response) {
  const auto values = log_response.last(std::min(log_response.size(), steady_seconds_max));
  Steadiness found;
  found.seconds = values.size();
  if (values.size() < steady_seconds_min) {
    found.words = fmt::format("{} s are too few to say whether it had settled ({} are needed)",
                              values.size(), steady_seconds_min);
    return found;
  }
  found.kpss = measure::kpss_level(values, measure::kpss_lags(values.size()));
  bool is_drift_shown = false;
  found.drift_per_minute = drift_of(values, is_drift_shown);
  const double drift = found.drift_per_minute.value_or(0);
  const bool is_level = found.kpss.value_or(0) <= measure::kpss_critical_5_percent;
  const bool is_drifting = is_drift_shown && std::abs(drift) > drift_allowed_per_minute;
  found.is_steady = is_level && !is_drifting;
  found.words = fmt::format(
      "{} in its last {} s: KPSS {:.3f} (at most {}), drift {:+.1f} % a minute",
      *found.is_steady ? "settled" : "not settled", values.size(), found.kpss.value_or(0),
      measure::kpss_critical_5_percent, 100 * std::expm1(drift));
  return found;
}

base::json::object describe(const Steadiness& steadiness) {
  return {{"seconds_judged", steadiness.seconds},
          {"kpss", or_null(steadiness.kpss)},
          {"log_drift_per_minute", or_null(steadiness.drift_per_minute)},
          {"is_steady", or_null(steadiness.is_steady)},
          {"words", steadiness.words}};
}

void SecondsOfResponse::on_request(const loadtest::RequestEntry& entry) {
  next_.on_request(entry);
  const bool is_good = entry.end == loadtest::RequestEnd::answered &&
                       entry.status < first_error_status && entry.answered > entry.intended;
  if (!is_good) return;
  auto& second = seconds_[entry.intended / 1'000'000'000];
  second.sum += std::log(static_cast<double>(entry.answered - entry.intended));
  ++second.count;
}

std::vector<double> SecondsOfResponse::values() const {
  std::vector<double> values;
  if (seconds_.size() < 3) return values;
  const auto last = std::prev(seconds_.end());
  for (auto at = std::next(seconds_.begin()); at != last; ++at) {
    values.push_back(at->second.sum / static_cast<double>(at->second.count));
  }
  return values;
}

}  // namespace flow::lab

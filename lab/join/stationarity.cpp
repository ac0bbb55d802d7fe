// SPDX-License-Identifier: Apache-2.0
#include "lab/join/stationarity.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <ranges>

#include "measure/stationarity.hpp"

namespace flow::lab {
namespace {

std::size_t in_large_classes(const std::vector<std::size_t>& classes,
                             const std::vector<double>& mean_logs) {
  std::map<std::size_t, std::size_t> sizes;
  for (std::size_t tick = 0; tick < classes.size(); ++tick) {
    if (!std::isnan(mean_logs[tick])) ++sizes[classes[tick]];
  }
  std::size_t ticks = 0;
  for (const std::size_t size : sizes | std::views::values) {
    if (size >= measure::class_ticks_min) ticks += size;
  }
  return ticks;
}

std::string percent(double share) {
  return std::abs(share) < 0.0995 ? fmt::format("{:+.1f} %", 100 * share)
                                  : fmt::format("{:+.0f} %", 100 * share);
}

}  // namespace

double Stationarity::drift_per_minute(double slope) const {
  const double seconds = std::chrono::duration<double>(tick).count();
  return std::expm1(slope * 60 / seconds);
}

std::string Stationarity::words() const {
  if (ticks == 0) return "not judged: there are no ticks of which a rate was planned";
  if (!is_judged()) {
    return fmt::format(
        "not judged: {} of {} ticks count, and at least {} should (those in classes of at least {} "
        "ticks of the same rate, {} left out because a queue stood in them)",
        in_large, ticks, ticks_to_judge, measure::class_ticks_min, queued);
  }
  const auto& drift = found->drift;
  return fmt::format(
      "with the load taken out, {} {} its level: KPSS {:.2f} (limit {}, 1 %); drift {} per minute "
      "(95 % interval {} to {})",
      hop == "publish_response" ? "publish response" : "response time",
      found->is_steady ? "keeps" : "does not keep", found->kpss, measure::kpss_critical_1_percent,
      percent(drift_per_minute(drift.slope)), percent(drift_per_minute(drift.interval.lower)),
      percent(drift_per_minute(drift.interval.upper)));
}

Stationarity stationarity_of(const TickTally& tally) {
  Stationarity result;
  auto mean_logs = tally.mean_logs(ClassHop::publish_response);
  const auto has_value = [](double mean) { return !std::isnan(mean); };
  const bool has_events = std::ranges::any_of(mean_logs, has_value);
  if (!has_events) mean_logs = tally.mean_logs(ClassHop::response_time);
  result.hop = name_of(has_events ? ClassHop::publish_response : ClassHop::response_time);
  result.ticks = static_cast<std::size_t>(std::ranges::count_if(mean_logs, has_value));
  result.tick = tally.ticks().length;
  const auto tick = static_cast<double>(result.tick.count());
  mean_logs = measure::without_queues(mean_logs, tick);
  result.queued =
      result.ticks - static_cast<std::size_t>(std::ranges::count_if(mean_logs, has_value));
  result.in_large = in_large_classes(tally.ticks().classes, mean_logs);
  result.found = measure::steadiness_of(measure::class_residuals(tally.ticks().classes, mean_logs));
  return result;
}

base::json::object describe(const Stationarity& stationarity) {
  base::json::object described{{"hop", stationarity.hop},
                               {"ticks", stationarity.ticks},
                               {"ticks_with_queue", stationarity.queued},
                               {"ticks_in_large_classes", stationarity.in_large},
                               {"is_judged", stationarity.is_judged()},
                               {"words", stationarity.words()},
                               {"kpss", nullptr},
                               {"kpss_lags", nullptr},
                               {"drift_share_per_minute", nullptr},
                               {"drift_interval_95", nullptr}};
  if (!stationarity.found) return described;
  const auto& [kpss, lags, is_steady, drift] = *stationarity.found;
  described["kpss"] = kpss;
  described["kpss_lags"] = lags;
  described["drift_share_per_minute"] = stationarity.drift_per_minute(drift.slope);
  described["drift_interval_95"] = {{"lower", stationarity.drift_per_minute(drift.interval.lower)},
                                    {"upper", stationarity.drift_per_minute(drift.interval.upper)}};
  return described;
}

}  // namespace flow::lab

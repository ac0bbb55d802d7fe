// SPDX-License-Identifier: Apache-2.0
#include "measure/class_residuals.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/check.hpp"
#include "measure/stationarity.hpp"

namespace flow::measure {
namespace {

constexpr std::size_t different_volumes_max = 32;
constexpr std::size_t deciles = 10;

double median_of(std::vector<double> values) {
  std::ranges::sort(values);
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

// The tick numbers of every class that has ticks, in the order of the classes.
std::vector<std::vector<std::size_t>> members_of(std::span<const std::size_t> classes,
                                                 std::span<const double> log_latency) {
  std::vector<std::vector<std::size_t>> members;
  for (std::size_t tick = 0; tick < classes.size(); ++tick) {
    if (std::isnan(log_latency[tick])) continue;
    if (classes[tick] >= members.size()) members.resize(classes[tick] + 1);
    members[classes[tick]].push_back(tick);
  }
  std::erase_if(members, [](const auto& ticks) { return ticks.empty(); });
  return members;
}

void join_small(std::vector<std::vector<std::size_t>>& members) {
  const auto size_of = [](const auto& ticks) { return ticks.size(); };
  while (members.size() > 1) {
    const auto small = std::ranges::min_element(members, {}, size_of);
    if (small->size() >= class_ticks_min) return;
    auto neighbour = small == members.begin() ? small + 1 : small - 1;
    if (small + 1 != members.end() && (small + 1)->size() > neighbour->size()) {
      neighbour = small + 1;
    }
    neighbour->insert(neighbour->end(), small->begin(), small->end());
    members.erase(small);
  }
}

}  // namespace

std::vector<std::size_t> volume_classes(std::span<const double> volumes) {
  std::vector<std::size_t> order(volumes.size()), classes(volumes.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, {}, [&](std::size_t tick) { return volumes[tick]; });
  std::size_t current = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    const double volume = volumes[order[i]];
    if (i > 0 && volume - volumes[order[i - 1]] > 1e-9 * std::abs(volume)) ++current;
    classes[order[i]] = current;
  }
  if (current < different_volumes_max) return classes;
  for (std::size_t i = 0; i < order.size(); ++i) classes[order[i]] = i * deciles / order.size();
  return classes;
}

std::vector<double> without_queues(std::span<const double> log_latency, double tick) {
  std::vector<double> kept(log_latency.begin(), log_latency.end());
  std::vector<double> known = kept;
  std::erase_if(known, [](double value) { return std::isnan(value); });
  if (known.empty()) return kept;
  const double limit = std::max(std::log(tick / 20), median_of(std::move(known)) + std::log(3));
  for (std::size_t i = 0; i < kept.size(); ++i) {
    const bool has_queue = log_latency[i] > limit, inherits = i > 0 && log_latency[i - 1] > limit;
    if (has_queue || inherits) kept[i] = std::numeric_limits<double>::quiet_NaN();
  }
  return kept;
}

ClassResiduals class_residuals(std::span<const std::size_t> classes,
                               std::span<const double> log_latency) {
  FLOW_CHECK(classes.size() == log_latency.size());
  auto members = members_of(classes, log_latency);
  join_small(members);
  std::vector<double> residuals(log_latency.begin(), log_latency.end());
  for (const auto& ticks : members) {
    std::vector<double> values;
    for (const std::size_t tick : ticks) values.push_back(log_latency[tick]);
    const double median = median_of(std::move(values));
    for (const std::size_t tick : ticks) residuals[tick] -= median;
  }
  ClassResiduals found;
  for (std::size_t tick = 0; tick < residuals.size(); ++tick) {
    if (std::isnan(residuals[tick])) continue;
    found.ticks.push_back(tick);
    found.residuals.push_back(residuals[tick]);
  }
  return found;
}

std::optional<Steadiness> steadiness_of(const ClassResiduals& residuals) {
  const auto& values = residuals.residuals;
  const std::size_t lags = kpss_lags(values.size());
  const auto kpss = kpss_level(values, lags);
  if (!kpss) return std::nullopt;
  const std::vector<double> ticks(residuals.ticks.begin(), residuals.ticks.end());
  const double variance = long_run_variance(values, 0);
  const double inflation = variance > 0 ? long_run_variance(values, lags) / variance : 1;
  const auto drift = theil_sen(ticks, values, 0.95, inflation);
  return Steadiness{.kpss = *kpss,
                    .lags = lags,
                    .is_steady = *kpss <= kpss_critical_1_percent,
                    .drift = drift.value_or(Trend{})};
}

}  // namespace flow::measure

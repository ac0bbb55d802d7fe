// SPDX-License-Identifier: Apache-2.0
#include "traffic/facts.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "base/check.hpp"

namespace flow::traffic {
namespace {

std::size_t tail_ticks_of(std::span<const double> volumes, double total) {
  std::vector<double> sorted(volumes.begin(), volumes.end());
  std::ranges::sort(sorted, std::greater{});
  double held = 0;
  std::size_t ticks = 0;
  while (ticks < sorted.size() && held < total * 0.01) held += sorted[ticks++];
  return ticks;
}

Overload overload_of(std::span<const double> volumes, double seconds, double total,
                     double capacity) {
  Overload overload{.capacity_per_second = capacity, .time_share = 0, .request_share = 0};
  for (const double volume : volumes) {
    if (volume <= capacity * seconds) continue;
    overload.time_share += 1 / static_cast<double>(volumes.size());
    overload.request_share += volume / total;
  }
  return overload;
}

double squares_of(double bias) { return bias * bias + (1 - bias) * (1 - bias); }

}  // namespace

Facts facts_of(std::span<const double> volumes, base::Nanos tick,
               std::span<const double> capacities_per_second) {
  FLOW_CHECK(!volumes.empty() && tick > base::Nanos{0});
  const double seconds = static_cast<double>(tick.count()) * 1e-9;
  const auto busiest = std::ranges::max_element(volumes);
  Facts facts;
  facts.total = std::accumulate(volumes.begin(), volumes.end(), 0.0);
  FLOW_CHECK(facts.total > 0);
  const double mean = facts.total / static_cast<double>(volumes.size());
  facts.mean_per_second = mean / seconds;
  facts.peak_per_second = *busiest / seconds;
  facts.peak_factor = *busiest / mean;
  facts.busiest_tick = static_cast<std::size_t>(busiest - volumes.begin());
  facts.busiest_share = *busiest / facts.total;
  facts.tail_ticks = tail_ticks_of(volumes, facts.total);
  for (const double capacity : capacities_per_second) {
    facts.overload.push_back(overload_of(volumes, seconds, facts.total, capacity));
  }
  return facts;
}

Facts facts_of(const Schedule& schedule, std::span<const double> capacities_per_second) {
  std::vector<double> volumes;
  for (const std::uint64_t count : schedule.counts) volumes.push_back(static_cast<double>(count));
  return facts_of(volumes, schedule.tick, capacities_per_second);
}

double peak_factor_of(double bias, int levels) { return std::pow(2 * bias, levels); }

int levels_for_peak(double bias, double factor) {
  FLOW_CHECK(bias > 0.5 && factor >= 1);
  return static_cast<int>(std::floor(std::log(factor) / std::log(2 * bias)));
}

double entropy_slope(double bias) {
  return -bias * std::log2(bias) - (1 - bias) * std::log2(1 - bias);
}

double correlation_dimension(double bias) { return -std::log2(squares_of(bias)); }

double hurst_exponent(double bias) { return 0.5 - 0.5 * std::log2(squares_of(bias)); }

double variation_of(double bias, int levels) {
  return std::sqrt(std::pow(2 * squares_of(bias), levels) - 1);
}

std::string sparkline(std::span<const std::uint64_t> counts, std::size_t width) {
  static constexpr std::array<const char*, 8> bars = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  FLOW_CHECK(!counts.empty() && width > 0);
  const auto peak = static_cast<double>(*std::ranges::max_element(counts));
  const std::size_t cells = std::min(width, counts.size());
  std::string line;
  for (std::size_t cell = 0; cell < cells; ++cell) {
    const std::size_t first = cell * counts.size() / cells;
    const std::size_t last = (cell + 1) * counts.size() / cells;
    const auto highest = *std::ranges::max_element(counts.subspan(first, last - first));
    const double share = peak > 0 ? static_cast<double>(highest) / peak : 0;
    line += bars[std::min<std::size_t>(7, static_cast<std::size_t>(share * 8))];
  }
  return line;
}

}  // namespace flow::traffic

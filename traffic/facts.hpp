// What a schedule will do to a server, known before it runs: how far the busiest tick stands above
// the mean, how much of the time and of the requests arrives faster than a server can take, and how
// many ticks the tail of the latencies rests on.
// Thread: any; pure functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "traffic/schedule.hpp"

namespace flow::traffic {

// Arrivals faster than `capacity_per_second`.
struct Overload {
  double capacity_per_second = 0;
  double time_share = 0;     // Of the ticks.
  double request_share = 0;  // Of the requests.
};

struct Facts {
  double total = 0;  // Requests.
  double mean_per_second = 0;
  double peak_per_second = 0;    // Rate of the busiest tick.
  double peak_factor = 0;        // Busiest tick / mean tick.
  std::size_t busiest_tick = 0;  // From 0; the first of equals.
  double busiest_share = 0;      // Of all requests.
  // Ticks that hold the top 1 % of the requests by rate: how many independent looks at p99 one run
  // gives, however many requests it sends.
  std::size_t tail_ticks = 0;
  std::vector<Overload> overload;  // In the order of the capacities asked for.
};

// Below this many ticks the tail of one run says little: the facts warn.
inline constexpr std::size_t tail_ticks_wanted = 10;

// `volumes`: requests per tick, not all 0.
Facts facts_of(std::span<const double> volumes, base::Nanos tick,
               std::span<const double> capacities_per_second = {});
Facts facts_of(const Schedule& schedule, std::span<const double> capacities_per_second = {});

// Exact laws of a cascade with one share (n = levels).
double peak_factor_of(double bias, int levels);   // (2b)^n
int levels_for_peak(double bias, double factor);  // floor(ln F / ln 2b); bias above 0.5.
double entropy_slope(double bias);                // D1, bits per level.
double correlation_dimension(double bias);        // D2 = -log2(b^2 + (1-b)^2).
double hurst_exponent(double bias);               // 1/2 + D2 / 2; falls as the bias rises.
double variation_of(double bias, int levels);     // Standard deviation / mean of the ticks.

// One character per tick (several ticks share one when there are more than `width`): their height
// is the busiest tick's rate in the character, against the busiest of all.
std::string sparkline(std::span<const std::uint64_t> counts, std::size_t width = 64);

}  // namespace flow::traffic

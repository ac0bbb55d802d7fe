// Is the *server* steady, when the load is not? A bursty run's latencies go up and down with its
// load. Ticks with the same volume form a class; what is left of a tick's mean log latency after
// its class's median is taken off is about the server, and may be tested for a constant level and
// for a trend.
// Thread: any; pure functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "measure/trend.hpp"

namespace flow::measure {

// The class of each tick, from 0, by ascending volume: of equal volume (to 1e-9 of it) where there
// are no more than 32 different ones, as in a b-model cascade (pass the volumes before rounding to
// whole requests), otherwise deciles.
std::vector<std::size_t> volume_classes(std::span<const double> volumes);

// The same without the ticks in which a queue stood and the ones after them (NaN): those whose mean
// is above a twentieth of a tick and above three times the median tick. What they measure is a
// burst and its drain, which under overload KPSS would take for a server that drifts. `tick`: its
// length in the unit of the latencies.
std::vector<double> without_queues(std::span<const double> log_latency, double tick);

struct ClassResiduals {
  std::vector<std::size_t> ticks;  // Those that have a value, ascending.
  std::vector<double> residuals;   // Of these ticks.
};
inline constexpr std::size_t class_ticks_min = 9;

// `log_latency`: the mean log latency of the requests intended in each tick, NaN where there is
// none; as many as classes (FLOW_CHECK). A class with fewer than 9 such ticks joins its larger
// neighbour in the order of the classes, the smallest class first.
ClassResiduals class_residuals(std::span<const std::size_t> classes,
                               std::span<const double> log_latency);

// The gate of a measured phase. A run is steady when KPSS does not reject a constant level of the
// residuals at 1 %: an experiment has many runs, and of steady ones 5 % would be thrown away.
struct Steadiness {
  double kpss = 0;
  std::size_t lags = 0;
  bool is_steady = false;
  Trend drift;  // Of log latency per tick; its interval allows for correlated ticks.
};
// nullopt for fewer than 10 residuals.
std::optional<Steadiness> steadiness_of(const ClassResiduals& residuals);

}  // namespace flow::measure

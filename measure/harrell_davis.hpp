// The Harrell-Davis estimate of a quantile: all order statistics, weighted by a beta distribution
// around the wanted rank. Smoother from run to run than one order statistic, where values are few.
// Source: Harrell and Davis, A new distribution-free quantile estimator, Biometrika 69, 1982.
// Thread: any; pure functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>

#include "measure/histogram.hpp"

namespace flow::measure {

// `values` in any order, all finite (FLOW_CHECK); q in (0, 1). nullopt for no value.
std::optional<double> harrell_davis(std::span<const double> values, double q);

// The same in nanoseconds over the buckets, each at its middle. nullopt for no value, and with any
// overflow, which has a weight and no place.
std::optional<double> harrell_davis(const Histogram& histogram, double q);

}  // namespace flow::measure

// How much the tail answers to the load: the slope of log latency over log rate at the operating
// point. 1: 1 % more load, 1 % more latency. A ratio of two p99 values is no ratio of speeds: near
// saturation a server that is 10 % slower may show three times the p99.
// Thread: any; pure functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>

namespace flow::measure {

struct LoadPoint {
  double requests_per_second = 0;
  double latency = 0;  // Any unit; of one class of ticks, say its p99.
};

// Of the line between the two points around the rate, in logarithms; at a point between two others
// the line through those two. nullopt outside the points, and where fewer than two have a rate and
// a latency that are finite and above 0. Points in any order; of equal rates the first counts.
std::optional<double> elasticity(std::span<const LoadPoint> curve, double requests_per_second);

}  // namespace flow::measure

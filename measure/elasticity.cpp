// SPDX-License-Identifier: Apache-2.0
#include "measure/elasticity.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace flow::measure {
namespace {

bool is_usable(double value) { return std::isfinite(value) && value > 0; }

double slope_between(const LoadPoint& a, const LoadPoint& b) {
  return std::log(b.latency / a.latency) / std::log(b.requests_per_second / a.requests_per_second);
}

}  // namespace

std::optional<double> elasticity(std::span<const LoadPoint> curve, double requests_per_second) {
  std::vector<LoadPoint> points;
  for (const LoadPoint& point : curve) {
    if (is_usable(point.requests_per_second) && is_usable(point.latency)) points.push_back(point);
  }
  std::ranges::stable_sort(points, {}, &LoadPoint::requests_per_second);
  const auto equal = std::ranges::unique(points, {}, &LoadPoint::requests_per_second);
  points.erase(equal.begin(), equal.end());
  if (points.size() < 2 || !(requests_per_second >= points.front().requests_per_second) ||
      requests_per_second > points.back().requests_per_second) {
    return std::nullopt;
  }
  const auto at =
      std::ranges::lower_bound(points, requests_per_second, {}, &LoadPoint::requests_per_second);
  const bool is_point = at->requests_per_second == requests_per_second;
  const auto left = at == points.begin() ? at : at - 1;
  const auto right = is_point && at + 1 != points.end() ? at + 1 : at;
  return slope_between(*left, *right);
}

}  // namespace flow::measure

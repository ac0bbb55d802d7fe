// SPDX-License-Identifier: Apache-2.0
#include "traffic/warp.hpp"

#include <algorithm>
#include <cmath>

#include "base/check.hpp"

namespace flow::traffic {

Warp::Warp(std::span<const double> volumes) : cumulative_(1, 0.0) {
  FLOW_CHECK(!volumes.empty());
  cumulative_.reserve(volumes.size() + 1);
  for (const double volume : volumes) {
    FLOW_CHECK(volume >= 0);
    cumulative_.push_back(cumulative_.back() + volume);
  }
  FLOW_CHECK(cumulative_.back() > 0);
}

double Warp::time_of(double volume) const {
  if (volume <= 0) return 0;
  if (volume >= total()) volume = total();
  const auto end = std::lower_bound(cumulative_.begin(), cumulative_.end(), volume);
  const double below = *(end - 1);
  const auto tick = static_cast<double>(end - cumulative_.begin() - 1);
  return tick + (volume - below) / (*end - below);
}

double Warp::volume_at(double time) const {
  const double bounded = std::clamp(time, 0.0, ticks());
  const auto tick = std::min(static_cast<std::size_t>(bounded), cumulative_.size() - 2);
  const double share = bounded - static_cast<double>(tick);
  return cumulative_[tick] + share * (cumulative_[tick + 1] - cumulative_[tick]);
}

}  // namespace flow::traffic

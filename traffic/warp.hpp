// M(t), the volume that a schedule has sent by time t: piecewise linear over equal ticks. Its
// inverse turns evenly or randomly spaced volumes into arrival times with the wanted rate, without
// rounding volumes to whole events.
// Thread: any; immutable after construction.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <vector>

namespace flow::traffic {

class Warp {
 public:
  // `volumes`: at least one, none negative, not all 0. Times are in ticks.
  explicit Warp(std::span<const double> volumes);

  double total() const { return cumulative_.back(); }
  double ticks() const { return static_cast<double>(cumulative_.size() - 1); }

  // The time in ticks at which `volume` (0 .. total()) has been sent; the earliest one where a tick
  // without volume leaves a choice.
  double time_of(double volume) const;
  // The volume sent by `time` (0 .. ticks()).
  double volume_at(double time) const;

 private:
  std::vector<double> cumulative_;  // 0, v_1, v_1 + v_2, ..
};

}  // namespace flow::traffic

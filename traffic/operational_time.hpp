// A clock that runs fast while the b-model is heavy and slow while it is light: operational time
// M(t) T / M(T). Customers who think on it come back in bursts, though none arrives or leaves. The
// whole run is as long on it as on the real one.
// Thread: any; immutable.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include "base/clock.hpp"
#include "traffic/warp.hpp"

namespace flow::traffic {

class OperationalTime {
 public:
  // `volumes` as Warp's; `tick`: real length of each.
  OperationalTime(std::span<const double> volumes, base::Nanos tick)
      : warp_(volumes), tick_(static_cast<double>(tick.count())) {}

  // The real moment at which `pause` of operational time has passed since `from`: M^-1(M(from) +
  // pause M(T) / T); the end of the run when it does not end before.
  base::Nanos advance(base::Nanos from, base::Nanos pause) const {
    const double share = static_cast<double>(pause.count()) / (tick_ * warp_.ticks());
    const double volume =
        warp_.volume_at(static_cast<double>(from.count()) / tick_) + share * warp_.total();
    const auto at = static_cast<std::int64_t>(warp_.time_of(volume) * tick_);
    return std::max(from, base::Nanos{at});  // Rounding must not turn time back.
  }

 private:
  Warp warp_;
  double tick_;
};

}  // namespace flow::traffic

// How long to wait before the next attempt: 100 ms, doubled up to 5 s, minus up to 9 % so that
// many partitions do not come back at once.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>

#include "base/clock.hpp"
#include "base/random.hpp"

namespace flow::streaming::pulsar {

class Backoff {
 public:
  static constexpr base::Nanos first = std::chrono::milliseconds(100);
  static constexpr base::Nanos last = std::chrono::seconds(5);

  base::Nanos next(base::SplitMix64& random) {
    const base::Nanos delay = delay_;
    delay_ = std::min(2 * delay_, last);
    return delay - delay * static_cast<std::int64_t>(random.next_below(10)) / 100;
  }
  void reset() { delay_ = first; }

 private:
  base::Nanos delay_ = first;
};

}  // namespace flow::streaming::pulsar

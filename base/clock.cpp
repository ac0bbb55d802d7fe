// SPDX-License-Identifier: Apache-2.0
#include "base/clock.hpp"

#include <time.h>

namespace flow::base {
namespace {

std::int64_t read_clock(clockid_t id) {
  timespec at{};
  clock_gettime(id, &at);
  return std::int64_t{at.tv_sec} * 1'000'000'000 + at.tv_nsec;
}

}  // namespace

ClockAnchor ClockAnchor::take() {
  std::int64_t best_width = INT64_MAX;
  std::int64_t best_offset = 0;
  for (int i = 0; i < 32; ++i) {
    const std::int64_t before = read_clock(CLOCK_MONOTONIC);
    const std::int64_t wall = read_clock(CLOCK_REALTIME);
    const std::int64_t after = read_clock(CLOCK_MONOTONIC);
    if (after - before < best_width) {
      best_width = after - before;
      best_offset = wall - (before + (after - before) / 2);
    }
  }
  return ClockAnchor(Nanos{best_offset});
}

}  // namespace flow::base

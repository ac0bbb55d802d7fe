// Time as Flow uses it. Inside a process: CLOCK_MONOTONIC in nanoseconds (TimePoint). Between
// processes and in files: Unix nanoseconds = monotonic + anchor. The coordinator takes the anchor
// once per trial and hands it to every process of the host, so that a step of the wall clock
// during a trial changes no difference between two moments; ClockAnchor::step_since() finds it.
// Thread: any; plain values.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>

namespace flow::base {

using Nanos = std::chrono::nanoseconds;
using MonotonicClock = std::chrono::steady_clock;  // CLOCK_MONOTONIC on Linux.
using TimePoint = std::chrono::time_point<MonotonicClock, Nanos>;

inline TimePoint now() { return MonotonicClock::now(); }

// A moment on the wall clock in nanoseconds since 1970, comparable between the processes of a
// trial.
enum class UnixNanos : std::int64_t {};

constexpr std::int64_t count(UnixNanos at) { return static_cast<std::int64_t>(at); }
constexpr Nanos operator-(UnixNanos a, UnixNanos b) { return Nanos{count(a) - count(b)}; }
constexpr UnixNanos operator+(UnixNanos at, Nanos span) {
  return UnixNanos{count(at) + span.count()};
}

class ClockAnchor {
 public:
  // Reads both clocks back to back, several times, and keeps the tightest pair (error < 1 us).
  static ClockAnchor take();
  static constexpr ClockAnchor from_offset(Nanos offset) { return ClockAnchor(offset); }

  // CLOCK_REALTIME - CLOCK_MONOTONIC; what is handed to other processes.
  constexpr Nanos offset() const { return offset_; }

  constexpr UnixNanos to_unix(TimePoint at) const {
    return UnixNanos{at.time_since_epoch().count() + offset_.count()};
  }
  constexpr TimePoint from_unix(UnixNanos at) const {
    return TimePoint{Nanos{count(at) - offset_.count()}};
  }

  // How far the wall clock has moved against the monotonic one since this anchor was taken. NTP
  // slews by up to 500 ppm; a larger value is a step, and voids the trial.
  Nanos step_since() const { return take().offset_ - offset_; }

 private:
  explicit constexpr ClockAnchor(Nanos offset) : offset_(offset) {}
  Nanos offset_;
};

}  // namespace flow::base

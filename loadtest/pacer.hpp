// Releases the requests of a schedule when they are due. Open loop: the schedule depends on the
// seed, never on a reply. A caller that comes late gets the backlog with its original times, so a
// stall shows up as latency and not as requests that were quietly never sent.
// Thread: one owner.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstddef>
#include <span>

#include "base/clock.hpp"

namespace flow::loadtest {

using base::Nanos;
using base::TimePoint;

enum class Slot : std::size_t {};  // Position in the schedule that the pacer was given.

constexpr std::size_t index_of(Slot slot) { return static_cast<std::size_t>(slot); }

class Pacer {
 public:
  // `schedule` is sorted and outlives the pacer; times count from `start`.
  Pacer(std::span<const Nanos> schedule, TimePoint start) : schedule_(schedule), start_(start) {}

  bool done() const { return next_ == schedule_.size(); }
  TimePoint next() const { return start_ + schedule_[next_]; }
  TimePoint intended(Slot slot) const { return start_ + schedule_[index_of(slot)]; }

  // Calls send(slot, intended) for every slot due by `now`, `limit` at most; returns how many.
  int release_due(TimePoint now, int limit, std::invocable<Slot, TimePoint> auto&& send) {
    int released = 0;
    for (; released < limit && !done() && next() <= now; ++released, ++next_) {
      send(Slot{next_}, next());
    }
    return released;
  }

 private:
  std::span<const Nanos> schedule_;
  TimePoint start_;
  std::size_t next_ = 0;
};

}  // namespace flow::loadtest

// Timers of machines without a clock of their own: a heap that its owner runs when it is time.
// Thread: one. Timers must not outlive their TimerQueue.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <vector>

#include "base/clock.hpp"

namespace flow::streaming::pulsar {

class Timer;

class TimerQueue {
 public:
  // `on_earlier` is called when a timer becomes due before all others.
  explicit TimerQueue(std::function<void(base::TimePoint)> on_earlier)
      : on_earlier_(std::move(on_earlier)) {}

  std::optional<base::TimePoint> next() const;
  void run(base::TimePoint now);  // Fires what is due, in order of time.

 private:
  friend class Timer;
  void insert(Timer& timer);
  void remove(Timer& timer);
  void place(std::size_t index, Timer* timer);
  void sift_up(std::size_t index);
  void sift_down(std::size_t index);

  std::vector<Timer*> heap_;
  std::function<void(base::TimePoint)> on_earlier_;
};

class Timer {
 public:
  Timer(TimerQueue& queue, std::function<void(base::TimePoint)> on_due)
      : queue_(queue), on_due_(std::move(on_due)) {}
  ~Timer() { cancel(); }
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  void arm(base::TimePoint at);  // Replaces an earlier time.
  void cancel();
  bool is_armed() const { return index_ != unarmed; }

 private:
  friend class TimerQueue;
  static constexpr std::size_t unarmed = static_cast<std::size_t>(-1);

  TimerQueue& queue_;
  std::function<void(base::TimePoint)> on_due_;
  base::TimePoint at_;
  std::size_t index_ = unarmed;
};

}  // namespace flow::streaming::pulsar

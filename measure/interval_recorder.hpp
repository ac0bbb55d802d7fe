// Records on one thread; another thread takes what was recorded since it last took, once per
// second, without a lock on the writer and without losing or repeating a value.
//
// Two histograms: the writer fills the active one, the reader swaps them and reads the other. The
// writer announces in `writing_` which one it is about to fill and then checks that this one is
// still active; the reader changes `active_` and then waits until nobody is announced for the old
// one. All four are sequentially consistent: either the writer sees the change and takes the new
// histogram, or the reader sees the announcement and waits. So no record() goes to a histogram
// that is being read. The writer repeats at most once per take(); the reader waits for at most one
// record().
// Thread: record() on one thread, take() on one other thread.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "measure/histogram.hpp"

namespace flow::measure {

class IntervalRecorder {
 public:
  IntervalRecorder() : IntervalRecorder(Histogram::Options{}) {}
  explicit IntervalRecorder(Histogram::Options options);
  IntervalRecorder(const IntervalRecorder&) = delete;
  IntervalRecorder& operator=(const IntervalRecorder&) = delete;

  const Histogram::Options& options() const noexcept { return histograms_[0].options(); }

  void record(Nanos value) noexcept {
    std::uint32_t target = active_.load(std::memory_order_relaxed);
    for (;;) {
      writing_.store(target, std::memory_order_seq_cst);
      const std::uint32_t active = active_.load(std::memory_order_seq_cst);
      if (active == target) break;
      target = active;
    }
    histograms_[target].record(value);
    writing_.store(nowhere, std::memory_order_release);
  }

  // Replaces the content of `interval` (same options, FLOW_CHECK) by what was recorded since the
  // last take(); min() and max() are those of the interval.
  void take(Histogram& interval);

 private:
  static constexpr std::uint32_t nowhere = 2;

  std::array<Histogram, 2> histograms_;
  std::atomic<std::uint32_t> active_ = 0;
  std::atomic<std::uint32_t> writing_ = nowhere;
};

}  // namespace flow::measure

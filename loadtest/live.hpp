// What the thread that runs the generator may see of a shard while it works: counters and interval
// histograms, each written by the shard alone.
// Thread: record and add on the shard, load and take on one other thread.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>

#include "measure/interval_recorder.hpp"

namespace flow::loadtest {

// A count with one writer: no locked instruction, and readers see a value that once was true.
class LiveCount {
 public:
  void add() { value_.store(load() + 1, std::memory_order_relaxed); }
  std::uint64_t load() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_ = 0;
};

struct LiveCounters {
  LiveCount intended;
  LiveCount sent;
  LiveCount left_flight;  // Subset of sent: ended, in whatever way.
  LiveCount answered;
  LiveCount failed;
  LiveCount late;                         // As Measurements::late.
  LiveCount arrived;                      // Customers of the closed modes.
  LiveCount left;                         // Subset of arrived.
  measure::IntervalRecorder response;     // All answers, of whatever status.
  measure::IntervalRecorder start_error;  // As Measurements::start_error.
};

}  // namespace flow::loadtest

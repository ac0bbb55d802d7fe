// SPDX-License-Identifier: Apache-2.0
#include "measure/interval_recorder.hpp"

#include <thread>

#include "base/check.hpp"

namespace flow::measure {

IntervalRecorder::IntervalRecorder(Histogram::Options options)
    : histograms_{Histogram(options), Histogram(options)} {}

void IntervalRecorder::take(Histogram& interval) {
  FLOW_CHECK(interval.options() == options());
  const std::uint32_t old = active_.load(std::memory_order_relaxed);
  active_.store(1 - old, std::memory_order_seq_cst);
  while (writing_.load(std::memory_order_seq_cst) == old) std::this_thread::yield();
  interval.reset();
  interval.merge(histograms_[old]);
  histograms_[old].reset();
}

}  // namespace flow::measure

// Hands the entries of one shard to the thread that runs the generator: append-only, sized for the
// whole schedule beforehand, so that the shard never waits and never allocates.
//
// One writer fills entries_[0..n) and then publishes n (release); the reader loads n (acquire) and
// reads only below it. An entry is never written again once it is published.
// Thread: append() on one thread, take() on one other thread.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <vector>

#include "base/check.hpp"
#include "loadtest/request_log.hpp"

namespace flow::loadtest {

class EntryLog {
 public:
  explicit EntryLog(std::size_t entries_max) : entries_(entries_max) {}

  void append(const RequestEntry& entry) {
    const std::size_t at = published_.load(std::memory_order_relaxed);
    FLOW_CHECK(at < entries_.size());
    entries_[at] = entry;
    published_.store(at + 1, std::memory_order_release);
  }

  // Gives what was appended since the last call to `sink`.
  void take(RequestSink& sink) {
    const std::size_t end = published_.load(std::memory_order_acquire);
    for (; taken_ < end; ++taken_) sink.on_request(entries_[taken_]);
  }

 private:
  std::vector<RequestEntry> entries_;
  std::atomic<std::size_t> published_ = 0;
  std::size_t taken_ = 0;  // The reader's.
};

}  // namespace flow::loadtest

// The operator's wish to stop, seen by whoever waits. The first request asks to finish in order:
// the running phase is drained and what was measured is written. The second one ends the program
// at once.
// Thread: request() on the signal thread, the rest anywhere.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <mutex>

namespace flow::lab {

class StopRequest {
 public:
  bool is_requested() const {
    const std::lock_guard lock(mutex_);
    return is_requested_;
  }

  void request() {
    const std::lock_guard lock(mutex_);
    is_requested_ = true;
    if (on_request_) on_request_();
  }

  // Called once at the first request, on the signal thread, or at once when it came before. An
  // empty function takes the callback back; after that it does not run any more.
  void set_callback(std::function<void()> on_request) {
    const std::lock_guard lock(mutex_);
    on_request_ = std::move(on_request);
    if (is_requested_ && on_request_) on_request_();
  }

 private:
  mutable std::mutex mutex_;
  bool is_requested_ = false;
  std::function<void()> on_request_;
};

}  // namespace flow::lab

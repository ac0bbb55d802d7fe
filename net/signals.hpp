// SIGINT and SIGTERM as the program's stop requests: the first one asks to finish in order (drain,
// write what was measured), the second one to stop now.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>

#include "net/io_thread.hpp"

namespace flow::net {

// Calls `on_signal(n)` on `io`'s thread for the n-th signal, from 1, until it is destroyed (from a
// thread that is not `io`'s). Ignores SIGPIPE for the process. One per process.
class StopSignals {
 public:
  StopSignals(IoThread& io, std::function<void(int)> on_signal);
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

 private:
  class Impl;
  IoThread& io_;
  std::shared_ptr<Impl> impl_;
};

}  // namespace flow::net

// From librdkafka's threads to ours: they write to an eventfd when a queue stops being empty
// (rd_kafka_queue_io_event_enable), the IoThread wakes and pulls. The only thing that both sides
// touch is the file descriptor.
//
// Why no wake-up is lost: the descriptor is read *before* the queues are drained, and they are
// drained until empty or asked to come back, so whatever arrives later finds a queue that was seen
// empty and writes again.
// Thread: the IoThread; librdkafka writes to fd() from its own.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>

#include "net/io_thread.hpp"

namespace flow::streaming::kafka {

class EventBridge {
 public:
  // `pull` takes a bounded batch and returns true when there may be more: it is then called again
  // after whatever else is waiting on the thread.
  EventBridge(net::IoThread& io, std::function<bool()> pull);
  ~EventBridge() { stop(); }
  EventBridge(const EventBridge&) = delete;
  EventBridge& operator=(const EventBridge&) = delete;

  int fd() const;  // Non-blocking; a write of 8 bytes wakes. Open until destruction.
  void wake();     // Asks for a pull soon, from the IoThread.
  void stop();     // No pull after it. Before it, the queues must have been told to stop writing.

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace flow::streaming::kafka

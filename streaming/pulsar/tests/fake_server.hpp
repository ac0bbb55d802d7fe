// The fake broker behind real sockets on 127.0.0.1, in a thread of its own.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "net/io_thread.hpp"
#include "streaming/pulsar/tests/fake_broker.hpp"

namespace flow::streaming::pulsar::testing {

class FakeServer {
 public:
  FakeServer();
  ~FakeServer();

  std::string service_url() const;

  // Runs `work(broker)` on the server's thread, then writes what it made.
  void with_broker(std::function<void(FakeBroker&)> work);

  void cut_after(std::size_t bytes);  // Hangs up once after so many bytes to clients, in all.
  void stall(bool is_stalled);        // Reads nothing and writes nothing.

 private:
  class Impl;
  net::IoThread io_{"fake-broker"};
  std::shared_ptr<Impl> impl_;
};

}  // namespace flow::streaming::pulsar::testing

// The one place of the client with sockets and clocks: Boost.Asio behind Host. It holds no rule of
// the protocol.
// Thread: the IoThread's, except where a comment says otherwise.
// Owns: the sockets and the Client.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <map>
#include <memory>

#include <boost/asio/steady_timer.hpp>

#include "net/io_thread.hpp"
#include "streaming/pulsar/client.hpp"
#include "streaming/pulsar/host.hpp"

namespace flow::streaming::pulsar {

class Shell final : public Host, public std::enable_shared_from_this<Shell> {
 public:
  // `outbox_bytes_max`: what may wait for one socket; beyond it the connection is given up.
  Shell(net::IoThread& io, ClientOptions options, std::size_t outbox_bytes_max);
  ~Shell();

  Client& client() { return client_; }
  net::IoThread& io() { return io_; }
  void shut_down();  // Closes everything; nothing happens after it.

  base::TimePoint now() const override;
  std::uint64_t unix_ms() const override;
  void open(ConnectionId id, const net::HostPort& address) override;
  void write(ConnectionId id, FrameRef frame) override;
  void close(ConnectionId id) override;
  void wake_at(base::TimePoint at) override;
  void wake_soon() override;

 private:
  class Socket;
  void arm_timer(base::TimePoint at);

  net::IoThread& io_;
  const std::size_t outbox_bytes_max_;
  net::asio::steady_timer timer_;
  base::TimePoint timer_at_ = base::TimePoint::max();
  std::map<ConnectionId, std::shared_ptr<Socket>> sockets_;
  bool is_shut_down_ = false;
  Client client_;  // Last: it calls this host while it goes.
};

// Set once, waited for with a deadline: how a coroutine waits for a machine's completion.
class Event {
 public:
  explicit Event(net::IoThread& io) : timer_(io.context(), base::TimePoint::max()) {}
  void set();
  bool is_set() const { return is_set_; }
  // False when the deadline passed first. One waiter.
  static net::Task<bool> wait(std::shared_ptr<Event> event, base::TimePoint deadline);

 private:
  net::asio::steady_timer timer_;
  bool is_set_ = false;
};

}  // namespace flow::streaming::pulsar

// What the client's machines ask of the world: sockets, clocks, a timer. The shell (shell.cpp)
// gives them Asio's, a test gives them a virtual network and clock. No call answers by calling
// back: events come to the Client later.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "net/url.hpp"
#include "streaming/pulsar/proto.hpp"

namespace flow::streaming::pulsar {

enum class ConnectionId : std::uint64_t {};  // Never used again: events of an old one are known.

// A frame lives until it is written and, for a SEND, until it is decided: it may be sent again.
using FrameRef = std::shared_ptr<const Bytes>;

class Host {
 public:
  virtual base::TimePoint now() const = 0;
  virtual std::uint64_t unix_ms() const = 0;

  virtual void open(ConnectionId id, const net::HostPort& address) = 0;
  virtual void write(ConnectionId id, FrameRef frame) = 0;  // In order, after Client::on_open().
  virtual void close(ConnectionId id) = 0;                  // No event of it follows.

  virtual void wake_at(base::TimePoint at) = 0;  // Client::on_timer() then, or earlier.
  virtual void wake_soon() = 0;                  // Client::on_turn() after the running call.

 protected:
  ~Host() = default;
};

// Why something did not work.
struct Failure {
  base::Error error;
  int server_error = -1;  // The broker's number; -1: not an answer of the broker.
  bool is_final = false;  // Trying again cannot help.
};

// Where a broker is: behind a proxy the two differ.
struct Address {
  net::HostPort logical;
  net::HostPort physical;
  bool operator==(const Address&) const = default;
};

// What happened that no single request shows. Every count is of its own.
struct Counters {
  std::uint64_t connections_opened = 0;
  std::uint64_t connections_lost = 0;
  std::uint64_t protocol_errors = 0;      // Of connections_lost: the broker broke the protocol.
  std::uint64_t unknown_commands = 0;     // Ignored.
  std::uint64_t receipts_ignored = 0;     // For what was decided before.
  std::uint64_t receipts_mismatched = 0;  // Out of step: the connection was closed.
  std::uint64_t receipts_not_stored = 0;  // Ids -1:-1: a duplicate that the broker dropped.
  std::uint64_t entries_resumed = 0;      // Waited, sent or not, when a producer came (back).
  std::uint64_t records_filtered = 0;     // Sent again by the broker, handed over before.
  std::uint64_t entries_damaged = 0;
};

}  // namespace flow::streaming::pulsar

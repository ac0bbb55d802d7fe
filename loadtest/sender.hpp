// Decides when which request goes on which connection: the generator without its sockets. Two of
// them: Dispatcher (open: the schedule's times) and Visitors (closed: each customer's own answers
// and pauses). Sans-I/O: times and events come in, calls to a Wire go out, so that a test can play
// any server on a simulated clock.
// Thread: one owner.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "loadtest/measurements.hpp"
#include "loadtest/request_log.hpp"

namespace flow::loadtest {

enum class ConnectionId : std::uint32_t {};

// A request that has come due.
struct DueRequest {
  std::uint64_t number = 0;  // Counted from the plan's first request.
  std::size_t action = 0;    // Its place in the plan's actions.
  TimePoint intended{};
};

// What a sender asks for. Answers come as calls of its on_...() functions, never from inside a call
// of the Wire; only on_sent() may.
class Wire {
 public:
  virtual void open(ConnectionId id) = 0;  // Then on_open() or on_open_failed().
  // Then on_sent() or on_broken().
  virtual void send(ConnectionId id, const DueRequest& request) = 0;
  virtual void close(ConnectionId id) = 0;

 protected:
  ~Wire() = default;
};

// Where finished requests go: the shard turns them into log entries.
struct Finished {
  DueRequest request;
  TimePoint sent;  // TimePoint{}: never.
  TimePoint ended;
  TimePoint connection_free;  // TimePoint{}: never.
  int status;                 // 0 unless answered.
  RequestEnd end;
};

class FinishedSink {
 public:
  virtual void on_finished(const Finished& request) = 0;

 protected:
  ~FinishedSink() = default;
};

class Sender {
 public:
  virtual ~Sender() = default;

  virtual void begin(TimePoint now) = 0;  // Once, before the start: opens the first connections.
  // Releases what is due, about `limit` requests at most; the rest at the next call.
  virtual void release_due(TimePoint now, int limit) = 0;
  // Nothing that is due after `now` is released; what was due before is. For good.
  virtual void stop_releasing(TimePoint now) = 0;
  // Everything unfinished becomes unanswered, censored at `deadline`; connections are closed.
  virtual void give_up(TimePoint deadline) = 0;

  virtual std::optional<TimePoint> next_due() const = 0;  // Nothing more by the clock: empty.
  virtual bool is_finished() const = 0;

  virtual void on_open(ConnectionId id, TimePoint at) = 0;
  // `is_local_limit`: this machine is out of descriptors or ports.
  virtual void on_open_failed(ConnectionId id, TimePoint at, bool is_local_limit) = 0;
  virtual void on_sent(ConnectionId id, TimePoint at) = 0;
  virtual void on_answered(ConnectionId id, TimePoint at, int status, bool keeps_alive) = 0;
  virtual void on_broken(ConnectionId id, TimePoint at, FailureCause cause) = 0;

  virtual const Measurements& measurements() const = 0;
};

}  // namespace flow::loadtest

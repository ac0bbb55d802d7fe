// Decides which request goes on which connection, and what became of each: the generator without
// its sockets. Sans-I/O: times and events come in, calls to a Wire go out, so that a test can play
// any server on a simulated clock.
//
// A request that is due takes the idle connection used last. Without one it waits, its time
// running, and the dispatcher opens connections up to the bound; requests leave in the order in
// which they were due, so the queue is the part of the schedule between `head_` and `released_` and
// needs no memory. One request at a time on a connection (no pipelining). Nothing is sent twice: a
// keep-alive connection that breaks under a request, even before the first byte of an answer, is a
// failed request, because a retry would hide it.
// Thread: one owner.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "loadtest/live.hpp"
#include "loadtest/measurements.hpp"
#include "loadtest/pacer.hpp"
#include "loadtest/request_log.hpp"

namespace flow::loadtest {

enum class ConnectionId : std::uint32_t {};

// What the dispatcher asks for. Answers come as calls of the Dispatcher's on_...() functions, never
// from inside a call of the Wire; only on_sent() may.
class Wire {
 public:
  virtual void open(ConnectionId id) = 0;             // Then on_open() or on_open_failed().
  virtual void send(ConnectionId id, Slot slot) = 0;  // Then on_sent() or on_broken().
  virtual void close(ConnectionId id) = 0;

 protected:
  ~Wire() = default;
};

// Where finished requests go: the shard turns them into log entries.
struct Finished {
  Slot slot;
  TimePoint intended;
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

struct DispatcherOptions {
  std::size_t connections_max = 2000;
  std::size_t connections_spare = 8;  // Idle ones kept ready, opened beforehand.
};

class Dispatcher {
 public:
  // All arguments but the options are borrowed and outlive the dispatcher. `schedule` is sorted.
  Dispatcher(DispatcherOptions options, std::span<const Nanos> schedule, TimePoint start,
             Wire& wire, FinishedSink& sink, LiveCounters& live);

  void open_spares();  // Before the start.

  // Releases what is due, `limit` requests at most; the rest at the next call.
  void release_due(TimePoint now, int limit);
  void stop_releasing() { is_stopped_ = true; }  // For good; call release_due() before.
  // Everything unfinished becomes unanswered, censored at `deadline`; connections are closed.
  void give_up(TimePoint deadline);

  bool has_next() const { return !is_stopped_ && !pacer_.done(); }
  TimePoint next_due() const { return pacer_.next(); }  // has_next()
  bool is_finished() const { return !has_next() && head_ == released_ && busy_ == 0; }

  void on_open(ConnectionId id, TimePoint at);
  // A local limit (descriptors, ports) while other connections live is a lower bound, no failure.
  void on_open_failed(ConnectionId id, TimePoint at, bool is_local_limit);
  void on_sent(ConnectionId id, TimePoint at);
  void on_answered(ConnectionId id, TimePoint at, int status, bool keeps_alive);
  void on_broken(ConnectionId id, TimePoint at, FailureCause cause);  // Idle ones are dropped.

  const Measurements& measurements() const { return measured_; }
  std::size_t open_connections() const {
    return closed_.size() < capacity_ ? capacity_ - closed_.size() : 0;
  }

 private:
  enum class Use : std::uint8_t { closed, connecting, idle, sending, awaiting };
  struct Connection {
    Use use = Use::closed;
    bool was_used = false;
    std::size_t idle_at = 0;  // Position in idle_.
    Slot slot{};
    TimePoint ready{};            // Connected, or its last answer was read.
    TimePoint connection_free{};  // Of the request under way.
    TimePoint sent{};
  };

  Connection& at(ConnectionId id) { return connections_[static_cast<std::size_t>(id)]; }
  std::size_t waiting() const { return released_ - head_; }
  void serve();
  void start(ConnectionId id, std::size_t index);
  void open_as_needed();
  void make_idle(ConnectionId id, TimePoint now);
  void take_from_idle(ConnectionId id);
  void make_closed(ConnectionId id);
  void advance_integral(TimePoint now);
  void leave_flight(const Connection& connection, TimePoint now);
  void fail_oldest_waiting(TimePoint now, FailureCause cause);
  void finish(const Finished& request, FailureCause cause);

  DispatcherOptions options_;
  Pacer pacer_;
  Wire& wire_;
  FinishedSink& sink_;
  LiveCounters& live_;
  Measurements measured_;
  std::vector<Connection> connections_;
  std::vector<ConnectionId> closed_;
  std::vector<ConnectionId> idle_;  // Last used last.
  std::size_t capacity_ = 0;        // connections_.size(); the bound may sink below it.
  std::size_t connections_max_ = 0;
  std::size_t connecting_ = 0;
  std::size_t busy_ = 0;       // Sending or awaiting.
  std::size_t in_flight_ = 0;  // Awaiting.
  std::size_t released_ = 0;
  std::size_t head_ = 0;  // The oldest request that waits, if head_ < released_.
  bool is_stopped_ = false;
  bool opens_spares_ = true;  // Off after a refusal, until an answer comes: no busy reopening.
  TimePoint integral_at_{};
};

}  // namespace flow::loadtest

// The open sender: every request starts by the schedule, whatever the answers do.
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
#include <optional>
#include <span>
#include <vector>

#include "loadtest/live.hpp"
#include "loadtest/pacer.hpp"
#include "loadtest/sender.hpp"
#include "loadtest/tally.hpp"

namespace flow::loadtest {

// The slots of one shard: every `count`-th of the plan, from `index`.
struct Stripe {
  std::size_t index = 0;
  std::size_t count = 1;

  std::size_t global_of(Slot slot) const { return index + index_of(slot) * count; }
};

struct DispatcherOptions {
  std::size_t connections_max = 2000;
  std::size_t connections_spare = 8;  // Idle ones kept ready, opened beforehand.
};

class Dispatcher final : public Sender {
 public:
  // `schedule`, `wire`, `sink` and `live` are borrowed and outlive the dispatcher. `schedule` is
  // sorted: the slots of `stripe`.
  Dispatcher(DispatcherOptions options, std::span<const Nanos> schedule, Stripe stripe,
             TimePoint start, Wire& wire, FinishedSink& sink, LiveCounters& live);

  void begin(TimePoint now) override;
  void release_due(TimePoint now, int limit) override;
  void stop_releasing(TimePoint now) override;
  void give_up(TimePoint deadline) override;

  std::optional<TimePoint> next_due() const override {
    return has_next() ? std::optional(pacer_.next()) : std::nullopt;
  }
  bool is_finished() const override { return !has_next() && head_ == released_ && busy_ == 0; }

  void on_open(ConnectionId id, TimePoint at) override;
  // A local limit while other connections live is a lower bound, no failure.
  void on_open_failed(ConnectionId id, TimePoint at, bool is_local_limit) override;
  void on_sent(ConnectionId id, TimePoint at) override;
  void on_answered(ConnectionId id, TimePoint at, int status, bool keeps_alive) override;
  // Idle ones are dropped.
  void on_broken(ConnectionId id, TimePoint at, FailureCause cause) override;

  const Measurements& measurements() const override { return tally_.measured(); }
  std::size_t open_connections() const {
    return closed_.size() < capacity_ ? capacity_ - closed_.size() : 0;
  }

 private:
  enum class Use : std::uint8_t { closed, connecting, idle, sending, awaiting };
  struct Connection {
    Use use = Use::closed;
    bool was_used = false;
    std::size_t idle_at = 0;  // Position in idle_.
    DueRequest request;
    TimePoint ready{};            // Connected, or its last answer was read.
    TimePoint connection_free{};  // Of the request under way.
    TimePoint sent{};             // TimePoint{} while sending.
  };

  bool has_next() const { return !is_stopped_ && !pacer_.done(); }
  DueRequest request_of(Slot slot) const {
    const std::size_t global = stripe_.global_of(slot);
    return {global, global, pacer_.intended(slot)};
  }
  Connection& at(ConnectionId id) { return connections_[static_cast<std::size_t>(id)]; }
  std::size_t waiting() const { return released_ - head_; }
  void serve();
  void start(ConnectionId id, std::size_t index);
  void open_as_needed();
  void make_idle(ConnectionId id, TimePoint now);
  void take_from_idle(ConnectionId id);
  void make_closed(ConnectionId id);
  void fail_oldest_waiting(TimePoint now, FailureCause cause);

  DispatcherOptions options_;
  Pacer pacer_;
  Stripe stripe_;
  Wire& wire_;
  Tally tally_;
  std::vector<Connection> connections_;
  std::vector<ConnectionId> closed_;
  std::vector<ConnectionId> idle_;  // Last used last.
  std::size_t capacity_ = 0;        // connections_.size(); the bound may sink below it.
  std::size_t connections_max_ = 0;
  std::size_t connecting_ = 0;
  std::size_t busy_ = 0;  // Sending or awaiting.
  std::size_t released_ = 0;
  std::size_t head_ = 0;  // The oldest request that waits, if head_ < released_.
  bool is_stopped_ = false;
  bool opens_spares_ = true;  // Off after a refusal, until an answer comes: no busy reopening.
};

}  // namespace flow::loadtest

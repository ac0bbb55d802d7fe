// The closed sender: customers as small state machines, no thread for any. Each visit of the plan
// arrives, pauses, asks, waits for the answer, pauses, and leaves; it has a connection of its own
// from a moment before its arrival until it leaves (a customer = a connection).
//
// When a request is meant to start: the end of the request before it plus the pause, on the plan's
// clock; the first one of a visit counts from its arrival. A wake-up that comes late is start
// error, a connection that is not there is blocked time: both are part of response time. What no
// response time shows is the request that a waiting customer does not make
// (docs/concepts/workload-modes.md).
//
// A visit that finds all connections taken waits for one, its times running: visits come in the
// order of their arrival, so the queue is the plan from `cursor_` on. A customer whose request
// fails goes on with the next one on a new connection; only who cannot register or sign in leaves.
// Thread: one owner. Requests are numbered densely over all shards, in the order in which they come
// due, so that a lost one shows: the only thing that shards share, one relaxed addition a request.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <queue>
#include <vector>

#include "loadtest/dispatcher.hpp"
#include "loadtest/live.hpp"
#include "loadtest/sender.hpp"
#include "loadtest/tally.hpp"
#include "traffic/visits.hpp"

namespace flow::loadtest {

// Connections are opened so long before the customer arrives: the first request then finds one, as
// it does in the open mode, and connecting is in no response time.
inline constexpr Nanos connect_lead = std::chrono::milliseconds(100);

class Visitors final : public Sender {
 public:
  // All but `connections_max` and `stripe` are borrowed and outlive this object. Takes the visits
  // whose lane is `stripe`'s.
  Visitors(std::size_t connections_max, const traffic::VisitPlan& plan, Stripe stripe,
           TimePoint start, std::atomic<std::uint64_t>& numbers, Wire& wire, FinishedSink& sink,
           LiveCounters& live);

  void begin(TimePoint now) override { admit(now); }
  void release_due(TimePoint now, int limit) override;
  void stop_releasing(TimePoint now) override;
  void give_up(TimePoint deadline) override;

  std::optional<TimePoint> next_due() const override;
  bool is_finished() const override {
    return free_.size() == visitors_.size() && cursor_ == visits_.size();
  }

  void on_open(ConnectionId id, TimePoint now) override;
  void on_open_failed(ConnectionId id, TimePoint now, bool is_local_limit) override;
  void on_sent(ConnectionId id, TimePoint now) override;
  void on_answered(ConnectionId id, TimePoint now, int status, bool keeps_alive) override;
  void on_broken(ConnectionId id, TimePoint now, FailureCause cause) override;

  const Measurements& measurements() const override { return tally_.measured(); }
  // Of all visits of this stripe together: no more can come due.
  std::size_t requests_max() const { return requests_max_; }

 private:
  enum class Stage : std::uint8_t {
    gone,      // The place is free.
    coming,    // Has a connection, has not arrived.
    thinking,  // Its timer says when it asks.
    due,       // Wants to ask, and has no connection yet.
    sending,
    awaiting,
    staying,  // Asks for nothing more; its timer says when it leaves.
  };
  enum class Link : std::uint8_t { closed, connecting, open };

  // At most one timer each: while coming, thinking, staying.
  struct Visitor {
    Stage stage = Stage::gone;
    Link link = Link::closed;
    std::uint32_t visit = 0;
    std::uint32_t asked = 0;  // Requests that came due.
    TimePoint since{};        // Its arrival, or the end of its last request.
    TimePoint ready{};        // Connected, or the last answer was read.
    TimePoint connection_free{};
    TimePoint sent{};  // TimePoint{} while sending.
    DueRequest request;
  };
  struct Timer {
    TimePoint at;
    std::uint32_t visit;  // Of two at one moment, the earlier visit's.
    ConnectionId id;
    bool operator>(const Timer& other) const {
      return at != other.at ? at > other.at : visit > other.visit;
    }
  };

  Visitor& of(ConnectionId id) { return visitors_[static_cast<std::size_t>(id)]; }
  const traffic::Visit& visit_of(const Visitor& visitor) const {
    return plan_.visits[visitor.visit];
  }
  TimePoint first_due(const traffic::Visit& visit) const;
  TimePoint end_of(const traffic::Visit& visit) const {
    return std::min(start_ + visit.until, horizon_);
  }
  bool is_void(const traffic::Visit& visit) const;

  void skip_void();
  void admit(TimePoint now);
  void arrive(ConnectionId id, TimePoint now);
  void go_on(ConnectionId id, TimePoint now);
  void set_timer(ConnectionId id, Stage stage, TimePoint at);
  void on_timer(ConnectionId id, TimePoint at, TimePoint now);
  void come_due(ConnectionId id, TimePoint at);
  void connect(ConnectionId id);
  void start_sending(ConnectionId id);
  void end_request(ConnectionId id, TimePoint now, bool is_refused);
  void leave(ConnectionId id, TimePoint now, std::uint64_t VisitCounts::* how);
  void vacate(ConnectionId id);
  void change_present(int change, TimePoint now);
  VisitCounts& counts() { return tally_.measured().visits; }

  const traffic::VisitPlan& plan_;
  const TimePoint start_;
  TimePoint horizon_;  // Nothing that is due at or after this is released.
  std::atomic<std::uint64_t>& numbers_;
  Wire& wire_;
  LiveCounters& live_;
  Tally tally_;
  std::vector<std::uint32_t> visits_;  // Of this stripe, by arrival.
  std::size_t requests_max_ = 0;
  std::size_t cursor_ = 0;  // The first visit that has no place yet.
  std::vector<Visitor> visitors_;
  std::vector<ConnectionId> free_;
  std::priority_queue<Timer, std::vector<Timer>, std::greater<>> timers_;
  std::uint64_t present_ = 0;
  TimePoint integral_at_;
};

}  // namespace flow::loadtest

// SPDX-License-Identifier: Apache-2.0
#include "loadtest/dispatcher.hpp"

#include <algorithm>
#include <limits>

#include "base/check.hpp"

namespace flow::loadtest {
Dispatcher::Dispatcher(DispatcherOptions options, std::span<const Nanos> schedule, Stripe stripe,
                       TimePoint start, Wire& wire, FinishedSink& sink, LiveCounters& live)
    : options_(options),
      pacer_(schedule, start),
      stripe_(stripe),
      wire_(wire),
      tally_(start, sink, live),
      connections_(options.connections_max),
      capacity_(options.connections_max),
      connections_max_(options.connections_max) {
  FLOW_CHECK(options.connections_max > 0);
  closed_.reserve(capacity_);
  idle_.reserve(capacity_);
  for (std::size_t i = capacity_; i-- > 0;) closed_.push_back(ConnectionId(i));
}

void Dispatcher::begin(TimePoint) { open_as_needed(); }

void Dispatcher::release_due(TimePoint now, int limit) {
  if (is_stopped_) return;
  const int released = pacer_.release_due(now, limit, [this](Slot, TimePoint) {
    ++released_;
    tally_.on_due();
  });
  if (released > 0) serve();
}

void Dispatcher::stop_releasing(TimePoint now) {
  release_due(now, std::numeric_limits<int>::max());
  is_stopped_ = true;
}

// Sends what waits as far as idle connections reach, oldest first, then opens more if needed.
void Dispatcher::serve() {
  while (head_ < released_ && !idle_.empty()) {
    // The one used last is warm; but one that was free in time shows that nothing was blocked.
    const bool is_back_in_time = at(idle_.back()).ready <= pacer_.intended(Slot{head_});
    const ConnectionId id = is_back_in_time ? idle_.back() : idle_.front();
    take_from_idle(id);
    start(id, head_++);
  }
  open_as_needed();
}

void Dispatcher::start(ConnectionId id, std::size_t index) {
  Connection& connection = at(id);
  connection.use = Use::sending;
  connection.was_used = true;
  connection.request = request_of(Slot{index});
  connection.connection_free = std::max(connection.request.intended, connection.ready);
  connection.sent = {};
  ++busy_;
  wire_.send(id, connection.request);
}

void Dispatcher::open_as_needed() {
  const bool wants_spares = opens_spares_ && !is_stopped_;
  const std::size_t spare = wants_spares ? options_.connections_spare : 0;
  const std::size_t wanted = waiting() + spare;
  while (idle_.size() + connecting_ < wanted && open_connections() < connections_max_) {
    const ConnectionId id = closed_.back();
    closed_.pop_back();
    at(id).use = Use::connecting;
    at(id).was_used = false;
    ++connecting_;
    wire_.open(id);
  }
}

void Dispatcher::on_open(ConnectionId id, TimePoint now) {
  FLOW_CHECK(at(id).use == Use::connecting);
  --connecting_;
  ++tally_.measured().connections_opened;
  make_idle(id, now);
  serve();
}

void Dispatcher::on_open_failed(ConnectionId id, TimePoint now, bool is_local_limit) {
  FLOW_CHECK(at(id).use == Use::connecting);
  --connecting_;
  make_closed(id);
  opens_spares_ = false;
  const bool others_live = busy_ + idle_.size() > 0;
  if (is_local_limit && others_live) {
    connections_max_ = std::max<std::size_t>(1, open_connections());
  } else if (waiting() > connecting_) {
    fail_oldest_waiting(now, is_local_limit ? FailureCause::local : FailureCause::connect);
  }
  open_as_needed();
}

void Dispatcher::on_sent(ConnectionId id, TimePoint now) {
  Connection& connection = at(id);
  FLOW_CHECK(connection.use == Use::sending);
  connection.use = Use::awaiting;
  connection.sent = now;
  tally_.on_sent(connection.request, connection.connection_free, now);
}

void Dispatcher::on_answered(ConnectionId id, TimePoint now, int status, bool keeps_alive) {
  Connection& connection = at(id);
  FLOW_CHECK(connection.use == Use::awaiting);
  --busy_;
  opens_spares_ = true;
  tally_.on_answered(connection.request, connection.sent, connection.connection_free, now, status);
  if (keeps_alive) {
    make_idle(id, now);
  } else {
    wire_.close(id);
    make_closed(id);
  }
  serve();
}

void Dispatcher::on_broken(ConnectionId id, TimePoint now, FailureCause cause) {
  Connection& connection = at(id);
  if (connection.use == Use::idle) {
    take_from_idle(id);
    ++tally_.measured().connections_dropped;
    if (!connection.was_used) opens_spares_ = false;
  } else {
    FLOW_CHECK(connection.use == Use::sending || connection.use == Use::awaiting);
    --busy_;
    tally_.on_failed(connection.request, connection.sent, connection.connection_free, now, cause);
  }
  wire_.close(id);
  make_closed(id);
  serve();
}

void Dispatcher::give_up(TimePoint deadline) {
  if (has_next()) release_due(deadline, std::numeric_limits<int>::max());
  is_stopped_ = true;
  for (std::size_t i = 0; i < connections_.size(); ++i) {
    const Connection& connection = connections_[i];
    if (connection.use == Use::closed) continue;
    wire_.close(ConnectionId(i));
    if (connection.use != Use::sending && connection.use != Use::awaiting) continue;
    tally_.on_unanswered(connection.request, connection.sent, connection.connection_free, deadline);
  }
  for (; head_ < released_; ++head_) {
    tally_.on_unanswered(request_of(Slot{head_}), {}, {}, deadline);
  }
  connections_.clear();
  idle_.clear();
  busy_ = connecting_ = 0;
}

void Dispatcher::make_idle(ConnectionId id, TimePoint now) {
  Connection& connection = at(id);
  connection.use = Use::idle;
  connection.ready = now;
  connection.idle_at = idle_.size();
  idle_.push_back(id);
}

void Dispatcher::take_from_idle(ConnectionId id) {
  const std::size_t position = at(id).idle_at;
  idle_[position] = idle_.back();
  at(idle_[position]).idle_at = position;
  idle_.pop_back();
}

void Dispatcher::make_closed(ConnectionId id) {
  at(id).use = Use::closed;
  closed_.push_back(id);
}

void Dispatcher::fail_oldest_waiting(TimePoint now, FailureCause cause) {
  tally_.on_failed(request_of(Slot{head_++}), {}, {}, now, cause);
}

}  // namespace flow::loadtest

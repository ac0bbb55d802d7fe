// SPDX-License-Identifier: Apache-2.0
#include "loadtest/dispatcher.hpp"

#include <algorithm>
#include <limits>

#include "base/check.hpp"

namespace flow::loadtest {
namespace {

constexpr Nanos late_limit = std::chrono::milliseconds(5);
constexpr int error_status_min = 400;

double ns(Nanos span) { return static_cast<double>(span.count()); }

}  // namespace

Dispatcher::Dispatcher(DispatcherOptions options, std::span<const Nanos> schedule, TimePoint start,
                       Wire& wire, FinishedSink& sink, LiveCounters& live)
    : options_(options),
      pacer_(schedule, start),
      wire_(wire),
      sink_(sink),
      live_(live),
      connections_(options.connections_max),
      capacity_(options.connections_max),
      connections_max_(options.connections_max),
      integral_at_(start) {
  FLOW_CHECK(options.connections_max > 0);
  closed_.reserve(capacity_);
  idle_.reserve(capacity_);
  for (std::size_t i = capacity_; i-- > 0;) closed_.push_back(ConnectionId(i));
}

void Dispatcher::open_spares() { open_as_needed(); }

void Dispatcher::release_due(TimePoint now, int limit) {
  if (is_stopped_) return;
  const int released = pacer_.release_due(now, limit, [this](Slot, TimePoint) {
    ++released_;
    ++measured_.intended;
    live_.intended.add();
  });
  if (released > 0) serve();
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
  connection.slot = Slot{index};
  connection.connection_free = std::max(pacer_.intended(connection.slot), connection.ready);
  ++busy_;
  wire_.send(id, connection.slot);
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
  ++measured_.connections_opened;
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
  advance_integral(now);
  ++in_flight_;
  measured_.in_flight_max = std::max<std::uint64_t>(measured_.in_flight_max, in_flight_);
  ++measured_.sent;
  live_.sent.add();
  const TimePoint intended = pacer_.intended(connection.slot);
  if (connection.connection_free > intended) {
    measured_.blocked.record(connection.connection_free - intended);
  } else {
    measured_.start_error.record(now - intended);
    live_.start_error.record(now - intended);
  }
  if (now - connection.connection_free > late_limit) {
    ++measured_.late;
    live_.late.add();
  }
}

void Dispatcher::on_answered(ConnectionId id, TimePoint now, int status, bool keeps_alive) {
  Connection& connection = at(id);
  FLOW_CHECK(connection.use == Use::awaiting && status >= 100 && status < 600);
  const TimePoint intended = pacer_.intended(connection.slot);
  (status < error_status_min ? measured_.response : measured_.error_response)
      .record(now - intended);
  live_.response.record(now - intended);
  measured_.service.record(now - connection.sent);
  leave_flight(connection, now);
  --busy_;
  opens_spares_ = true;
  finish({connection.slot, intended, connection.sent, now, connection.connection_free, status,
          RequestEnd::answered},
         {});
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
    ++measured_.connections_dropped;
    if (!connection.was_used) opens_spares_ = false;
  } else {
    FLOW_CHECK(connection.use == Use::sending || connection.use == Use::awaiting);
    const bool was_sent = connection.use == Use::awaiting;
    if (was_sent) leave_flight(connection, now);
    --busy_;
    finish({connection.slot, pacer_.intended(connection.slot),
            was_sent ? connection.sent : TimePoint{}, now, connection.connection_free, 0,
            RequestEnd::failed},
           cause);
  }
  wire_.close(id);
  make_closed(id);
  serve();
}

void Dispatcher::give_up(TimePoint deadline) {
  if (has_next()) release_due(deadline, std::numeric_limits<int>::max());
  is_stopped_ = true;
  for (std::size_t i = 0; i < connections_.size(); ++i) {
    Connection& connection = connections_[i];
    if (connection.use == Use::closed) continue;
    wire_.close(ConnectionId(i));
    if (connection.use != Use::sending && connection.use != Use::awaiting) continue;
    const bool was_sent = connection.use == Use::awaiting;
    if (was_sent) leave_flight(connection, deadline);
    finish({connection.slot, pacer_.intended(connection.slot),
            was_sent ? connection.sent : TimePoint{}, deadline, connection.connection_free, 0,
            RequestEnd::unanswered},
           {});
  }
  for (; head_ < released_; ++head_) {
    const Slot slot{head_};
    finish({slot, pacer_.intended(slot), {}, deadline, {}, 0, RequestEnd::unanswered}, {});
  }
  connections_.clear();
  idle_.clear();
  busy_ = in_flight_ = connecting_ = 0;
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

// Called with times that may stand still but never go back.
void Dispatcher::advance_integral(TimePoint now) {
  if (now <= integral_at_) return;
  measured_.in_flight_integral_ns += static_cast<double>(in_flight_) * ns(now - integral_at_);
  integral_at_ = now;
}

void Dispatcher::leave_flight(const Connection& connection, TimePoint now) {
  advance_integral(now);
  --in_flight_;
  live_.left_flight.add();
  measured_.service_sum_ns += ns(std::max(Nanos{0}, now - connection.sent));
}

void Dispatcher::fail_oldest_waiting(TimePoint now, FailureCause cause) {
  const Slot slot{head_++};
  finish({slot, pacer_.intended(slot), {}, now, {}, 0, RequestEnd::failed}, cause);
}

void Dispatcher::finish(const Finished& request, FailureCause cause) {
  switch (request.end) {
    case RequestEnd::answered:
      ++measured_.answered;
      ++measured_.by_status[static_cast<std::size_t>(request.status)];
      live_.answered.add();
      break;
    case RequestEnd::failed:
      ++measured_.failed;
      ++measured_.by_cause[static_cast<std::size_t>(cause)];
      live_.failed.add();
      break;
    case RequestEnd::unanswered:
      ++measured_.unanswered;
      measured_.censored.record(request.ended - request.intended);
      break;
  }
  sink_.on_finished(request);
}

}  // namespace flow::loadtest

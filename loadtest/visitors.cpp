// SPDX-License-Identifier: Apache-2.0
#include "loadtest/visitors.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/check.hpp"

namespace flow::loadtest {
namespace {

constexpr int error_status_min = 400;

double ns(Nanos span) { return static_cast<double>(span.count()); }

}  // namespace

Visitors::Visitors(std::size_t connections_max, const traffic::VisitPlan& plan, Stripe stripe,
                   TimePoint start, std::atomic<std::uint64_t>& numbers, Wire& wire,
                   FinishedSink& sink, LiveCounters& live)
    : plan_(plan),
      start_(start),
      horizon_(start + plan.duration),
      numbers_(numbers),
      wire_(wire),
      live_(live),
      tally_(start, sink, live),
      visitors_(connections_max),
      integral_at_(start) {
  FLOW_CHECK(connections_max > 0);
  for (std::uint32_t i = 0; i < plan.visits.size(); ++i) {
    if (plan.visits[i].lane % stripe.count != stripe.index) continue;
    visits_.push_back(i);
    requests_max_ += plan.visits[i].requests;
  }
  for (std::size_t i = connections_max; i-- > 0;) free_.push_back(ConnectionId(i));
  std::vector<Timer> reserved;
  reserved.reserve(connections_max);
  timers_ = decltype(timers_)({}, std::move(reserved));
}

TimePoint Visitors::first_due(const traffic::Visit& visit) const {
  return start_ + plan_.end_of_pause(visit.arrives, plan_.pauses[visit.first]);
}

// Whether the run ends before the visit would do anything.
bool Visitors::is_void(const traffic::Visit& visit) const {
  if (start_ + visit.arrives >= horizon_) return true;
  // Who only thinks or stays is needed for the number of customers present, while there is a run.
  return horizon_ < start_ + plan_.duration &&
         (visit.requests == 0 || first_due(visit) >= horizon_);
}

void Visitors::skip_void() {
  while (cursor_ < visits_.size() && is_void(plan_.visits[visits_[cursor_]])) ++cursor_;
}

// Gives a place and a connection to everybody who will arrive soon, as far as places reach.
void Visitors::admit(TimePoint now) {
  for (; !free_.empty(); ++cursor_) {
    skip_void();
    if (cursor_ == visits_.size()) return;
    const traffic::Visit& visit = plan_.visits[visits_[cursor_]];
    if (start_ + visit.arrives - connect_lead > now) return;
    const ConnectionId id = free_.back();
    free_.pop_back();
    of(id) = {};
    of(id).visit = visits_[cursor_];
    connect(id);
    set_timer(id, Stage::coming, start_ + visit.arrives);
  }
}

void Visitors::release_due(TimePoint now, int limit) {
  admit(now);
  for (; limit > 0 && !timers_.empty() && timers_.top().at <= now; --limit) {
    const Timer timer = timers_.top();
    timers_.pop();
    on_timer(timer.id, timer.at, now);
    if (timers_.empty() || timers_.top().at > now) admit(now);
  }
}

std::optional<TimePoint> Visitors::next_due() const {
  std::optional<TimePoint> next;
  if (!timers_.empty()) next = timers_.top().at;
  if (!free_.empty() && cursor_ < visits_.size()) {
    const TimePoint at = start_ + plan_.visits[visits_[cursor_]].arrives - connect_lead;
    next = next ? std::min(*next, at) : at;
  }
  return next;
}

void Visitors::stop_releasing(TimePoint now) {
  release_due(now, std::numeric_limits<int>::max());
  horizon_ = std::min(horizon_, now);
  timers_ = decltype(timers_)();
  for (std::size_t i = 0; i < visitors_.size(); ++i) {
    const auto id = ConnectionId(i);
    const Stage stage = of(id).stage;
    if (stage == Stage::coming) vacate(id);
    if (stage == Stage::thinking || stage == Stage::staying) leave(id, now, &VisitCounts::cut);
  }
  skip_void();
}

void Visitors::give_up(TimePoint deadline) {
  release_due(deadline, std::numeric_limits<int>::max());
  horizon_ = std::min(horizon_, deadline);
  timers_ = decltype(timers_)();
  for (std::size_t i = 0; i < visitors_.size(); ++i) {
    const auto id = ConnectionId(i);
    Visitor& visitor = of(id);
    if (visitor.stage == Stage::gone) continue;
    if (visitor.stage == Stage::coming) {
      vacate(id);
      continue;
    }
    if (visitor.stage != Stage::thinking && visitor.stage != Stage::staying) {
      const TimePoint free = visitor.stage == Stage::due ? TimePoint{} : visitor.connection_free;
      tally_.on_unanswered(visitor.request, visitor.sent, free, deadline);
      counts().present_sum_ns += ns(deadline - visitor.since);
      visitor.since = deadline;
    }
    leave(id, deadline, &VisitCounts::cut);
  }
  for (skip_void(); cursor_ < visits_.size(); ++cursor_, skip_void()) {
    // Never got a place.
    const traffic::Visit& visit = plan_.visits[visits_[cursor_]];
    ++counts().arrived;
    ++counts().cut;
    if (visit.requests == 0) continue;
    tally_.on_due();
    tally_.on_unanswered({numbers_.fetch_add(1, std::memory_order_relaxed),
                          static_cast<std::size_t>(visit.first), first_due(visit)},
                         {}, {}, deadline);
  }
}

void Visitors::set_timer(ConnectionId id, Stage stage, TimePoint at) {
  of(id).stage = stage;
  timers_.push({at, of(id).visit, id});
}

void Visitors::on_timer(ConnectionId id, TimePoint at, TimePoint now) {
  switch (of(id).stage) {
    case Stage::coming:
      return arrive(id, now);
    case Stage::thinking:
      return come_due(id, at);
    case Stage::staying:
      return leave(id, now, &VisitCounts::cut);
    case Stage::gone:
    case Stage::due:
    case Stage::sending:
    case Stage::awaiting:
      break;
  }
  FLOW_CHECK(false);  // These have no timer.
}

void Visitors::arrive(ConnectionId id, TimePoint now) {
  Visitor& visitor = of(id);
  visitor.since = start_ + visit_of(visitor).arrives;
  ++counts().arrived;
  live_.arrived.add();
  change_present(+1, now);
  counts().present_integral_ns += ns(now - visitor.since);  // It was there, without a place.
  go_on(id, now);
}

// What a customer does who waits for nothing: thinks, asks, stays or leaves.
void Visitors::go_on(ConnectionId id, TimePoint now) {
  Visitor& visitor = of(id);
  const traffic::Visit& visit = visit_of(visitor);
  const TimePoint end = end_of(visit);
  const bool has_more = visitor.asked < visit.requests;
  if (!has_more && !visit.stays) return leave(id, now, &VisitCounts::completed);
  if (has_more) {
    const Nanos pause = plan_.pauses[visit.first + visitor.asked];
    const TimePoint at = start_ + plan_.end_of_pause(visitor.since - start_, pause);
    // The first request is the plan's: it is made however late a place was found.
    if (at < end || visitor.asked == 0) {
      return at <= now ? come_due(id, at) : set_timer(id, Stage::thinking, at);
    }
  }
  const TimePoint at = std::max(end, visitor.since);
  if (at <= now) return leave(id, now, &VisitCounts::cut);
  set_timer(id, Stage::staying, at);
}

void Visitors::come_due(ConnectionId id, TimePoint at) {
  Visitor& visitor = of(id);
  visitor.request = {numbers_.fetch_add(1, std::memory_order_relaxed),
                     static_cast<std::size_t>(visit_of(visitor).first + visitor.asked), at};
  visitor.sent = {};
  ++visitor.asked;
  tally_.on_due();
  visitor.stage = Stage::due;
  if (visitor.link == Link::open) return start_sending(id);
  if (visitor.link == Link::closed) connect(id);
}

void Visitors::connect(ConnectionId id) {
  of(id).link = Link::connecting;
  wire_.open(id);
}

void Visitors::start_sending(ConnectionId id) {
  Visitor& visitor = of(id);
  visitor.stage = Stage::sending;
  visitor.connection_free = std::max(visitor.request.intended, visitor.ready);
  wire_.send(id, visitor.request);
}

void Visitors::on_open(ConnectionId id, TimePoint now) {
  Visitor& visitor = of(id);
  FLOW_CHECK(visitor.link == Link::connecting);
  visitor.link = Link::open;
  visitor.ready = now;
  ++tally_.measured().connections_opened;
  if (visitor.stage == Stage::due) start_sending(id);
}

void Visitors::on_open_failed(ConnectionId id, TimePoint now, bool is_local_limit) {
  Visitor& visitor = of(id);
  FLOW_CHECK(visitor.link == Link::connecting);
  visitor.link = Link::closed;  // Who is not due tries again when it is.
  if (visitor.stage != Stage::due) return;
  tally_.on_failed(visitor.request, {}, {}, now,
                   is_local_limit ? FailureCause::local : FailureCause::connect);
  end_request(id, now, /*is_refused=*/true);
}

void Visitors::on_sent(ConnectionId id, TimePoint now) {
  Visitor& visitor = of(id);
  FLOW_CHECK(visitor.stage == Stage::sending);
  visitor.stage = Stage::awaiting;
  visitor.sent = now;
  tally_.on_sent(visitor.request, visitor.connection_free, now);
}

void Visitors::on_answered(ConnectionId id, TimePoint now, int status, bool keeps_alive) {
  Visitor& visitor = of(id);
  FLOW_CHECK(visitor.stage == Stage::awaiting);
  tally_.on_answered(visitor.request, visitor.sent, visitor.connection_free, now, status);
  visitor.ready = now;
  if (!keeps_alive) {
    wire_.close(id);
    visitor.link = Link::closed;
  }
  end_request(id, now, status >= error_status_min);
}

void Visitors::on_broken(ConnectionId id, TimePoint now, FailureCause cause) {
  Visitor& visitor = of(id);
  FLOW_CHECK(visitor.link == Link::open);
  wire_.close(id);
  visitor.link = Link::closed;
  if (visitor.stage != Stage::sending && visitor.stage != Stage::awaiting) {
    ++tally_.measured().connections_dropped;
    return;
  }
  tally_.on_failed(visitor.request, visitor.sent, visitor.connection_free, now, cause);
  end_request(id, now, /*is_refused=*/true);
}

void Visitors::end_request(ConnectionId id, TimePoint now, bool is_refused) {
  Visitor& visitor = of(id);
  counts().present_sum_ns += ns(now - visitor.since);  // The pause and the response time.
  visitor.since = now;
  const bool is_admission = visit_of(visitor).is_new && visitor.asked <= 2;
  if (is_admission && is_refused) return leave(id, now, &VisitCounts::turned_away);
  go_on(id, now);
}

void Visitors::leave(ConnectionId id, TimePoint now, std::uint64_t VisitCounts::* how) {
  counts().present_sum_ns += ns(now - of(id).since);  // Its last pause, or the wait for the end.
  ++(counts().*how);
  live_.left.add();
  change_present(-1, now);
  vacate(id);
}

void Visitors::vacate(ConnectionId id) {
  if (of(id).link != Link::closed) wire_.close(id);
  of(id).link = Link::closed;
  of(id).stage = Stage::gone;
  free_.push_back(id);
}

void Visitors::change_present(int change, TimePoint now) {
  if (now > integral_at_) {
    counts().present_integral_ns += static_cast<double>(present_) * ns(now - integral_at_);
    integral_at_ = now;
  }
  present_ = change > 0 ? present_ + 1 : present_ - 1;
  counts().present_max = std::max(counts().present_max, present_);
}

}  // namespace flow::loadtest

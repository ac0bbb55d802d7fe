// SPDX-License-Identifier: Apache-2.0
#include "ecommerce/events/outlet.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/bytes.hpp"
#include "base/check.hpp"

namespace flow::ecommerce {
namespace {

namespace asio = net::asio;
using base::Result;
using base::TimePoint;
using streaming::Ticket;
using streaming::audit::AttemptEnd;
using streaming::audit::AttemptRecord;

constexpr auto closed_ticket = static_cast<Ticket>(UINT64_MAX);  // Never given to the driver.

AttemptEnd end_of(streaming::Outcome outcome) {
  switch (outcome) {
    case streaming::Outcome::acked:
      return AttemptEnd::acked;
    case streaming::Outcome::rejected:
      return AttemptEnd::rejected;
    case streaming::Outcome::timed_out:
      return AttemptEnd::timed_out;
    case streaming::Outcome::lost:
      break;
  }
  return AttemptEnd::lost;
}

}  // namespace

struct EventOutlet::Waiter {
  explicit Waiter(asio::io_context& context, TimePoint deadline) : timer(context, deadline) {}
  asio::steady_timer timer;
  std::optional<streaming::Outcome> outcome;
};

// What lives on the driver's thread: the producer, and outcomes on their way back. Outcomes that
// come in one turn of the thread travel together.
// What it has posted to its own thread holds it: work that another thread posts afterwards, its
// release among it, may run before that (Asio keeps a private queue while a handler runs).
class EventOutlet::DriverSide final : public streaming::DeliverySink,
                                      public std::enable_shared_from_this<DriverSide> {
 public:
  DriverSide(EventOutlet& outlet, streaming::Driver& driver)
      : outlet_(outlet), io_(driver.io()), retry_(driver.io().context()) {}

  // Returns how many places were taken.
  std::size_t start(std::unique_ptr<streaming::Producer> producer, std::size_t places_max) {
    producer_ = std::move(producer);
    std::size_t places = 0;
    while (places < places_max && producer_->reserve()) ++places;
    return places;
  }

  void publish(Ticket ticket, const Event& event) {
    const streaming::Message message{
        .topic = static_cast<streaming::TopicId>(topic_of(event.name)),
        .key = event.key,
        .payload = base::as_bytes(event.value),
        .stamp = event.stamp,
    };
    const auto admission = producer_->try_publish(ticket, message, /*reserved=*/true);
    FLOW_CHECK(admission == streaming::Admission::accepted);
  }

  void on_delivery(Ticket ticket, const streaming::Delivery& delivery) override {
    decisions_.push_back({ticket, delivery});
    ++owed_;
    if (is_flush_posted_) return;
    is_flush_posted_ = true;
    io_.post([self = shared_from_this()] { self->flush(); });
  }

  void release(std::size_t places) {
    for (; places > 0; --places) producer_->release();
  }

  net::Task<Result<void>> drain(TimePoint deadline) { return producer_->drain(deadline); }

  // Decides what is open and sends everything back.
  void stop() {
    is_stopped_ = true;
    retry_.cancel();
    producer_->stop();
    flush();
    producer_.reset();
  }

 private:
  // A decided publish has freed its place: take it again and give it to the HTTP thread. Should the
  // driver be a moment late with freeing it, the place follows with a later batch.
  void flush() {
    is_flush_posted_ = false;
    std::size_t places = is_stopped_ ? owed_ : 0;
    while (places < owed_ && producer_->reserve()) ++places;
    owed_ -= places;
    if (owed_ > 0) retry();
    if (decisions_.empty() && places == 0) return;
    outlet_.http_.post([&outlet = outlet_, decisions = std::exchange(decisions_, {}), places] {
      outlet.take_back(decisions, places);
    });
  }

  void retry() {
    retry_.expires_after(std::chrono::milliseconds(1));
    retry_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
      if (!error) self->flush();
    });
  }

  EventOutlet& outlet_;
  net::IoThread& io_;
  asio::steady_timer retry_;
  std::unique_ptr<streaming::Producer> producer_;
  std::vector<Decision> decisions_;
  std::size_t owed_ = 0;  // Places of decided publishes that were not taken again yet.
  bool is_flush_posted_ = false;
  bool is_stopped_ = false;
};

EventOutlet::Place& EventOutlet::Place::operator=(Place&& other) noexcept {
  std::swap(outlet_, other.outlet_);
  return *this;
}

EventOutlet::Place::~Place() {
  if (outlet_ != nullptr) ++outlet_->free_;
}

EventOutlet::EventOutlet(net::IoThread& http, streaming::Driver* driver, Options options,
                         Attempted attempted)
    : http_(http), driver_(driver), options_(options), attempted_(std::move(attempted)) {}

EventOutlet::~EventOutlet() {
  if (driver_side_) static_cast<void>(close(base::now()));
}

Result<void> EventOutlet::open(TimePoint deadline) {
  if (driver_ == nullptr) return {};
  auto side = std::make_shared<DriverSide>(*this, *driver_);
  std::vector<std::string> topics(topic_names.begin(), topic_names.end());
  auto producer =
      driver_->io().run_task(driver_->open_producer(std::move(topics), *side, deadline));
  if (!producer) return std::unexpected(producer.error());
  const std::size_t places =
      driver_->io().run([&] { return side->start(std::move(*producer), options_.places_max); });
  if (places == 0) {
    driver_->io().run([&] { side->stop(); });
    return base::fail(base::Errc::config, "{} driver: its queue has no place for a message",
                      driver_->platform());
  }
  driver_side_ = std::move(side);
  http_.run([&] {
    places_ = free_ = places;
    slots_.resize(places);
    for (std::size_t i = places; i > 0; --i) {
      free_slots_.push_back(static_cast<std::uint32_t>(i - 1));
    }
  });
  return {};
}

Result<void> EventOutlet::close(TimePoint deadline) {
  if (!driver_side_) return {};
  // Places that nobody holds go back first: a driver need not wait for them.
  const std::size_t unused = http_.run([&] {
    is_closed_ = true;
    return std::exchange(free_, 0);
  });
  driver_->io().run([&] { driver_side_->release(unused); });
  auto drained = driver_->io().run_task(driver_side_->drain(deadline));
  driver_->io().run([&] { driver_side_->stop(); });
  // Behind every batch of outcomes that was posted before.
  const std::size_t left = http_.run([&] { return slots_.size() - free_slots_.size(); });
  FLOW_CHECK(left == 0);
  driver_->io().run([&] { driver_side_.reset(); });
  return drained;
}

AttemptRecord EventOutlet::attempt_of(EventName name, const std::string& key,
                                      const base::Stamp& stamp) const {
  AttemptRecord record{};
  record.trial = stamp.trial;
  record.request = stamp.request;
  record.intended = stamp.intended ? base::count(*stamp.intended) : 0;
  record.key_hash = streaming::audit::key_hash(key);
  record.partition = -1;
  record.topic = static_cast<std::uint8_t>(topic_of(name));
  record.event = static_cast<std::uint8_t>(name);
  return record;
}

std::optional<EventOutlet::Place> EventOutlet::reserve(EventName name, const std::string& key,
                                                       const base::Stamp& stamp) {
  if (driver_ == nullptr) return Place();
  if (free_ > 0) {
    --free_;
    return Place(*this);
  }
  AttemptRecord record = attempt_of(name, key, stamp);
  record.decided = base::count(options_.anchor.to_unix(base::now()));
  record.end = AttemptEnd::queue_full;
  attempted_(record);
  return std::nullopt;
}

Ticket EventOutlet::publish(Place place, Event event) {
  if (driver_ == nullptr) return Ticket{};
  FLOW_CHECK(place.outlet_ == this);
  place.outlet_ = nullptr;  // From here on the slot holds the place.
  AttemptRecord record = attempt_of(event.name, event.key, event.stamp);
  record.published = base::count(options_.anchor.to_unix(base::now()));
  if (is_closed_) {
    record.decided = record.published;
    record.end = AttemptEnd::lost;
    attempted_(record);
    return closed_ticket;
  }
  FLOW_CHECK(!free_slots_.empty());
  const std::uint32_t index = free_slots_.back();
  free_slots_.pop_back();
  const auto ticket = static_cast<Ticket>(index);
  slots_[index] = Slot{.record = record, .waiter = nullptr};
  driver_->io().post([side = driver_side_.get(), ticket, event = std::move(event)] {
    side->publish(ticket, event);
  });
  return ticket;
}

net::Task<std::optional<streaming::Outcome>> EventOutlet::outcome(Ticket ticket,
                                                                  TimePoint deadline) {
  if (driver_ == nullptr) co_return streaming::Outcome::acked;
  if (ticket == closed_ticket) co_return streaming::Outcome::lost;
  const auto index = static_cast<std::size_t>(ticket);
  Waiter waiter(http_.context(), deadline);
  slots_[index].waiter = &waiter;
  co_await waiter.timer.async_wait(asio::as_tuple(asio::use_awaitable));
  if (!waiter.outcome) slots_[index].waiter = nullptr;  // The slot is still this event's.
  co_return waiter.outcome;
}

void EventOutlet::settle(const Decision& decision) {
  const auto index = static_cast<std::uint32_t>(decision.ticket);
  Slot& slot = slots_[index];
  slot.record.decided = base::count(options_.anchor.to_unix(decision.delivery.decided_at));
  slot.record.partition = static_cast<std::int16_t>(decision.delivery.partition);
  slot.record.end = end_of(decision.delivery.outcome);
  const bool is_acked = decision.delivery.outcome == streaming::Outcome::acked;
  failures_in_a_row_ = is_acked ? 0 : failures_in_a_row_ + 1;
  if (slot.waiter != nullptr) {
    slot.waiter->outcome = decision.delivery.outcome;
    slot.waiter->timer.cancel();
  }
  attempted_(slot.record);
  slot = Slot{};
  free_slots_.push_back(index);
}

void EventOutlet::take_back(const std::vector<Decision>& decisions, std::size_t places) {
  for (const Decision& decision : decisions) settle(decision);
  free_ += places;
}

}  // namespace flow::ecommerce

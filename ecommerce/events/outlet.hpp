// The bridge from the HTTP thread to the driver's. All places of the driver's queue are reserved
// once, at the start, and are handed out here: taking one costs a decrement, and an event that has
// a place cannot be refused by the driver. Order: reserve(), then BEGIN … COMMIT, then publish().
//
// An event's slot lives on the HTTP thread from publish() until its outcome has come back; each
// place is in exactly one of: free here, held by a Place, in a slot, on its way back.
//
// Thread: open() and close() from the owner's thread, everything else on `http`'s.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "ecommerce/domain/event.hpp"
#include "net/io_thread.hpp"
#include "streaming/audit/records.hpp"
#include "streaming/driver.hpp"

namespace flow::ecommerce {

class EventOutlet {
 public:
  struct Options {
    base::ClockAnchor anchor = base::ClockAnchor::take();
    std::size_t places_max = 100'000;  // Fewer when the driver's queue is smaller.
  };
  using Attempted = std::function<void(const streaming::audit::AttemptRecord&)>;

  // A reserved place in the driver's queue, given back when it is destroyed unused.
  class Place {
   public:
    Place() = default;
    Place(Place&& other) noexcept : outlet_(std::exchange(other.outlet_, nullptr)) {}
    Place& operator=(Place&& other) noexcept;
    ~Place();

   private:
    friend class EventOutlet;
    explicit Place(EventOutlet& outlet) : outlet_(&outlet) {}
    EventOutlet* outlet_ = nullptr;
  };

  // `attempted` is called on the HTTP thread once for each attempt, when its end is known. Without
  // a driver every reserve() succeeds and publish() does nothing: --no-broker.
  EventOutlet(net::IoThread& http, streaming::Driver* driver, Options options, Attempted attempted);
  ~EventOutlet();

  // Opens the producer and takes all places. The topics must exist.
  base::Result<void> open(base::TimePoint deadline);

  // Waits until every published event is decided, or until the deadline (Errc::timed_out): what is
  // open then ends as `lost`, and so does what a late request publishes.
  base::Result<void> close(base::TimePoint deadline);

  // nullopt: the queue is full; that is recorded as an attempt with its end.
  std::optional<Place> reserve(EventName name, const std::string& key, const base::Stamp& stamp);
  // Whether reserve() would succeed now; nothing is recorded.
  bool has_place() const { return driver_ == nullptr || free_ > 0; }

  // Hands the event over. The ticket is for outcome().
  streaming::Ticket publish(Place place, Event event);

  // Waits for the outcome of an event of this turn of the thread (call it before anything else is
  // awaited); nullopt: not decided by the deadline, it goes on.
  net::Task<std::optional<streaming::Outcome>> outcome(streaming::Ticket ticket,
                                                       base::TimePoint deadline);

  bool has_broker() const { return driver_ != nullptr; }
  std::size_t places() const { return places_; }
  std::size_t places_used() const {
    return is_closed_ ? slots_.size() - free_slots_.size() : places_ - free_;
  }
  // Decided since the last event that was acked: 0 while the broker answers well.
  std::uint64_t failures_in_a_row() const { return failures_in_a_row_; }

 private:
  class DriverSide;
  struct Waiter;
  struct Slot {
    streaming::audit::AttemptRecord record{};
    Waiter* waiter = nullptr;
  };
  struct Decision {
    streaming::Ticket ticket;
    streaming::Delivery delivery;
  };

  streaming::audit::AttemptRecord attempt_of(EventName name, const std::string& key,
                                             const base::Stamp& stamp) const;
  void take_back(const std::vector<Decision>& decisions, std::size_t places);
  void settle(const Decision& decision);

  net::IoThread& http_;
  streaming::Driver* driver_;
  Options options_;
  Attempted attempted_;
  std::shared_ptr<DriverSide> driver_side_;  // Used on the driver's thread only.
  std::size_t places_ = 0;
  std::size_t free_ = 0;
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_slots_;
  std::uint64_t failures_in_a_row_ = 0;
  bool is_closed_ = false;
};

}  // namespace flow::ecommerce

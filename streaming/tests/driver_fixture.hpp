// What tests of the drivers share: sinks that remember, and a driver on an IoThread of its own.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "net/io_thread.hpp"
#include "streaming/driver.hpp"

namespace flow::streaming::testing {

using namespace std::chrono_literals;

inline base::TimePoint in(base::Nanos span) { return base::now() + span; }

struct Decisions final : DeliverySink {
  void on_delivery(Ticket ticket, const Delivery& delivery) override {
    by_ticket[static_cast<std::uint64_t>(ticket)].push_back(delivery);
    ++total;
    if (then) then();
  }
  std::size_t count(Outcome outcome) const {
    std::size_t n = 0;
    for (const auto& [ticket, all] : by_ticket) {
      for (const Delivery& one : all) n += one.outcome == outcome ? 1 : 0;
    }
    return n;
  }
  // Every ticket from 0 to n-1 was decided exactly once, and no other.
  bool is_exactly_once(std::size_t n) const {
    if (by_ticket.size() != n || total != n) return false;
    return n == 0 || by_ticket.rbegin()->first == n - 1;
  }
  std::map<std::uint64_t, std::vector<Delivery>> by_ticket;
  std::size_t total = 0;
  std::function<void()> then;
};

struct Copy {  // A Record that outlives its call.
  TopicId topic;
  std::int32_t partition;
  Position position;
  std::string key;
  std::string payload;
  std::optional<base::Stamp> stamp;
  base::TimePoint seen_at;
};

struct Seen final : RecordSink {
  void on_record(const Record& r) override {
    records.push_back({r.topic, r.partition, r.position, std::string(r.key),
                       std::string(base::as_text(r.payload)), r.stamp, r.seen_at});
  }
  void on_consumer_error(const base::Error& error) override { errors.push_back(error); }
  std::vector<Copy> records;
  std::vector<base::Error> errors;
};

// An IoThread with a driver; everything made on it is destroyed on it.
class OnThread {
 public:
  using Make = std::function<std::unique_ptr<Driver>(net::IoThread&)>;

  explicit OnThread(const Make& make) : driver_(make(io_)) {}
  ~OnThread() {
    io_.run([this] {
      producer_.reset();
      consumer_.reset();
    });
    driver_.reset();
  }

  net::IoThread& io() { return io_; }
  Driver& driver() { return *driver_; }
  Producer& producer() { return *producer_; }
  Consumer& consumer() { return *consumer_; }
  Decisions decisions;
  Seen seen;

  base::Result<void> open_producer(std::vector<std::string> topics, base::Nanos within = 30s) {
    auto opened = io_.run_task(driver_->open_producer(std::move(topics), decisions, in(within)));
    if (!opened) return std::unexpected(opened.error());
    producer_ = std::move(*opened);
    return {};
  }
  base::Result<void> open_consumer(std::vector<std::string> topics, base::Nanos within = 30s) {
    auto opened = io_.run_task(driver_->open_consumer(std::move(topics), seen, in(within)));
    if (!opened) return std::unexpected(opened.error());
    consumer_ = std::move(*opened);
    return {};
  }

  Admission publish(std::uint64_t ticket, std::string_view key, std::string_view payload,
                    base::Stamp stamp = {}, TopicId topic = TopicId{0}, bool reserved = false) {
    return io_.run([&] {
      return producer_->try_publish(Ticket{ticket}, {topic, key, base::as_bytes(payload), stamp},
                                    reserved);
    });
  }
  base::Result<void> drain(base::Nanos within) {
    return io_.run_task(producer_->drain(in(within)));
  }
  base::Result<bool> read_to_end(base::Nanos within) {
    return io_.run_task(consumer_->read_to_end(in(within)));
  }

  // Until `condition` holds on the thread, looking every millisecond; false after `within`.
  bool wait_for(const std::function<bool()>& condition, base::Nanos within = 30s) {
    for (const auto deadline = in(within); base::now() < deadline;) {
      if (io_.run([&] { return condition(); })) return true;
      std::this_thread::sleep_for(1ms);
    }
    return false;
  }

 private:
  net::IoThread io_{"test-driver"};
  std::unique_ptr<Driver> driver_;
  std::unique_ptr<Producer> producer_;
  std::unique_ptr<Consumer> consumer_;
};

}  // namespace flow::streaming::testing

// A Client and a FakeBroker with nothing real between them: virtual sockets, virtual time. A test
// moves the world step by step, and breaks it at any step.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "base/bytes.hpp"
#include "streaming/pulsar/client.hpp"
#include "streaming/pulsar/tests/fake_broker.hpp"
#include "streaming/pulsar/topic_consumer.hpp"
#include "streaming/pulsar/topic_producer.hpp"

namespace flow::streaming::pulsar::testing {

using namespace std::chrono_literals;

class VirtualWorld final : public Host {
 public:
  explicit VirtualWorld(FakeBroker& fake)
      : broker(fake),
        client(*this, {.service = {{"broker", 6650}},
                       .client_version = "flow-test",
                       .client_id = "test",
                       .token = {},
                       .seed = 1}) {}

  FakeBroker& broker;
  base::TimePoint clock{1000s};
  bool refuses_connections = false;
  int steps = 0;                 // Frames and openings that took place.
  int break_at = -1;             // At this step the connection concerned breaks …
  bool breaks_silently = false;  // … or goes dead: nothing passes any more, in either direction.
  std::vector<net::HostPort> opened;
  Client client;

  // Moves everything that can move without time passing.
  void settle() {
    while (step()) {
    }
  }

  // Moves until `done`, letting time pass up to `limit`. False: the limit came first.
  bool run_until(const std::function<bool()>& done, base::Nanos limit = 120s) {
    const base::TimePoint end = clock + limit;
    for (;;) {
      settle();
      if (done()) return true;
      const auto next = client.timers().next();
      if (!next || *next > end) {
        clock = end;
        client.on_timer();
        settle();
        return done();
      }
      clock = std::max(clock, *next);
      client.on_timer();
    }
  }
  void run_for(base::Nanos span) {
    run_until([] { return false; }, span);
  }

  // --- Host ---
  base::TimePoint now() const override { return clock; }
  std::uint64_t unix_ms() const override { return 1'700'000'000'000; }
  void open(ConnectionId id, const net::HostPort& address) override {
    opened.push_back(address);
    opening_.push_back(id);
  }
  void write(ConnectionId id, FrameRef frame) override {
    FLOW_CHECK(links_.contains(id));
    links_.at(id).outgoing.push_back(std::move(frame));
  }
  void close(ConnectionId id) override {
    std::erase(opening_, id);
    const auto link = links_.find(id);
    if (link == links_.end()) return;
    broker.disconnect(link->second.connection);
    links_.erase(link);
  }
  void wake_at(base::TimePoint) override {}
  void wake_soon() override { is_turn_wanted_ = true; }

 private:
  struct Link {
    int connection;
    std::deque<FrameRef> outgoing;
    bool is_dead = false;
  };

  bool step() {
    if (std::exchange(is_turn_wanted_, false)) {
      client.on_turn();
      return true;
    }
    if (!opening_.empty()) return open_next();
    for (auto& [id, link] : links_) {
      if (!link.outgoing.empty()) return carry_out(id, link);
      if (auto frame = broker.next_output(link.connection)) return carry_in(id, link, *frame);
      if (broker.is_hung_up(link.connection) && !link.is_dead) return lose(id);
    }
    return false;
  }
  bool open_next() {
    const ConnectionId id = opening_.front();
    opening_.pop_front();
    if (refuses_connections || is_fault()) {
      client.on_lost(id, "refused");
      return true;
    }
    links_[id] = Link{.connection = broker.accept(), .outgoing = {}};
    client.on_open(id);
    return true;
  }
  bool carry_out(ConnectionId id, Link& link) {
    const FrameRef frame = link.outgoing.front();
    link.outgoing.pop_front();
    if (link.is_dead) return true;
    if (is_fault()) return fault(id, link);
    broker.receive(link.connection, *frame);
    return true;
  }
  bool carry_in(ConnectionId id, Link& link, const Bytes& frame) {
    if (link.is_dead) return true;
    if (is_fault()) return fault(id, link);
    ByteView left(frame);
    while (!left.empty()) {
      const auto room = client.read_buffer(id);
      if (room.empty()) return true;  // Closed meanwhile.
      const std::size_t count = std::min(room.size(), left.size());
      std::copy_n(left.begin(), count, room.begin());
      client.on_read(id, count, clock);
      left = left.subspan(count);
    }
    return true;
  }
  bool is_fault() { return steps++ == break_at; }
  bool fault(ConnectionId id, Link& link) {
    if (!breaks_silently) return lose(id);
    link.is_dead = true;
    return true;
  }
  bool lose(ConnectionId id) {
    client.on_lost(id, "connection reset");
    return true;
  }

  std::deque<ConnectionId> opening_;
  std::map<ConnectionId, Link> links_;
  bool is_turn_wanted_ = false;
};

// Remembers every delivery; a ticket that is decided twice is a failure.
struct Deliveries final : DeliverySink {
  std::map<std::uint64_t, Delivery> decided;
  std::function<void(Ticket)> on_each;

  void on_delivery(Ticket ticket, const Delivery& delivery) override {
    const bool is_first = decided.emplace(static_cast<std::uint64_t>(ticket), delivery).second;
    EXPECT_TRUE(is_first) << "ticket " << static_cast<std::uint64_t>(ticket) << " decided twice";
    if (on_each) on_each(ticket);
  }
  std::size_t count(Outcome outcome) const {
    return static_cast<std::size_t>(std::ranges::count_if(
        decided, [&](const auto& one) { return one.second.outcome == outcome; }));
  }
};

// Remembers every record.
struct Records final : RecordSink {
  struct One {
    std::int32_t partition;
    Position position;
    std::string key, payload;
    std::optional<base::Stamp> stamp;
  };
  std::vector<One> all;
  std::vector<base::Error> errors;
  std::function<void()> on_each;

  void on_record(const Record& record) override {
    all.push_back({record.partition, record.position, std::string(record.key),
                   std::string(base::as_text(record.payload)), record.stamp});
    if (on_each) on_each();
  }
  void on_consumer_error(const base::Error& error) override { errors.push_back(error); }
  std::vector<std::string> payloads() const {
    std::vector<std::string> texts;
    for (const auto& one : all) texts.push_back(one.payload);
    return texts;
  }
};

inline constexpr const char* topic_name = "persistent://public/default/orders";
inline const std::string partition_name = std::string(topic_name) + "-partition-0";

inline Message message_of(std::string_view key, std::string_view payload) {
  Message message;
  message.key = key;
  message.payload = base::as_bytes(payload);
  return message;
}

// Every text once, in the order of its first appearance.
inline std::vector<std::string> first_appearances(const std::vector<std::string>& texts) {
  std::vector<std::string> firsts;
  std::set<std::string> seen;
  for (const auto& text : texts) {
    if (seen.insert(text).second) firsts.push_back(text);
  }
  return firsts;
}

}  // namespace flow::streaming::pulsar::testing

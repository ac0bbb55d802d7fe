// The generator without sockets, on a simulated clock, against servers of every kind.
// SPDX-License-Identifier: Apache-2.0
#include "loadtest/dispatcher.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "base/random.hpp"

namespace flow::loadtest {
namespace {

using namespace std::chrono_literals;

constexpr int all = std::numeric_limits<int>::max();

// Remembers what the dispatcher asked for; the test answers.
struct NotingWire final : Wire, FinishedSink {
  void open(ConnectionId id) override { opening.push_back(id); }
  void send(ConnectionId id, const DueRequest& request) override {
    sending.emplace_back(id, request);
  }
  void close(ConnectionId id) override { closed.push_back(id); }
  void on_finished(const Finished& request) override { finished.push_back(request); }

  std::vector<ConnectionId> opening;
  std::vector<std::pair<ConnectionId, DueRequest>> sending;
  std::vector<ConnectionId> closed;
  std::vector<Finished> finished;
};

class DispatcherTest : public ::testing::Test {
 protected:
  void make(std::vector<Nanos> schedule, DispatcherOptions options) {
    schedule_ = std::move(schedule);
    dispatcher_ =
        std::make_unique<Dispatcher>(options, schedule_, Stripe{}, start_, wire_, wire_, *live_);
    dispatcher_->begin(start_ - 1s);
  }
  void open_all(TimePoint at) {
    for (const ConnectionId id : std::exchange(wire_.opening, {})) dispatcher_->on_open(id, at);
  }
  // The kernel took all requests handed to the wire; returns their connections.
  std::vector<ConnectionId> take_sent(TimePoint at) {
    std::vector<ConnectionId> ids;
    for (const auto& [id, request] : std::exchange(wire_.sending, {})) {
      dispatcher_->on_sent(id, at);
      ids.push_back(id);
    }
    return ids;
  }
  const Measurements& measured() const { return dispatcher_->measurements(); }

  const TimePoint start_{100s};
  NotingWire wire_;
  std::unique_ptr<LiveCounters> live_ = std::make_unique<LiveCounters>();
  std::vector<Nanos> schedule_;
  std::unique_ptr<Dispatcher> dispatcher_;
};

TEST_F(DispatcherTest, ShowsAStallOfTheServerAsResponseTimeFromTheIntendedMoment) {
  make({0ms, 100ms, 200ms, 900ms}, {.connections_max = 10, .connections_spare = 4});
  open_all(start_ - 10ms);

  for (const Nanos due : {0ms, 100ms, 200ms, 900ms}) dispatcher_->release_due(start_ + due, all);
  const auto ids = take_sent(start_ + 900ms);
  ASSERT_EQ(ids.size(), 4U);
  for (const ConnectionId id : ids) dispatcher_->on_answered(id, start_ + 1000ms, 200, true);

  EXPECT_TRUE(dispatcher_->is_finished());
  EXPECT_TRUE(measured().conserves());
  EXPECT_EQ(measured().response.max(), 1000ms);
  EXPECT_EQ(measured().response.min(), 100ms);
  EXPECT_EQ(measured().service.max(), 100ms);
  EXPECT_EQ(wire_.finished.front().request.intended, start_);
}

TEST_F(DispatcherTest, CountsTheGeneratorsOwnLatenessAsStartErrorAndNotAsBlocked) {
  make({0ms, 1ms}, {.connections_max = 10, .connections_spare = 2});
  open_all(start_ - 1s);

  dispatcher_->release_due(start_ + 8ms, all);  // The thread overslept.
  take_sent(start_ + 9ms);

  EXPECT_EQ(measured().start_error.count(), 2U);
  EXPECT_EQ(measured().start_error.max(), 9ms);
  EXPECT_EQ(measured().blocked.count(), 0U);
  EXPECT_EQ(measured().late, 2U);
  EXPECT_EQ(live_->late.load(), 2U);
}

TEST_F(DispatcherTest, QueuesAtTheBoundWithTheClockRunningAndSendsInOrder) {
  make({0ms, 10ms, 20ms}, {.connections_max = 1, .connections_spare = 1});
  open_all(start_ - 1ms);
  dispatcher_->release_due(start_ + 20ms, all);
  auto ids = take_sent(start_ + 20ms);
  ASSERT_EQ(ids.size(), 1U);
  EXPECT_TRUE(wire_.opening.empty());  // The bound holds.

  dispatcher_->on_answered(ids[0], start_ + 60ms, 200, true);
  ids = take_sent(start_ + 61ms);
  ASSERT_EQ(ids.size(), 1U);
  dispatcher_->on_answered(ids[0], start_ + 100ms, 200, true);
  ids = take_sent(start_ + 101ms);
  dispatcher_->on_answered(ids[0], start_ + 110ms, 200, true);

  ASSERT_EQ(wire_.finished.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(wire_.finished[i].request.number, i);
  EXPECT_EQ(wire_.finished[1].connection_free, start_ + 60ms);
  EXPECT_EQ(measured().blocked.count(), 2U);
  EXPECT_EQ(measured().blocked.min(), 50ms);  // 60 - 10
  EXPECT_EQ(measured().blocked.max(), 80ms);  // 100 - 20
  EXPECT_EQ(measured().late, 1U);  // Only the first: the others left 1 ms after a connection came.
  EXPECT_EQ(measured().response.max(), 90ms);
  EXPECT_TRUE(measured().conserves());
}

TEST_F(DispatcherTest, FailsARequestPerRefusedConnectionAndDoesNotKnockForSpares) {
  make({0ms, 1ms, 2ms}, {.connections_max = 100, .connections_spare = 2});
  const auto refuse_all = [this](TimePoint at) {
    int refused = 0;
    while (!wire_.opening.empty()) {
      const ConnectionId id = wire_.opening.back();
      wire_.opening.pop_back();
      dispatcher_->on_open_failed(id, at, false);
      ++refused;
    }
    return refused;
  };

  EXPECT_EQ(refuse_all(start_ - 1ms), 2);  // The spares; nobody waits, nobody fails.
  dispatcher_->release_due(start_ + 5ms, all);
  EXPECT_EQ(refuse_all(start_ + 6ms), 3);

  EXPECT_TRUE(dispatcher_->is_finished());
  EXPECT_TRUE(measured().conserves());
  EXPECT_EQ(measured().failed, 3U);
  EXPECT_EQ(measured().by_cause[static_cast<std::size_t>(FailureCause::connect)], 3U);
}

TEST_F(DispatcherTest, TakesALocalLimitAsALowerBoundWhileConnectionsLive) {
  make({0ms, 0ms}, {.connections_max = 100, .connections_spare = 0});
  dispatcher_->release_due(start_, all);
  ASSERT_EQ(wire_.opening.size(), 2U);

  dispatcher_->on_open(wire_.opening[0], start_ + 1ms);
  const auto ids = take_sent(start_ + 1ms);
  dispatcher_->on_open_failed(wire_.opening[1], start_ + 1ms, /*is_local_limit=*/true);
  EXPECT_EQ(measured().failed, 0U);
  EXPECT_EQ(wire_.opening.size(), 2U);  // And does not try again.
  dispatcher_->on_answered(ids.at(0), start_ + 5ms, 200, true);
  dispatcher_->on_answered(take_sent(start_ + 5ms).at(0), start_ + 6ms, 200, true);

  EXPECT_EQ(measured().answered, 2U);
  EXPECT_EQ(measured().in_flight_max, 1U);
}

TEST_F(DispatcherTest, DropsAnIdleConnectionWithoutHarmButFailsARequestUnderWay) {
  make({0ms, 5ms}, {.connections_max = 2, .connections_spare = 2});
  open_all(start_ - 1ms);

  dispatcher_->release_due(start_, all);
  const auto ids = take_sent(start_);
  const ConnectionId busy = ids.at(0);
  const ConnectionId idle = busy == ConnectionId{0} ? ConnectionId{1} : ConnectionId{0};
  dispatcher_->on_broken(idle, start_ + 1ms, FailureCause::closed);
  EXPECT_EQ(measured().connections_dropped, 1U);
  EXPECT_EQ(measured().failed, 0U);
  dispatcher_->on_broken(busy, start_ + 2ms, FailureCause::closed);

  EXPECT_EQ(measured().failed, 1U);
  ASSERT_EQ(wire_.finished.size(), 1U);
  EXPECT_EQ(wire_.finished[0].sent, start_);
  EXPECT_EQ(wire_.finished[0].ended, start_ + 2ms);
  EXPECT_TRUE(wire_.sending.empty());  // Nothing is sent twice.
}

TEST_F(DispatcherTest, CensorsWhatIsOpenAtTheDeadlineThere) {
  make({0ms, 10ms, 20ms}, {.connections_max = 1, .connections_spare = 1});
  open_all(start_ - 1ms);
  dispatcher_->release_due(start_ + 10ms, all);
  take_sent(start_ + 10ms);

  dispatcher_->give_up(start_ + 1s);

  EXPECT_TRUE(dispatcher_->is_finished());
  EXPECT_TRUE(measured().conserves());
  EXPECT_EQ(measured().unanswered, 3U);
  EXPECT_EQ(measured().censored.max(), 1000ms);
  EXPECT_EQ(measured().censored.min(), 980ms);
}

TEST_F(DispatcherTest, KeepsErrorAnswersOutOfTheResponseTimes) {
  make({0ms, 0ms}, {.connections_max = 2, .connections_spare = 2});
  open_all(start_ - 1ms);
  dispatcher_->release_due(start_, all);
  const auto ids = take_sent(start_);

  dispatcher_->on_answered(ids.at(0), start_ + 1ms, 503, true);
  dispatcher_->on_answered(ids.at(1), start_ + 20ms, 201, true);

  EXPECT_EQ(measured().response.count(), 1U);
  EXPECT_EQ(measured().error_answers(), 1U);
  EXPECT_EQ(measured().by_status[503], 1U);
  EXPECT_EQ(measured().answered, 2U);
}

TEST_F(DispatcherTest, CallsNothingBlockedWhileAConnectionWasFreeInTime) {
  make({0ms, 5ms}, {.connections_max = 2, .connections_spare = 2});
  open_all(start_ - 1ms);
  dispatcher_->release_due(start_, all);
  const auto ids = take_sent(start_);

  dispatcher_->on_answered(ids.at(0), start_ + 6ms, 200, true);  // Now the one used last.
  dispatcher_->release_due(start_ + 7ms, all);
  const auto next = take_sent(start_ + 7ms);

  EXPECT_EQ(measured().blocked.count(), 0U);
  EXPECT_EQ(measured().start_error.max(), 2ms);
  EXPECT_NE(next.at(0), ids.at(0));
}

TEST_F(DispatcherTest, FailsNoRequestForWhichAnotherConnectionIsOnItsWay) {
  make({0ms}, {.connections_max = 5, .connections_spare = 1});
  dispatcher_->release_due(start_, all);
  ASSERT_EQ(wire_.opening.size(), 2U);

  dispatcher_->on_open_failed(wire_.opening[0], start_ + 1ms, false);
  EXPECT_EQ(measured().failed, 0U);
  dispatcher_->on_open(wire_.opening[1], start_ + 2ms);

  EXPECT_EQ(take_sent(start_ + 2ms).size(), 1U);
}

TEST_F(DispatcherTest, OpensSparesAgainOnlyOnceAServerAnswers) {
  make({0ms, 10ms}, {.connections_max = 10, .connections_spare = 2});
  ASSERT_EQ(wire_.opening.size(), 2U);
  open_all(start_ - 10ms);

  dispatcher_->on_broken(ConnectionId{0}, start_ - 5ms, FailureCause::closed);
  EXPECT_TRUE(wire_.opening.empty());  // A server that closes what it accepts is not pestered.
  dispatcher_->release_due(start_, all);
  EXPECT_TRUE(wire_.opening.empty());
  dispatcher_->on_answered(take_sent(start_).at(0), start_ + 1ms, 200, true);

  EXPECT_EQ(wire_.opening.size(), 1U);
}

// A server with a mind of its own: opens, refuses, answers, closes and breaks at random moments.
class RandomServer final : public Wire, public FinishedSink {
 public:
  explicit RandomServer(std::uint64_t seed) : random_(seed) {}

  void open(ConnectionId id) override { will(id, Act::open, delay()); }
  void send(ConnectionId id, const DueRequest& request) override {
    EXPECT_TRUE(under_way_.insert(id).second) << "two requests on one connection";
    EXPECT_EQ(request.number, sent_count_++) << "out of order";
    will(id, Act::sent, Nanos{1});
  }
  void close(ConnectionId id) override {
    under_way_.erase(id);
    ++generation_[id];
  }
  void on_finished(const Finished& finished) override {
    EXPECT_TRUE(finished_.insert(finished.request.number).second) << "finished twice";
    EXPECT_GE(finished.ended, finished.request.intended);
    if (finished.sent != TimePoint{}) {
      EXPECT_GE(finished.sent, finished.connection_free);
      EXPECT_GE(finished.connection_free, finished.request.intended);
    } else {
      // A waiting request that failed leaves the row; the next one sent is the one after it.
      if (finished.connection_free == TimePoint{}) ++sent_count_;
    }
  }

  bool has_event() const { return !events_.empty(); }
  TimePoint next_event() const { return events_.begin()->first; }
  void step(Dispatcher& dispatcher) {
    const auto event = events_.begin()->second;
    now = events_.begin()->first;
    events_.erase(events_.begin());
    if (generation_[event.id] == event.generation) act(dispatcher, event);
  }

  TimePoint now{};
  std::set<std::uint64_t> finished_;

 private:
  enum class Act { open, sent, answer, close_idle };
  struct Event {
    ConnectionId id;
    Act act;
    std::uint64_t generation;
  };

  Nanos delay() { return Nanos{1 + static_cast<std::int64_t>(random_.next_below(20'000'000))}; }
  void will(ConnectionId id, Act act, Nanos after) {
    events_.emplace(now + after, Event{id, act, generation_[id]});
  }
  void act(Dispatcher& dispatcher, const Event& event) {
    switch (event.act) {
      case Act::open:
        if (random_.next_below(4) == 0) {
          return dispatcher.on_open_failed(event.id, now, random_.next_below(2) == 0);
        }
        will(event.id, Act::close_idle, 3 * delay());
        return dispatcher.on_open(event.id, now);
      case Act::sent:
        if (random_.next_below(50) == 0) {
          return dispatcher.on_broken(event.id, now, FailureCause::closed);
        }
        if (random_.next_below(30) != 0) will(event.id, Act::answer, delay());  // Else never.
        return dispatcher.on_sent(event.id, now);
      case Act::answer:
        under_way_.erase(event.id);
        if (random_.next_below(20) == 0) {
          return dispatcher.on_broken(event.id, now, FailureCause::protocol);
        }
        return dispatcher.on_answered(event.id, now, random_.next_below(9) == 0 ? 500 : 200,
                                      random_.next_below(3) != 0);
      case Act::close_idle:
        if (!under_way_.contains(event.id)) {
          dispatcher.on_broken(event.id, now, FailureCause::closed);
        }
        return;
    }
  }

  base::SplitMix64 random_;
  std::multimap<TimePoint, Event> events_;
  std::map<ConnectionId, std::uint64_t> generation_;
  std::set<ConnectionId> under_way_;
  std::uint64_t sent_count_ = 0;
};

// Goal: whatever a server does, every intended request ends exactly once, in order, and the sums
// hold. Method: hundreds of random servers on a simulated clock.
TEST(Dispatcher, ConservesRequestsAgainstAnyServer) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE(seed);
    base::SplitMix64 random(seed + 1000);
    std::vector<Nanos> schedule;
    for (std::size_t i = random.next_below(200); i > 0; --i) {
      schedule.push_back(Nanos{static_cast<std::int64_t>(random.next_below(100'000'000))});
    }
    std::ranges::sort(schedule);
    const TimePoint start{10s};
    const TimePoint deadline = start + 150ms;
    RandomServer server(seed);
    LiveCounters live;
    Dispatcher dispatcher(
        {.connections_max = 1 + random.next_below(12), .connections_spare = random.next_below(4)},
        schedule, Stripe{}, start, server, server, live);
    server.now = start - 5ms;
    dispatcher.begin(server.now);

    while (!dispatcher.is_finished()) {
      TimePoint next = deadline;
      if (const auto due = dispatcher.next_due()) next = std::min(next, *due);
      if (server.has_event() && server.next_event() <= next) {
        server.step(dispatcher);
      } else if (next == deadline) {
        dispatcher.give_up(deadline);
      } else {
        server.now = next;
        dispatcher.release_due(next, 1 + static_cast<int>(random.next_below(3)));
      }
    }

    const Measurements& measured = dispatcher.measurements();
    EXPECT_TRUE(measured.conserves());
    EXPECT_EQ(measured.intended, schedule.size());
    EXPECT_EQ(server.finished_.size(), schedule.size());
    EXPECT_NEAR(measured.in_flight_integral_ns, measured.service_sum_ns,
                1e-9 * measured.service_sum_ns + 1);
    EXPECT_EQ(live.answered.load(), measured.answered);
    EXPECT_EQ(live.failed.load(), measured.failed);
    EXPECT_EQ(live.sent.load(), measured.sent);
    EXPECT_EQ(live.late.load(), measured.late);
    EXPECT_EQ(live.left_flight.load(), measured.sent);
  }
}

}  // namespace
}  // namespace flow::loadtest

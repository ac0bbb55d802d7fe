// The closed modes without sockets, on a simulated clock, against servers of every kind.
// SPDX-License-Identifier: Apache-2.0
#include "loadtest/visitors.hpp"

#include <algorithm>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <numeric>
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "base/random.hpp"

namespace flow::loadtest {
namespace {

using namespace std::chrono_literals;
using traffic::FirstWait;
using traffic::Mode;
using traffic::Visit;
using traffic::VisitPlan;
using traffic::VisitSpec;

constexpr int all = std::numeric_limits<int>::max();
const TimePoint start{1000s};

// What a server does with one request.
struct Reply {
  Nanos after{0};
  int status = 200;
  bool keeps_alive = true;
  bool breaks = false;  // The connection, instead of an answer.
  bool never = false;
};

// A server, its network and the clock. Opens connections at once unless told otherwise.
class SimulatedServer final : public Wire, public FinishedSink {
 public:
  std::function<Reply(const DueRequest&, TimePoint now)> reply = [](const DueRequest&, TimePoint) {
    return Reply{};
  };
  std::function<bool()> opens = [] { return true; };
  TimePoint now = start - 1s;
  std::vector<Finished> finished;
  std::vector<ConnectionId> opened;
  std::map<std::size_t, ConnectionId> connection_of;  // By action.

  void open(ConnectionId id) override { will(id, opens() ? Act::open : Act::refuse, Nanos{1}); }
  void send(ConnectionId id, const DueRequest& request) override {
    EXPECT_LE(request.intended, now);
    connection_of[request.action] = id;
    sender_->on_sent(id, now);
    replies_[id] = reply(request, now);
    if (!replies_[id].never) will(id, Act::reply, replies_[id].after);
  }
  void close(ConnectionId id) override { ++generation_[id]; }
  void on_finished(const Finished& request) override { finished.push_back(request); }
  void drop(ConnectionId id, Nanos after) { will(id, Act::drop, after); }

  // Until the sender is done or `until`; false: not done.
  bool run(Sender& sender, TimePoint until, int limit = all) {
    sender_ = &sender;
    if (!has_begun_) sender.begin(now);
    has_begun_ = true;
    while (!sender.is_finished()) {
      TimePoint next = until;
      if (const auto due = sender.next_due()) next = std::min(next, *due);
      if (!events_.empty() && events_.begin()->first <= next) {
        step();
      } else if (next == until) {
        now = until;
        return false;
      } else {
        now = std::max(now, next);
        sender.release_due(now, limit);
      }
    }
    return true;
  }

 private:
  enum class Act { open, refuse, reply, drop };
  struct Event {
    ConnectionId id;
    Act act;
    std::uint64_t generation;
  };

  void will(ConnectionId id, Act act, Nanos after) {
    events_.emplace(now + after, Event{id, act, generation_[id]});
  }
  void step() {
    now = std::max(now, events_.begin()->first);
    const Event event = events_.begin()->second;
    events_.erase(events_.begin());
    if (generation_[event.id] != event.generation) return;
    switch (event.act) {
      case Act::open:
        opened.push_back(event.id);
        return sender_->on_open(event.id, now);
      case Act::refuse:
        return sender_->on_open_failed(event.id, now, false);
      case Act::drop:
        return sender_->on_broken(event.id, now, FailureCause::closed);
      case Act::reply:
        break;
    }
    const Reply made = replies_[event.id];
    if (made.breaks) return sender_->on_broken(event.id, now, FailureCause::closed);
    sender_->on_answered(event.id, now, made.status, made.keeps_alive);
  }

  Sender* sender_ = nullptr;
  bool has_begun_ = false;
  std::multimap<TimePoint, Event> events_;
  std::map<ConnectionId, std::uint64_t> generation_;
  std::map<ConnectionId, Reply> replies_;
};

VisitSpec spec_of(Mode mode, std::uint32_t ticks = 32) {
  VisitSpec spec;
  spec.mode = mode;
  spec.shape = {.ticks = ticks, .requests_per_second = 100, .seed = 7};
  return spec;
}

// One sender on one server.
struct Shop {
  explicit Shop(VisitPlan made, std::size_t connections_max = 10'000, Stripe stripe = {})
      : plan(std::move(made)),
        visitors(std::make_unique<Visitors>(connections_max, plan, stripe, start, numbers, server,
                                            server, *live)) {}

  const Measurements& measured() const { return visitors->measurements(); }
  TimePoint end() const { return start + plan.duration; }

  VisitPlan plan;
  std::atomic<std::uint64_t> numbers = 0;
  std::unique_ptr<LiveCounters> live = std::make_unique<LiveCounters>();
  SimulatedServer server;
  std::unique_ptr<Visitors> visitors;
};

// A plan of hand-made visits: pauses in seconds before each request.
VisitPlan plan_of(Nanos duration,
                  const std::vector<std::pair<Visit, std::vector<double>>>& visits) {
  VisitPlan plan;
  plan.mode = Mode::closed;
  plan.duration = duration;
  plan.tick = duration;
  for (auto [visit, pauses] : visits) {
    visit.first = plan.pauses.size();
    visit.requests = static_cast<std::uint32_t>(pauses.size());
    visit.lane = static_cast<std::uint32_t>(plan.visits.size());
    for (const double pause : pauses) {
      plan.pauses.push_back(Nanos{static_cast<std::int64_t>(pause * 1e9)});
    }
    plan.visits.push_back(visit);
  }
  plan.actions.resize(plan.pauses.size());
  return plan;
}

Nanos since_start(TimePoint at) { return at - start; }

TEST(Visitors, MakeEveryPlannedRequestAtItsMomentWhenAnswersComeAtOnce) {
  for (const Mode mode : {Mode::sessions, Mode::population, Mode::closed, Mode::closed_warped}) {
    SCOPED_TRACE(name_of(mode));
    Shop shop(traffic::make_visits(spec_of(mode)).value());

    EXPECT_TRUE(shop.server.run(*shop.visitors, shop.end() + 1s));

    EXPECT_EQ(shop.measured().intended, shop.plan.actions.size());
    EXPECT_EQ(shop.measured().answered, shop.plan.actions.size());
    EXPECT_TRUE(shop.measured().conserves());
    EXPECT_EQ(shop.measured().start_error.max(), 0ns);
    EXPECT_EQ(shop.measured().blocked.count(), 0U);
    EXPECT_EQ(shop.measured().response.max(), 0ns);
    std::vector<std::uint64_t> counts(shop.plan.counts.size());
    std::set<std::size_t> actions;
    for (const Finished& finished : shop.server.finished) {
      ++counts[static_cast<std::size_t>(since_start(finished.request.intended) / shop.plan.tick)];
      actions.insert(finished.request.action);
    }
    EXPECT_EQ(counts, shop.plan.counts);
    EXPECT_EQ(actions.size(), shop.plan.actions.size());
    EXPECT_EQ(shop.measured().visits.arrived, shop.plan.visits.size());
    EXPECT_EQ(shop.measured().visits.present_max, shop.plan.present_max);
    EXPECT_NEAR(shop.measured().visits.present_integral_ns,
                shop.plan.present_mean * static_cast<double>(shop.plan.duration.count()),
                1e-6 * shop.measured().visits.present_integral_ns);
    EXPECT_EQ(shop.live->arrived.load(), shop.plan.visits.size());
    EXPECT_EQ(shop.live->left.load(), shop.plan.visits.size());
  }
}

TEST(Visitors, MeanTheNextRequestForWhenThePauseAfterTheAnswerEnds) {
  Shop shop(plan_of(60s, {{{.arrives = 2s, .until = 60s}, {0, 0, 5, 0, 3}}}));
  shop.server.reply = [](const DueRequest&, TimePoint) { return Reply{.after = 300ms}; };

  EXPECT_TRUE(shop.server.run(*shop.visitors, shop.end()));

  std::vector<Nanos> intended;
  for (const Finished& finished : shop.server.finished) {
    intended.push_back(since_start(finished.request.intended));
  }
  EXPECT_EQ(intended, (std::vector<Nanos>{2s, 2300ms, 7600ms, 7900ms, 11200ms}));
  EXPECT_EQ(shop.measured().visits.completed, 1U);
  EXPECT_EQ(shop.measured().response.max(), 300ms);
  EXPECT_EQ(shop.server.now, start + 11500ms);  // Nobody stays who has done what he came for.
}

TEST(Visitors, PauseOnTheClockOfThePlan) {
  VisitPlan plan = plan_of(8s, {{{.until = 8s, .stays = true}, {1, 0, 1}}});
  const std::vector<double> volumes = {343, 147, 147, 63, 147, 63, 63, 27};
  plan.operational.emplace(volumes, 1s);
  Shop shop(std::move(plan));
  shop.server.reply = [](const DueRequest&, TimePoint) { return Reply{.after = 10ms}; };

  EXPECT_TRUE(shop.server.run(*shop.visitors, shop.end() + 1s));

  ASSERT_EQ(shop.server.finished.size(), 3U);
  const auto nanos = [&](std::size_t i) {
    return static_cast<double>(since_start(shop.server.finished[i].request.intended).count());
  };
  EXPECT_NEAR(nanos(0), 0.364431e9, 1e3);
  EXPECT_NEAR(nanos(1), 0.374431e9, 1e3);
  EXPECT_NEAR(nanos(2), 0.728863e9 + 20e6, 2e3);  // 20 ms of answers at the same speed.
}

TEST(Visitors, AskForNothingOnceTheirTimeIsOver) {
  // The second pause ends at 5.5 s when the first answer takes half a second; its time ends at 5 s.
  Shop shop(plan_of(10s, {{{.until = 5s, .stays = true}, {1, 3.9}}}));
  shop.server.reply = [](const DueRequest&, TimePoint) { return Reply{.after = 500ms}; };

  EXPECT_TRUE(shop.server.run(*shop.visitors, shop.end()));

  EXPECT_EQ(shop.measured().intended, 1U);
  EXPECT_EQ(shop.measured().visits.cut, 1U);
  EXPECT_EQ(shop.server.now, start + 5s);  // There until then: it counts as present.
  EXPECT_DOUBLE_EQ(shop.measured().visits.present_integral_ns, 5e9);
  EXPECT_DOUBLE_EQ(shop.measured().visits.present_sum_ns, 5e9);
}

TEST(Visitors, LetWhoIsWaitingWhenHisTimeEndsHaveHisAnswer) {
  Shop shop(plan_of(10s, {{{.until = 5s, .stays = true}, {4, 0}}}));
  shop.server.reply = [](const DueRequest&, TimePoint) { return Reply{.after = 3s}; };

  EXPECT_TRUE(shop.server.run(*shop.visitors, shop.end()));

  EXPECT_EQ(shop.measured().answered, 1U);
  EXPECT_EQ(shop.measured().response.max(), 3s);
  EXPECT_EQ(shop.server.now, start + 7s);
  EXPECT_DOUBLE_EQ(shop.measured().visits.present_sum_ns, 7e9);
}

TEST(Visitors, CallALateWakeUpStartErrorAndKeepTheIntendedMoment) {
  Shop shop(plan_of(10s, {{{.until = 10s}, {1}}}));
  shop.server.run(*shop.visitors, start + 900ms);

  shop.server.now = start + 1008ms;  // The thread overslept.
  shop.visitors->release_due(shop.server.now, all);

  EXPECT_EQ(shop.measured().start_error.max(), 8ms);
  EXPECT_EQ(shop.measured().late, 1U);
  EXPECT_EQ(shop.measured().blocked.count(), 0U);
}

TEST(Visitors, ConnectBeforeTheyArriveAndKeepTheirConnection) {
  Shop shop(plan_of(60s, {{{.arrives = 2s, .until = 60s}, {0, 0, 5, 0}},
                          {{.arrives = 2s, .until = 60s}, {0, 0, 5, 0}}}));

  shop.server.run(*shop.visitors, start + 1950ms);
  EXPECT_EQ(shop.server.opened.size(), 2U);
  EXPECT_EQ(shop.live->arrived.load(), 0U);
  EXPECT_TRUE(shop.server.run(*shop.visitors, shop.end()));

  EXPECT_EQ(shop.measured().connections_opened, 2U);
  EXPECT_EQ(shop.server.connection_of[0], shop.server.connection_of[3]);
  EXPECT_EQ(shop.server.connection_of[4], shop.server.connection_of[7]);
  EXPECT_NE(shop.server.connection_of[0], shop.server.connection_of[4]);
}

TEST(Visitors, WaitForAPlaceWithTheirTimesRunning) {
  // Two at a time; the third arrives at 1 s and gets the place that is left at 3 s.
  Shop shop(plan_of(60s, {{{.until = 60s}, {0}},
                          {{.until = 60s}, {0}},
                          {{.arrives = 1s, .until = 60s}, {0, 5}}}),
            /*connections_max=*/2);
  shop.server.reply = [](const DueRequest& request, TimePoint) {
    return Reply{.after = request.action < 2 ? 3s : 0s};
  };

  EXPECT_TRUE(shop.server.run(*shop.visitors, shop.end()));

  ASSERT_EQ(shop.server.finished.size(), 4U);
  const Finished& third = shop.server.finished[2];
  EXPECT_EQ(third.request.intended, start + 1s);
  EXPECT_GE(third.connection_free, start + 3s);
  EXPECT_EQ(shop.measured().blocked.count(), 1U);
  EXPECT_GE(shop.measured().response.max(), 2s);
  EXPECT_NEAR(static_cast<double>(since_start(shop.server.finished[3].request.intended).count()),
              8e9, 1e3);  // 5 s after that answer.
  EXPECT_NEAR(shop.measured().visits.present_integral_ns, shop.measured().visits.present_sum_ns,
              1e3);
}

TEST(Visitors, GoOnAfterAFailureWithTheNextRequestOnANewConnection) {
  Shop shop(plan_of(60s, {{{.until = 60s}, {0, 0, 5, 0}}}));
  shop.server.reply = [](const DueRequest& request, TimePoint) {
    return Reply{.after = 1ms, .breaks = request.action == 1};
  };

  EXPECT_TRUE(shop.server.run(*shop.visitors, shop.end()));

  EXPECT_EQ(shop.measured().failed, 1U);
  EXPECT_EQ(shop.measured().answered, 3U);
  EXPECT_EQ(shop.measured().connections_opened, 2U);
  EXPECT_EQ(since_start(shop.server.finished[2].request.intended), 5s + 2ms);
  EXPECT_EQ(shop.measured().visits.completed, 1U);
}

TEST(Visitors, FailWhereNothingListensAndTryAgainAfterTheirPause) {
  Shop shop(plan_of(60s, {{{.until = 60s}, {1, 0, 5, 0}}}));
  shop.server.opens = [] { return false; };

  EXPECT_TRUE(shop.server.run(*shop.visitors, shop.end()));

  EXPECT_EQ(shop.measured().by_cause[static_cast<std::size_t>(FailureCause::connect)], 4U);
  EXPECT_GE(shop.server.finished[2].request.intended, start + 6s);
  EXPECT_TRUE(shop.measured().conserves());
}

TEST(Visitors, OpenAConnectionAgainThatTheServerClosedWhileTheyThought) {
  Shop shop(plan_of(60s, {{{.until = 60s}, {0, 0, 5, 0}}}));
  shop.server.run(*shop.visitors, start + 1s);

  shop.server.drop(shop.server.connection_of[1], 1s);
  EXPECT_TRUE(shop.server.run(*shop.visitors, shop.end()));

  EXPECT_EQ(shop.measured().answered, 4U);
  EXPECT_EQ(shop.measured().connections_dropped, 1U);
  EXPECT_EQ(shop.measured().connections_opened, 2U);
}

TEST(Visitors, LeaveWhenTheyCannotRegisterOrSignIn) {
  const Visit visit{.until = 60s, .is_new = true};
  Shop shop(plan_of(60s, {{visit, {0, 0, 0, 0}}, {visit, {0, 0, 0, 0}}, {visit, {0, 0, 0, 0}}}));
  shop.server.reply = [](const DueRequest& request, TimePoint) {
    const bool is_bad = request.action == 0 || request.action == 5 || request.action == 10;
    return Reply{.after = 1ms, .status = is_bad ? 503 : 200};
  };

  EXPECT_TRUE(shop.server.run(*shop.visitors, shop.end()));

  EXPECT_EQ(shop.measured().visits.turned_away, 2U);  // At the first and the second request.
  EXPECT_EQ(shop.measured().visits.completed, 1U);    // Later refusals change nothing.
  EXPECT_EQ(shop.measured().intended, 1U + 2U + 4U);
  EXPECT_TRUE(shop.measured().conserves());
}

TEST(Visitors, AreDoneWithWhoOnlyThinksWhenTheyAreToldToStop) {
  Shop shop(plan_of(60s, {{{.until = 60s, .stays = true}, {1, 0, 20, 0}},  // Waits for an answer.
                          {{.until = 60s, .stays = true}, {30}},           // Thinks.
                          {{.until = 60s, .stays = true}, {}},             // Is only there.
                          {{.arrives = 2050ms, .until = 60s}, {0}}}));     // Has a connection.
  shop.server.reply = [](const DueRequest&, TimePoint) { return Reply{.after = 3s}; };
  shop.server.run(*shop.visitors, start + 2s);

  shop.visitors->stop_releasing(start + 2s);

  EXPECT_FALSE(shop.visitors->is_finished());
  EXPECT_TRUE(shop.server.run(*shop.visitors, start + 10s));
  EXPECT_EQ(shop.server.now, start + 4s);  // The answer under way.
  EXPECT_EQ(shop.measured().intended, 1U);
  EXPECT_EQ(shop.measured().answered, 1U);
  EXPECT_EQ(shop.measured().visits.arrived, 3U);
  EXPECT_TRUE(shop.measured().conserves());
  EXPECT_NEAR(shop.measured().visits.present_integral_ns, shop.measured().visits.present_sum_ns, 1);
}

TEST(Visitors, CensorAtTheDeadlineWhatIsOpenAndWhoNeverGotAPlace) {
  Shop shop(plan_of(10s, {{{.until = 10s}, {0, 0}},
                          {{.arrives = 1s, .until = 10s}, {0, 0}},
                          {{.arrives = 2s, .until = 10s}, {3}},
                          {{.arrives = 2s, .until = 10s}, {}}}),
            /*connections_max=*/1);
  shop.server.reply = [](const DueRequest&, TimePoint) { return Reply{.never = true}; };

  EXPECT_FALSE(shop.server.run(*shop.visitors, start + 15s));
  shop.visitors->give_up(start + 15s);

  EXPECT_TRUE(shop.visitors->is_finished());
  EXPECT_TRUE(shop.measured().conserves());
  EXPECT_EQ(shop.measured().unanswered, 3U);
  EXPECT_EQ(shop.measured().censored.max(), 15s);
  EXPECT_EQ(shop.measured().censored.min(), 10s);  // Meant for 5 s.
  EXPECT_EQ(shop.measured().sent, 1U);
  EXPECT_EQ(shop.measured().visits.arrived, 4U);
  EXPECT_EQ(shop.numbers.load(), 3U);
}

// What 5000 customers do while the server stands still from second 20 on for `stall` seconds: steps
// begun in that time, and the response times of the requests meant for it.
struct Stalled {
  std::size_t steps = 0;
  std::size_t seconds_of_a_step = 0;  // Second requests meant for the time of the stall.
};

Stalled stalled_population(double stall, bool stands_still) {
  VisitSpec spec = spec_of(Mode::closed, 20 + static_cast<std::uint32_t>(stall) + 2);
  spec.users = 5000;
  Shop shop(traffic::make_visits(spec).value());
  const TimePoint from = start + 20s;
  const TimePoint until = from + Nanos{static_cast<std::int64_t>(stall * 1e9)};
  shop.server.reply = [&](const DueRequest&, TimePoint now) {
    const bool is_in_stall = stands_still && now >= from && now < until;
    return Reply{.after = is_in_stall ? until - now : 0ns};
  };
  EXPECT_TRUE(shop.server.run(*shop.visitors, shop.end() + 60s));
  Stalled found;
  for (const Finished& finished : shop.server.finished) {
    const TimePoint at = finished.request.intended;
    if (at < from || at >= until) continue;
    ++(finished.request.action % 2 == 0 ? found.steps : found.seconds_of_a_step);
  }
  return found;
}

TEST(Visitors, OmitInAStallWhatTheLawSaysAndNothingInAShortOne) {
  const traffic::ThinkTime think;
  for (const double stall : {0.5, 1.0, 1.875, 3.0, 5.0, 10.0, 30.0}) {
    SCOPED_TRACE(stall);
    const Stalled with = stalled_population(stall, true);
    const Stalled without = stalled_population(stall, false);

    const double omitted = 1 - static_cast<double>(with.steps) / static_cast<double>(without.steps);
    EXPECT_NEAR(omitted, think.share_omitted_in_stall(stall), 0.02);
    if (stall <= 1.875) {
      EXPECT_EQ(with.steps, without.steps);
    }
    // But the second request of a step waits for the answer to the first: it comes after the stall.
    EXPECT_EQ(with.seconds_of_a_step, 0U);
    EXPECT_EQ(without.seconds_of_a_step, without.steps);
  }
}

TEST(Visitors, OpenSessionsDuringAStallAsIfThereWereNone) {
  VisitSpec spec = spec_of(Mode::sessions, 32);
  Shop shop(traffic::make_visits(spec).value());
  shop.server.reply = [](const DueRequest&, TimePoint now) {
    return Reply{.never = now >= start + 10s};
  };

  EXPECT_FALSE(shop.server.run(*shop.visitors, shop.end() + 5s));
  shop.visitors->give_up(shop.end() + 5s);

  std::size_t firsts = 0;
  std::size_t planned = 0;
  for (const Visit& visit : shop.plan.visits) planned += visit.arrives >= 10s;
  for (const Finished& finished : shop.server.finished) {
    if (finished.request.intended < start + 10s) continue;
    const auto& visits = shop.plan.visits;
    const bool is_first =
        std::ranges::binary_search(visits, finished.request.action, {}, &Visit::first);
    firsts +=
        is_first && finished.request.intended - start >= 10s &&
        std::ranges::lower_bound(visits, finished.request.action, {}, &Visit::first)->arrives >=
            10s;
    EXPECT_EQ(finished.end, RequestEnd::unanswered);
    EXPECT_EQ(finished.ended, shop.end() + 5s);
  }
  EXPECT_EQ(firsts, planned);
  EXPECT_GT(planned, 100U);
  EXPECT_LT(shop.measured().intended, shop.plan.actions.size());  // What was omitted.
  EXPECT_TRUE(shop.measured().conserves());
}

using Sequence = std::vector<std::pair<std::size_t, TimePoint>>;  // Actions and intended moments.

TEST(Visitors, DoTheSameOnOneTwoAndFourShards) {
  for (const Mode mode : {Mode::sessions, Mode::population, Mode::closed_warped}) {
    SCOPED_TRACE(name_of(mode));
    VisitSpec spec = spec_of(mode, 64);
    spec.new_share = 0.2;
    const VisitPlan plan = traffic::make_visits(spec).value();
    const auto sequence_of = [&](std::size_t shards) {
      std::atomic<std::uint64_t> numbers = 0;
      Sequence sequence;
      std::set<std::uint64_t> used;
      std::size_t most = 0;
      std::size_t least = all;
      for (std::size_t i = 0; i < shards; ++i) {
        LiveCounters live;
        SimulatedServer server;
        server.reply = [](const DueRequest& request, TimePoint) {
          return Reply{.after = Nanos{1000 * static_cast<std::int64_t>(request.action % 997)}};
        };
        Visitors visitors(10'000, plan, {i, shards}, start, numbers, server, server, live);
        EXPECT_TRUE(server.run(visitors, start + plan.duration + 1s));
        most = std::max(most, static_cast<std::size_t>(visitors.measurements().visits.present_max));
        least =
            std::min(least, static_cast<std::size_t>(visitors.measurements().visits.present_max));
        for (const Finished& finished : server.finished) {
          sequence.emplace_back(finished.request.action, finished.request.intended);
          EXPECT_TRUE(used.insert(finished.request.number).second);
        }
      }
      EXPECT_EQ(*used.rbegin(), used.size() - 1);  // Dense.
      EXPECT_LE(most, least + least / 4 + 2);      // Evenly full.
      std::ranges::sort(sequence);
      return sequence;
    };

    const Sequence one = sequence_of(1);
    EXPECT_EQ(one, sequence_of(2));
    EXPECT_EQ(one, sequence_of(4));
    EXPECT_GT(one.size(), 300U);
  }
}

// Goal: whatever a server does, every request that came due ends exactly once, every customer
// leaves exactly once, and the sums hold. Method: hundreds of random servers on a simulated clock,
// some stopped halfway.
TEST(Visitors, ConserveRequestsAndCustomersAgainstAnyServer) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE(seed);
    base::SplitMix64 random(seed + 1000);
    VisitSpec spec = spec_of(
        std::array{Mode::sessions, Mode::population, Mode::closed, Mode::closed_warped}[seed % 4],
        8);
    spec.shape.seed = seed;
    spec.shape.tick = 100ms;
    spec.think.pareto.xm_seconds = 0.02;
    spec.users = 5 + static_cast<std::uint32_t>(random.next_below(40));
    spec.new_share = 0.3;
    spec.first_wait = seed % 3 == 0 ? FirstWait::none : FirstWait::equilibrium;
    Shop shop(traffic::make_visits(spec).value(), 1 + random.next_below(60));
    shop.server.opens = [&] { return random.next_below(5) != 0; };
    shop.server.reply = [&](const DueRequest&, TimePoint) {
      return Reply{.after = Nanos{1 + static_cast<std::int64_t>(random.next_below(30'000'000))},
                   .status = random.next_below(9) == 0 ? 500 : 200,
                   .keeps_alive = random.next_below(3) != 0,
                   .breaks = random.next_below(20) == 0,
                   .never = random.next_below(60) == 0};
    };
    TimePoint deadline = shop.end() + 100ms;
    const int limit = 1 + static_cast<int>(random.next_below(4));

    if (seed % 5 == 0 && !shop.server.run(*shop.visitors, start + 300ms, limit)) {
      shop.visitors->stop_releasing(shop.server.now);
      deadline = start + 400ms;
    }
    if (!shop.server.run(*shop.visitors, deadline, limit)) shop.visitors->give_up(deadline);

    const Measurements& measured = shop.measured();
    EXPECT_TRUE(shop.visitors->is_finished());
    EXPECT_TRUE(measured.conserves());
    EXPECT_EQ(shop.server.finished.size(), measured.intended);
    EXPECT_LE(measured.intended, shop.visitors->requests_max());
    std::set<std::uint64_t> numbers;
    std::set<std::size_t> actions;
    for (const Finished& finished : shop.server.finished) {
      EXPECT_TRUE(numbers.insert(finished.request.number).second);
      EXPECT_TRUE(actions.insert(finished.request.action).second);
      EXPECT_GE(finished.ended, finished.request.intended);
      if (finished.sent != TimePoint{}) {
        EXPECT_GE(finished.sent, finished.connection_free);
        EXPECT_GE(finished.connection_free, finished.request.intended);
      }
    }
    EXPECT_TRUE(numbers.empty() || *numbers.rbegin() == numbers.size() - 1);
    EXPECT_NEAR(measured.in_flight_integral_ns, measured.service_sum_ns,
                1e-9 * measured.service_sum_ns + 1);
    EXPECT_NEAR(measured.visits.present_integral_ns, measured.visits.present_sum_ns,
                1e-6 * measured.visits.present_sum_ns + 1000);
    EXPECT_EQ(shop.live->answered.load(), measured.answered);
    EXPECT_EQ(shop.live->failed.load(), measured.failed);
    EXPECT_EQ(shop.live->left_flight.load(), measured.sent);
    if (seed % 5 != 0) {
      EXPECT_EQ(measured.visits.arrived, shop.plan.visits.size());
    }
  }
}

}  // namespace
}  // namespace flow::loadtest

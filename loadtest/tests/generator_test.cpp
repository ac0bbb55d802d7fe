// The generator against real sockets. Times are asserted with room for a busy machine; counts
// exactly.
// SPDX-License-Identifier: Apache-2.0
#include "loadtest/generator.hpp"

#include <algorithm>
#include <atomic>
#include <future>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/stamp.hpp"
#include "loadtest/null_server.hpp"
#include "loadtest/tests/scripted_server.hpp"

namespace flow::loadtest {
namespace {

using namespace std::chrono_literals;
using testing::eventually;
using testing::ok;
using testing::Peer;
using testing::ScriptedServer;

struct Log final : RequestSink {
  void on_request(const RequestEntry& entry) override { entries.push_back(entry); }
  std::vector<RequestEntry> entries;
};

std::vector<Nanos> evenly(std::size_t count, Nanos gap) {
  std::vector<Nanos> schedule;
  for (std::size_t i = 0; i < count; ++i) schedule.push_back(gap * static_cast<std::int64_t>(i));
  return schedule;
}

void answer_all(Peer& peer) {
  while (peer.read_request()) peer.write(ok("{}"));
}

class GeneratorTest : public ::testing::Test {
 protected:
  LoadPlan plan_for(const net::HttpUrl& url, std::vector<Nanos> schedule) {
    schedule_ = std::move(schedule);
    LoadPlan plan;
    plan.base = url;
    plan.intended = schedule_;
    plan.get_path = "/";
    plan.drain = 5s;
    plan.connections_spare = 2;
    return plan;
  }
  // Runs it, and checks what holds for every run: each slot ends once, and the sums hold.
  LoadResult run(const LoadPlan& plan) {
    Generator generator(plan);
    return run(generator, plan);
  }
  LoadResult run(Generator& generator, const LoadPlan& plan) {
    log_.entries.clear();
    const auto result = generator.run(&log_, {});
    EXPECT_TRUE(result);
    if (!result) return {};
    EXPECT_TRUE(result->measured.conserves());
    std::set<std::uint64_t> requests;
    for (const RequestEntry& entry : log_.entries) {
      EXPECT_TRUE(requests.insert(entry.request).second);
      const Nanos intended = plan.anchor.from_unix(base::UnixNanos{entry.intended}) - result->start;
      EXPECT_EQ(intended, schedule_.at(entry.request - plan.first_request));
    }
    EXPECT_EQ(requests.size(), result->measured.intended);
    return *result;
  }
  std::size_t count_of(RequestEnd end) const {
    return static_cast<std::size_t>(
        std::ranges::count(log_.entries, end, [](const RequestEntry& entry) { return entry.end; }));
  }

  std::vector<Nanos> schedule_;
  Log log_;
};

TEST_F(GeneratorTest, SendsEveryRequestAndGetsEveryAnswerFromTheNullServer) {
  const auto server = NullServer::start();
  ASSERT_TRUE(server);

  const LoadResult result = run(plan_for((*server)->url(), evenly(500, 1ms)));

  EXPECT_EQ(result.measured.intended, 500U);
  EXPECT_EQ(result.measured.by_status[200], 500U);
  EXPECT_EQ((*server)->requests(), 500U);
  EXPECT_EQ(count_of(RequestEnd::answered), 500U);
  EXPECT_EQ(result.completeness(), 1.0);
  EXPECT_LT(result.littles_law_gap(), 0.02);
  EXPECT_EQ(result.measured.start_error.negative(), 0U);  // Nothing leaves early.
  ASSERT_EQ(result.shards.size(), 1U);
  EXPECT_FALSE(result.shards[0].priority.empty());
  EXPECT_GT(result.shards[0].cpu, 0ns);
}

// A server that stalls at request 51 until request 150 waits as well.
TEST_F(GeneratorTest, ShowsAStallAsLongResponseTimesOfTheRequestsMeantToStartInIt) {
  const auto is_in_stall = [](std::uint64_t request) { return request > 50 && request <= 150; };
  std::atomic<int> stalled = 0;
  std::promise<void> all_stalled;
  const std::shared_future<void> stall = all_stalled.get_future().share();
  ScriptedServer server([&](Peer& peer) {
    while (const auto request = peer.read_request()) {
      const auto stamp = base::parse_stamp(testing::header(*request, "traceparent"), "");
      ASSERT_TRUE(stamp);
      if (is_in_stall(stamp->request)) {
        if (++stalled == 100) all_stalled.set_value();
        EXPECT_EQ(stall.wait_for(20s), std::future_status::ready);
      }
      peer.write(ok("{}"));
    }
  });
  LoadPlan plan = plan_for(server.url(), evenly(200, 10ms));
  plan.drain = 20s;

  const LoadResult result = run(plan);

  EXPECT_EQ(result.measured.by_status[200], 200U);  // None was left out.
  EXPECT_GE(result.measured.response.max(), 990ms);
  EXPECT_GE(result.measured.in_flight_max, 100U);
  const TimePoint end = result.start + 1490ms;  // Of the stall, at the earliest.
  for (const RequestEntry& entry : log_.entries) {
    if (!is_in_stall(entry.request)) continue;
    EXPECT_GE(plan.anchor.from_unix(base::UnixNanos{entry.answered}), end) << entry.request;
  }
}

TEST_F(GeneratorTest, CountsEveryRequestAsFailedWhereNothingListens) {
  const LoadResult result = run(plan_for(testing::closed_url(), evenly(50, 2ms)));

  EXPECT_EQ(result.measured.failed, 50U);
  EXPECT_EQ(result.measured.by_cause[static_cast<std::size_t>(FailureCause::connect)], 50U);
  EXPECT_EQ(result.measured.sent, 0U);
  EXPECT_EQ(count_of(RequestEnd::failed), 50U);
  EXPECT_EQ(log_.entries.at(0).sent, 0);
  ASSERT_TRUE(result.response_quantile(0.5));
  EXPECT_TRUE(result.response_quantile(0.5)->is_beyond);
}

TEST_F(GeneratorTest, OpensANewConnectionForEachAnswerThatClosesItsOwn) {
  ScriptedServer server([](Peer& peer) {
    if (peer.read_request()) {
      peer.write("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}");
    }
  });

  const LoadResult result = run(plan_for(server.url(), evenly(60, 5ms)));

  EXPECT_EQ(result.measured.answered, 60U);
  EXPECT_GE(result.measured.connections_opened, 60U);
}

TEST_F(GeneratorTest, FailsARequestWhoseConnectionBreaksAndGoesOnWithOthers) {
  std::atomic<int> requests = 0;
  ScriptedServer server([&](Peer& peer) {
    while (peer.read_request()) {
      const int number = requests.fetch_add(1);
      if (number % 5 == 0) return;  // Closes without a byte: nothing is sent again.
      if (number % 5 == 1) return peer.write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf");
      peer.write(number % 5 == 2 ? "HTTP/1.1 abc\r\n\r\n" : ok("{}"));
    }
  });

  const LoadResult result = run(plan_for(server.url(), evenly(50, 5ms)));

  EXPECT_EQ(requests.load(), 50);
  EXPECT_EQ(result.measured.answered, 20U);
  EXPECT_EQ(result.measured.by_cause[static_cast<std::size_t>(FailureCause::closed)], 20U);
  EXPECT_EQ(result.measured.by_cause[static_cast<std::size_t>(FailureCause::protocol)], 10U);
}

TEST_F(GeneratorTest, ReadsChunkedAndSlowAnswersToTheirEnd) {
  ScriptedServer server([](Peer& peer) {
    while (peer.read_request()) {
      peer.write("HTTP/1.1 201 Created\r\nTransfer-Enc");
      std::this_thread::sleep_for(20ms);
      peer.write("oding: chunked\r\n\r\n3\r\nab");
      std::this_thread::sleep_for(20ms);
      peer.write("c\r\n0\r\n\r");
      std::this_thread::sleep_for(20ms);
      peer.write("\n");
    }
  });

  const LoadResult result = run(plan_for(server.url(), evenly(20, 10ms)));

  EXPECT_EQ(result.measured.by_status[201], 20U);
  EXPECT_GE(result.measured.response.min(), 59ms);
}

TEST_F(GeneratorTest, TakesAnAnswerThatEndsWithItsConnection) {
  ScriptedServer server([](Peer& peer) {
    if (peer.read_request()) peer.write("HTTP/1.1 200 OK\r\n\r\nto the end");
  });

  EXPECT_EQ(run(plan_for(server.url(), evenly(20, 5ms))).measured.by_status[200], 20U);
}

TEST_F(GeneratorTest, LeavesWhatIsNeverAnsweredUnansweredAtTheDeadline) {
  ScriptedServer server([](Peer& peer) {
    while (peer.read_request()) {
    }
  });
  LoadPlan plan = plan_for(server.url(), evenly(30, 10ms));
  plan.drain = 2s;
  plan.connections_max = 20;

  const LoadResult result = run(plan);

  EXPECT_EQ(result.measured.unanswered, 30U);
  EXPECT_EQ(result.measured.sent, 20U);  // Ten never got a connection: they count all the same.
  EXPECT_EQ(result.measured.censored.max(), 2290ms);  // 290 ms + 2 s - 0
  EXPECT_EQ(result.measured.censored.min(), 2s);
  EXPECT_TRUE(result.response_quantile(0.01)->is_beyond);
}

TEST_F(GeneratorTest, TellsTheTimeARequestWaitedForAConnectionApart) {
  ScriptedServer server([](Peer& peer) {
    while (peer.read_request()) {
      std::this_thread::sleep_for(50ms);
      peer.write(ok("{}"));
    }
  });
  LoadPlan plan = plan_for(server.url(), evenly(20, 10ms));  // Wants 5 connections, gets 2.
  plan.connections_max = 2;

  const LoadResult result = run(plan);

  EXPECT_EQ(result.measured.answered, 20U);
  EXPECT_EQ(result.measured.in_flight_max, 2U);
  EXPECT_EQ(result.measured.connections_opened, 2U);
  EXPECT_GE(result.measured.blocked.count(), 10U);
  EXPECT_GE(result.measured.blocked.max(), 200ms);
  EXPECT_GE(result.measured.response.max(), 250ms);
  for (const RequestEntry& entry : log_.entries) {
    EXPECT_LE(entry.intended, entry.connection_free);
    EXPECT_LE(entry.connection_free, entry.sent);
    EXPECT_LT(entry.sent, entry.answered);
  }
}

// What a server saw of one request, without the parts that differ between runs.
struct Seen {
  std::string line;
  std::string token;
  std::string body;
  Nanos intended{0};  // From the start.

  auto operator<=>(const Seen&) const = default;
};

TEST_F(GeneratorTest, SendsTheSameRequestsFromTwoShardsAsFromOne) {
  std::mutex mutex;
  std::map<std::uint64_t, Seen> seen;
  TimePoint start;
  const base::ClockAnchor anchor = base::ClockAnchor::take();
  ScriptedServer server([&](Peer& peer) {
    while (const auto request = peer.read_request()) {
      const auto stamp = base::parse_stamp(testing::header(*request, "traceparent"),
                                           testing::header(*request, "tracestate"));
      ASSERT_TRUE(stamp && stamp->intended);
      EXPECT_EQ(stamp->trial, 42U);
      {
        const std::scoped_lock lock(mutex);
        seen[stamp->request] = {
            testing::first_line(*request), testing::header(*request, "authorization"),
            testing::body_of(*request), anchor.from_unix(*stamp->intended) - start};
      }
      peer.write(ok("{}"));
    }
  });
  const auto actions = traffic::make_actions(100, {.seed = 3, .users = 7, .steps_per_order = 4});
  const std::vector<std::string> tokens = {"a", "b", "c", "d", "e", "f", "g"};
  LoadPlan plan = plan_for(server.url(), evenly(100, 2ms));
  plan.get_path.clear();
  plan.actions = actions;
  plan.tokens = tokens;
  plan.trial = 42;
  plan.first_request = 1000;
  plan.anchor = anchor;
  const auto seen_with = [&](unsigned shards) {
    plan.shards = shards;
    plan.start = start = base::now() + 100ms;
    const LoadResult result = run(plan);
    EXPECT_EQ(result.measured.answered, 100U);
    EXPECT_EQ(result.shards.size(), shards);
    return std::exchange(seen, {});
  };

  const auto one = seen_with(1);
  const auto two = seen_with(2);

  ASSERT_EQ(one.size(), 100U);
  EXPECT_EQ(one, two);
  EXPECT_EQ(one.begin()->first, 1000U);
  EXPECT_TRUE(std::ranges::any_of(one, [](const auto& entry) {
    return entry.second.line == "POST /api/v1/orders HTTP/1.1" &&
           entry.second.body.starts_with(R"({"orderItems":[{"productId":)");
  }));
}

TEST_F(GeneratorTest, DrainsWhenItIsToldToStopSoon) {
  std::atomic<unsigned> requests = 0;
  ScriptedServer server([&](Peer& peer) {
    while (peer.read_request()) {
      ++requests;
      std::this_thread::sleep_for(100ms);
      peer.write(ok("{}"));
    }
  });
  const LoadPlan plan = plan_for(server.url(), evenly(3000, 10ms));
  Generator generator(plan);
  const std::jthread stopper([&] {
    EXPECT_TRUE(eventually([&] { return requests >= 10; }));
    generator.stop_soon();
  });

  const LoadResult result = run(generator, plan);

  EXPECT_LT(result.seconds(), 25.0);
  EXPECT_GE(result.measured.intended, 10U);
  EXPECT_LT(result.measured.intended, 3000U);
  EXPECT_EQ(result.measured.answered, result.measured.intended);
  EXPECT_LT(result.completeness(), 0.999);
  const auto gates = result.gates();
  EXPECT_TRUE(std::ranges::any_of(gates, [](const Gate& gate) {
    return gate.name == "came due and was tried" && !gate.passed;
  }));
}

TEST_F(GeneratorTest, GivesUpAtOnceWhenItIsToldToStopNow) {
  std::atomic<unsigned> requests = 0;
  ScriptedServer server([&](Peer& peer) {
    while (peer.read_request()) ++requests;
  });
  LoadPlan plan = plan_for(server.url(), evenly(3000, 10ms));
  plan.drain = 60s;
  Generator generator(plan);
  const std::jthread stopper([&] {
    EXPECT_TRUE(eventually([&] { return requests >= 10; }));
    generator.stop_soon();
    std::this_thread::sleep_for(200ms);
    generator.stop_now();
  });

  const LoadResult result = run(generator, plan);

  EXPECT_LT(result.seconds(), 25.0);
  EXPECT_GE(result.measured.unanswered, 10U);
  EXPECT_EQ(result.measured.answered, 0U);
}

TEST_F(GeneratorTest, DropsConnectionsThatTheServerClosedWhileTheyWereIdle) {
  ScriptedServer server([](Peer& peer) {
    if (peer.read_request()) peer.write(ok("{}"));  // Then closes, without having said so.
  });

  const LoadResult result = run(plan_for(server.url(), evenly(15, 100ms)));

  EXPECT_EQ(result.measured.answered, 15U);
  EXPECT_EQ(result.measured.failed, 0U);
}

TEST_F(GeneratorTest, ReportsProgressWhoseIntervalsAddUpToTheWhole) {
  ScriptedServer server(answer_all);
  const LoadPlan plan = plan_for(server.url(), evenly(350, 10ms));
  std::uint64_t answers = 0;
  std::vector<LoadProgress> reports;
  const auto caller = std::this_thread::get_id();

  Generator generator(plan);
  const auto result = generator.run(nullptr, [&](const LoadProgress& progress) {
    EXPECT_EQ(std::this_thread::get_id(), caller);
    answers += progress.response->count();
    reports.push_back(progress);
  });

  ASSERT_TRUE(result);
  ASSERT_GE(reports.size(), 2U);
  EXPECT_EQ(answers, 350U);
  EXPECT_EQ(reports.back().answered, 350U);
  EXPECT_EQ(reports.back().intended, 350U);
  EXPECT_EQ(reports.back().in_flight, 0U);
  EXPECT_TRUE(std::ranges::is_sorted(reports, {}, &LoadProgress::sent));
  EXPECT_EQ(reports.back().late, result->measured.late);
  EXPECT_GT(reports.front().cpu_share_max, 0);
  EXPECT_LE(reports.front().cpu_share_max, 1.05);  // One thread.
}

TEST_F(GeneratorTest, RefusesAPlanThatDoesNotFitBeforeAnythingIsSent) {
  LoadPlan plan = plan_for(testing::closed_url(), evenly(3, 1ms));
  plan.shards = 0;

  const auto result = Generator(plan).run(nullptr, {});

  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, base::Errc::config);
}

TEST(LoadResult, FailsTheGateWhoseLimitIsPassed) {
  LoadResult result;
  result.planned = 1000;
  result.measured.intended = result.measured.sent = result.measured.answered = 1000;
  result.end = result.start + 10s;
  result.shards = {{.cpu = 1s, .wall = 10s, .priority = ""}};
  for (int i = 0; i < 1000; ++i) {
    result.measured.response.record(100ms);
    result.measured.start_error.record(i < 900 ? 100us : 1900us);
  }
  result.measured.in_flight_integral_ns = result.measured.service_sum_ns = 1e9;
  const auto failed = [&] {
    std::vector<std::string> names;
    for (const Gate& gate : result.gates()) {
      if (!gate.passed) names.push_back(gate.name);
    }
    return names;
  };
  EXPECT_THAT(failed(), ::testing::IsEmpty());  // 2 % of 100 ms is above 1.9 ms.

  result.measured.response.reset();
  result.measured.response.record_n(10ms, 1000);
  EXPECT_THAT(failed(), ::testing::ElementsAre("start error p99"));
  result.measured.late = 2;
  result.measured.service_sum_ns = 1.03e9;
  result.shards[0].cpu = 8s;
  result.steal_share = 0.02;
  result.clock_step = -8ms;
  result.planned = 1002;
  EXPECT_EQ(failed().size(), result.gates().size());
}

}  // namespace
}  // namespace flow::loadtest

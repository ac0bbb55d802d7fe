// The closed modes against real sockets. Times are asserted with room for a busy machine; counts
// exactly.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/stamp.hpp"
#include "loadtest/customer.hpp"
#include "loadtest/generator.hpp"
#include "loadtest/tests/scripted_server.hpp"

namespace flow::loadtest {
namespace {

using namespace std::chrono_literals;
using testing::eventually;
using testing::ok;
using testing::Peer;
using testing::ScriptedServer;
using traffic::ActionKind;
using traffic::Mode;
using traffic::VisitPlan;
using traffic::VisitSpec;

constexpr std::uint64_t trial = 0xa1;

struct Log final : RequestSink {
  void on_request(const RequestEntry& entry) override { entries.push_back(entry); }
  std::vector<RequestEntry> entries;
};

// Customers who think for 20 ms and more, so that a second holds several steps.
VisitSpec quick(Mode mode, std::uint32_t ticks) {
  VisitSpec spec;
  spec.mode = mode;
  spec.shape = {.ticks = ticks, .tick = 100ms, .requests_per_second = 200, .seed = 5};
  spec.users = 20;
  spec.think.pareto.xm_seconds = 0.02;
  return spec;
}

std::vector<std::string> tokens_for(std::uint32_t users) {
  std::vector<std::string> tokens;
  for (std::uint32_t user = 0; user < users; ++user) tokens.push_back(fmt::format("t{}", user));
  return tokens;
}

class VisitsTest : public ::testing::Test {
 protected:
  LoadPlan plan_for(const net::HttpUrl& url, const VisitSpec& spec) {
    auto made = traffic::make_visits(spec);
    EXPECT_TRUE(made) << made.error().what;
    visits_ = std::move(*made);
    tokens_ = tokens_for(spec.users);
    LoadPlan plan;
    plan.base = url;
    plan.visits = &visits_;
    plan.tokens = tokens_;
    plan.trial = trial;
    plan.first_request = 1000;
    plan.drain = 5s;
    return plan;
  }
  LoadResult run(const LoadPlan& plan) {
    Generator generator(plan);
    return run(generator, plan);
  }
  // What holds for every run: numbers without holes, and the sums.
  LoadResult run(Generator& generator, const LoadPlan& plan) {
    log_.entries.clear();
    const auto result = generator.run(&log_, {});
    EXPECT_TRUE(result);
    if (!result) return {};
    EXPECT_TRUE(result->measured.conserves());
    EXPECT_LT(result->littles_law_gap(), 0.02);
    std::set<std::uint64_t> numbers;
    for (const RequestEntry& entry : log_.entries) {
      EXPECT_TRUE(numbers.insert(entry.request).second);
      if (entry.sent != 0) {
        EXPECT_LE(entry.intended, entry.sent);
        EXPECT_LE(entry.sent, entry.answered);
      }
    }
    EXPECT_EQ(numbers.size(), result->measured.intended);
    EXPECT_EQ(*numbers.begin(), plan.first_request);
    EXPECT_EQ(*numbers.rbegin(), plan.first_request + numbers.size() - 1);
    return *result;
  }

  VisitPlan visits_;
  std::vector<std::string> tokens_;
  Log log_;
};

// Answers as the shop does; remembers what came on which connection.
class Shop {
 public:
  net::HttpUrl url() const { return server_.url(); }
  std::uint64_t requests() const { return requests_; }  // Read so far.
  std::vector<std::vector<std::string>> dialogues() {
    const std::scoped_lock lock(mutex_);
    return dialogues_;
  }

 private:
  void serve(Peer& peer) {
    std::vector<std::string> requests;
    while (const auto request = peer.read_request()) {
      ++requests_;
      requests.push_back(*request);
      const std::string line = testing::first_line(*request);
      if (line.starts_with("POST /api/v1/auth/signin")) {
        peer.write(ok(fmt::format(R"({{"token":"new {}","expiresIn":7200000}})",
                                  std::hash<std::string>{}(testing::body_of(*request)))));
      } else {
        peer.write(ok("{}"));
      }
    }
    const std::scoped_lock lock(mutex_);
    dialogues_.push_back(std::move(requests));
  }

  std::atomic<std::uint64_t> requests_ = 0;
  std::mutex mutex_;
  std::vector<std::vector<std::string>> dialogues_;
  ScriptedServer server_{[this](Peer& peer) { serve(peer); }};
};

TEST_F(VisitsTest, GiveEachCustomerOneConnectionAndHisOwnToken) {
  std::vector<std::vector<std::string>> dialogues;
  VisitSpec spec = quick(Mode::sessions, 10);
  spec.new_share = 0.25;
  LoadResult result;
  {
    Shop shop;
    const LoadPlan plan = plan_for(shop.url(), spec);
    result = run(plan);
    EXPECT_TRUE(eventually([&] { return shop.dialogues().size() >= visits_.visits.size(); }));
    dialogues = shop.dialogues();
  }

  EXPECT_EQ(result.measured.visits.arrived, visits_.visits.size());
  EXPECT_EQ(result.measured.connections_opened, visits_.visits.size());
  ASSERT_EQ(dialogues.size(), visits_.visits.size());
  std::size_t registered = 0;
  for (const auto& requests : dialogues) {
    if (requests.empty()) continue;  // A customer whose first pause did not end.
    std::string token = testing::header(requests.back(), "authorization");
    for (const std::string& request : requests) {
      const bool is_admission = testing::first_line(request).starts_with("POST /api/v1/auth/");
      EXPECT_EQ(testing::header(request, "authorization"), is_admission ? "" : token);
    }
    if (!testing::first_line(requests[0]).starts_with("POST /api/v1/auth/register")) {
      EXPECT_TRUE(token.starts_with("Bearer t"));
      continue;
    }
    ++registered;
    if (requests.size() < 3) continue;  // The run ended.
    const std::string sign_in = testing::body_of(requests[1]);
    EXPECT_EQ(token, fmt::format("Bearer new {}", std::hash<std::string>{}(sign_in)));
    EXPECT_THAT(sign_in, ::testing::HasSubstr("-of-00000000000000a1@flow.test"));
    EXPECT_THAT(testing::body_of(requests[0]),
                ::testing::HasSubstr(sign_in.substr(1, sign_in.size() - 2)));
  }
  EXPECT_EQ(registered, visits_.new_visits);
}

using Doings = std::map<std::uint32_t, std::vector<std::uint8_t>>;  // Actions by user.

TEST_F(VisitsTest, DoTheSameFromOneTwoAndFourShards) {
  Shop shop;
  VisitSpec spec = quick(Mode::closed, 15);
  const auto doings_with = [&](unsigned shards) {
    LoadPlan plan = plan_for(shop.url(), spec);
    plan.shards = shards;
    const LoadResult result = run(plan);
    EXPECT_EQ(result.shards.size(), shards);
    EXPECT_GT(result.measured.intended, 20U);  // More than one each.
    std::ranges::sort(log_.entries, {}, &RequestEntry::intended);
    Doings doings;
    for (const RequestEntry& entry : log_.entries) doings[entry.user].push_back(entry.action);
    return doings;
  };

  const Doings one = doings_with(1);

  for (const unsigned shards : {2U, 4U}) {
    std::ptrdiff_t compared = 0;
    for (const auto& [user, actions] : doings_with(shards)) {
      // How far a customer gets depends on the answers; what comes on the way does not.
      const auto other = one.find(user);
      if (other == one.end()) continue;
      const auto common = std::min(std::ssize(other->second), std::ssize(actions));
      EXPECT_TRUE(std::equal(actions.begin(), actions.begin() + common, other->second.begin()));
      compared += common;
    }
    EXPECT_GT(compared, 0);
  }
}

// Answers at once, but for what comes between two moments: that waits for the second.
class StallingServer {
 public:
  net::HttpUrl url() const { return server_.url(); }
  void stall(TimePoint from, TimePoint until) {
    from_ = from.time_since_epoch().count();
    until_ = until.time_since_epoch().count();
  }

 private:
  std::atomic<std::int64_t> from_ = 0;
  std::atomic<std::int64_t> until_ = 0;
  ScriptedServer server_{[this](Peer& peer) {
    while (peer.read_request()) {
      const TimePoint until{Nanos{until_.load()}};
      const TimePoint now = base::now();
      if (now >= TimePoint{Nanos{from_.load()}} && now < until)
        std::this_thread::sleep_until(until);
      peer.write(ok("{}"));
    }
  }};
};

TEST_F(VisitsTest, KeepOpeningSessionsWhileTheServerStalls) {
  StallingServer server;
  LoadPlan plan = plan_for(server.url(), quick(Mode::sessions, 25));
  plan.start = base::now() + 200ms;
  server.stall(*plan.start + 500ms, *plan.start + 1500ms);

  const LoadResult result = run(plan);

  std::size_t planned = 0;
  for (const traffic::Visit& visit : visits_.visits) {
    planned += visit.arrives >= 600ms && visit.arrives < 1400ms;
  }
  std::size_t waited = 0;
  for (const RequestEntry& entry : log_.entries) {
    const Nanos at = plan.anchor.from_unix(base::UnixNanos{entry.intended}) - *plan.start;
    waited += at >= 600ms && at < 1400ms && entry.answered - entry.intended >= 90'000'000;
  }
  EXPECT_GE(waited, planned);
  EXPECT_GT(planned, 5U);
  EXPECT_EQ(result.measured.visits.arrived, visits_.visits.size());
  EXPECT_GT(result.omitted_share(), 0);
}

TEST_F(VisitsTest, ShowWhatAPopulationOmitsThatWaitsForAnswers) {
  StallingServer server;
  VisitSpec spec = quick(Mode::population, 25);
  spec.users_min = 15;
  LoadPlan plan = plan_for(server.url(), spec);
  plan.start = base::now() + 200ms;
  server.stall(*plan.start + 200ms, *plan.start + 2200ms);

  const LoadResult result = run(plan);

  // 15 to 20 customers, of whom each is in the stall for 2 of 2.5 s.
  EXPECT_GT(result.omitted_share(), 0.5);
  EXPECT_LT(result.omitted_share(), 1);
  EXPECT_EQ(result.completeness(), 1.0);  // The generator kept its promise all the same.
  EXPECT_GE(result.measured.response.max(), 1s);
  EXPECT_GE(result.measured.visits.present_max, 15U);
}

TEST_F(VisitsTest, DrainAndCensorWhatIsNeverAnswered) {
  ScriptedServer server([](Peer& peer) {
    while (peer.read_request()) {
    }
  });
  VisitSpec spec = quick(Mode::closed, 10);
  spec.first_wait = traffic::FirstWait::none;
  LoadPlan plan = plan_for(server.url(), spec);
  plan.drain = 2s;

  const LoadResult result = run(plan);

  EXPECT_EQ(result.measured.unanswered, 20U);  // One each, and then nobody asks again.
  EXPECT_EQ(result.measured.censored.max(), 3s);
  EXPECT_EQ(result.measured.visits.cut, 20U);
  EXPECT_GT(result.omitted_share(), 0.9);
  EXPECT_TRUE(result.response_quantile(0.01)->is_beyond);
}

TEST_F(VisitsTest, EndAVisitWhoseSignInHasNoToken) {
  ScriptedServer server([](Peer& peer) {
    while (peer.read_request()) peer.write(ok("<html>"));
  });
  VisitSpec spec = quick(Mode::closed, 20);
  spec.new_share = 1;
  const LoadPlan plan = plan_for(server.url(), spec);

  const LoadResult result = run(plan);

  EXPECT_GT(result.measured.visits.turned_away, 0U);
  EXPECT_EQ(result.measured.by_cause[static_cast<std::size_t>(FailureCause::protocol)],
            result.measured.visits.turned_away);
  EXPECT_EQ(result.measured.failed + result.measured.answered, result.measured.intended);
}

TEST_F(VisitsTest, LeaveWhenTheRunIsToldToStop) {
  Shop shop;
  const LoadPlan plan = plan_for(shop.url(), quick(Mode::closed, 300));
  Generator generator(plan);
  const std::jthread stopper([&] {
    EXPECT_TRUE(eventually([&] { return shop.requests() >= 60; }));
    generator.stop_soon();
  });

  const LoadResult result = run(generator, plan);

  EXPECT_LT(result.seconds(), 25);
  EXPECT_GE(result.measured.intended, 60U);
  EXPECT_EQ(result.measured.answered, result.measured.intended);
  EXPECT_LT(result.completeness(), 0.9);
  EXPECT_EQ(result.measured.visits.cut, 20U);
}

TEST_F(VisitsTest, TellHowManyCustomersArePresent) {
  Shop shop;
  const LoadPlan plan = plan_for(shop.url(), quick(Mode::closed, 35));
  std::vector<LoadProgress> reports;

  const auto result =
      Generator(plan).run(nullptr, [&](const LoadProgress& p) { reports.push_back(p); });

  ASSERT_TRUE(result);
  ASSERT_GE(reports.size(), 2U);
  EXPECT_TRUE(reports[0].is_closed);
  EXPECT_EQ(reports[0].present, 20U);
  EXPECT_EQ(reports.back().present, 0U);
  EXPECT_EQ(reports[0].planned_duration, 3500ms);
}

TEST_F(VisitsTest, ArePartOfAPlanThatFitsTogether) {
  const auto what = [this](auto&& change) {
    LoadPlan plan = plan_for(testing::closed_url(), quick(Mode::closed, 5));
    change(plan);
    const auto checked = check_plan(plan);
    EXPECT_FALSE(checked);
    return checked ? std::string() : checked.error().what;
  };
  using ::testing::HasSubstr;
  const std::vector<Nanos> times = {1ms};
  EXPECT_THAT(what([&](LoadPlan& plan) { plan.intended = times; }),
              HasSubstr("either a schedule or visits"));
  EXPECT_THAT(what([](LoadPlan& plan) { plan.connections_max = 19; }),
              HasSubstr("connections 19: expected one for each of the 20 customers"));
  EXPECT_THAT(what([](LoadPlan& plan) { plan.tokens = plan.tokens.first(3); }),
              HasSubstr("user 3 has no token, 3 are signed in"));
  EXPECT_THAT(what([this](LoadPlan& plan) {
                plan.tokens = {};
                visits_.new_visits = 1;
              }),
              HasSubstr("user 0 has no token"));
  EXPECT_THAT(what([](LoadPlan& plan) { plan.get_path = "no slash"; }), HasSubstr("path"));
}

}  // namespace
}  // namespace flow::loadtest

// SPDX-License-Identifier: Apache-2.0
#include "loadtest/session.hpp"

#include <map>
#include <mutex>
#include <set>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/stamp.hpp"
#include "loadtest/tests/scripted_server.hpp"
#include "traffic/actions.hpp"

namespace flow::loadtest {
namespace {

using namespace std::chrono_literals;
using testing::body_of;
using testing::first_line;
using ::testing::HasSubstr;
using testing::ok;
using testing::Peer;
using testing::ScriptedServer;

// Answers as the shop does; remembers what it was asked, by request number.
class ScriptedShop {
 public:
  // Returns the answer to send instead of the shop's own, or nothing.
  using Override = std::function<std::optional<std::string>(const std::string& request)>;

  explicit ScriptedShop(int products = 0, Override instead = {})
      : products_(products), instead_(std::move(instead)) {}

  net::HttpUrl url() const { return server_.url(); }
  std::map<std::uint64_t, std::string> requests() {
    const std::scoped_lock lock(mutex_);
    return requests_;
  }

 private:
  void serve(Peer& peer) {
    while (const auto request = peer.read_request()) {
      const auto stamp = base::parse_stamp(testing::header(*request, "traceparent"),
                                           testing::header(*request, "tracestate"));
      const std::scoped_lock lock(mutex_);
      ASSERT_TRUE(stamp);
      EXPECT_TRUE(requests_.emplace(stamp->request, *request).second);
      auto answer = instead_ ? instead_(*request) : std::nullopt;
      peer.write(answer ? *answer : answer_to(*request));
    }
  }
  std::string answer_to(const std::string& request) {
    const std::string line = first_line(request);
    if (line == "POST /api/v1/auth/signin HTTP/1.1") {
      return ok(fmt::format(R"({{"token":"token for {}","expiresIn":7200000}})",
                            std::hash<std::string>{}(body_of(request))));
    }
    if (line == "GET /api/v1/products HTTP/1.1") {
      std::string list;
      for (int id = 1; id <= products_; ++id) {
        list += fmt::format(R"({}{{"id":{}}})", id == 1 ? "" : ",", id);
      }
      return ok("[" + list + "]");
    }
    if (line == "POST /api/v1/products/ HTTP/1.1") {
      return ok(fmt::format(R"({{"id":{},"name":"x"}})", ++products_), 201);
    }
    if (line == "POST /api/v1/auth/register HTTP/1.1") return ok(R"({"user":{"id":2}})");
    return ok("{}", 404);
  }

  int products_;
  Override instead_;
  std::mutex mutex_;
  std::map<std::uint64_t, std::string> requests_;
  ScriptedServer server_{[this](Peer& peer) { serve(peer); }};
};

struct Log final : RequestSink {
  void on_request(const RequestEntry& entry) override { entries.push_back(entry); }
  std::vector<RequestEntry> entries;
};

SessionPlan plan_for(const net::HttpUrl& url) {
  SessionPlan plan;
  plan.base = url;
  plan.admin_email = "admin@flow.test";
  plan.admin_password = "secret";
  plan.users = 9;
  plan.trial = 0xa1;
  plan.first_request = 5;
  plan.request_deadline = 20s;
  return plan;
}

TEST(Session, MakesTenProductsAndATokenForEachUserWithEveryRequestLoggedOnce) {
  ScriptedShop shop;
  Log log;
  std::uint64_t done = 0;

  const auto session = open_session(plan_for(shop.url()), &log,
                                    [&](std::uint64_t now, std::uint64_t) { done = now; });

  ASSERT_TRUE(session) << session.error().what;
  const auto requests = shop.requests();
  constexpr std::size_t count = 2 + 10 + 2 * 9;
  EXPECT_EQ(session->requests, count);
  EXPECT_EQ(done, count);
  EXPECT_EQ(session->next_request, 5 + count);
  ASSERT_EQ(requests.size(), count);
  EXPECT_EQ(requests.begin()->first, 5U);
  EXPECT_EQ(requests.rbegin()->first, 5 + count - 1);
  EXPECT_EQ(std::set(session->tokens.begin(), session->tokens.end()).size(), 9U);
  EXPECT_THAT(requests.at(5), HasSubstr(R"({"email":"admin@flow.test","password":"secret"})"));
  EXPECT_THAT(requests.at(7), HasSubstr(R"("name":"Product 1","price":)"));
  EXPECT_THAT(requests.at(17), HasSubstr("user-0-of-00000000000000a1@flow.test"));

  ASSERT_EQ(log.entries.size(), count);
  for (const RequestEntry& entry : log.entries) {
    SCOPED_TRACE(entry.request);
    EXPECT_EQ(entry.end, RequestEnd::answered);
    EXPECT_LE(entry.intended, entry.sent);
    EXPECT_LE(entry.sent, entry.answered);
    EXPECT_THAT(requests.at(entry.request),
                HasSubstr(fmt::format("tracestate: flow={}\r\n", entry.intended)));
  }
  const auto logged = [&](traffic::ActionKind kind) {
    return std::ranges::count(log.entries, static_cast<std::uint8_t>(kind), &RequestEntry::action);
  };
  EXPECT_EQ(logged(traffic::ActionKind::create_product), 10);
  EXPECT_EQ(logged(traffic::ActionKind::register_user), 9);
  EXPECT_EQ(logged(traffic::ActionKind::sign_in), 10);
}

TEST(Session, UsesTheProductsThatAreThereAlready) {
  ScriptedShop shop(/*products=*/10);

  const auto session = open_session(plan_for(shop.url()), nullptr);

  ASSERT_TRUE(session) << session.error().what;
  EXPECT_EQ(session->requests, 2U + 2 * 9);
}

TEST(Session, NamesTheRequestAndTheAnswerThatItDidNotWant) {
  ScriptedShop taken(0, [](const std::string& request) -> std::optional<std::string> {
    if (request.find("user-3-of") == std::string::npos) return {};
    return ok(R"({"title":"Resource conflict"})", 409);
  });
  Log log;
  const auto session = open_session(plan_for(taken.url()), &log);
  ASSERT_FALSE(session);
  EXPECT_EQ(session.error().code, base::Errc::refused);
  EXPECT_EQ(session.error().what,
            "register user 3: POST /auth/register: expected 200, the answer was 409 "
            R"({"title":"Resource conflict"})");
  EXPECT_TRUE(std::ranges::any_of(log.entries, [](const auto& e) { return e.status == 409; }));

  ScriptedShop wrong_id(0, [](const std::string& request) -> std::optional<std::string> {
    if (first_line(request).starts_with("POST /api/v1/products/")) return ok(R"({"id":11})", 201);
    return {};
  });
  const auto wrong = open_session(plan_for(wrong_id.url()), nullptr);
  ASSERT_FALSE(wrong);
  EXPECT_THAT(wrong.error().what, HasSubstr("create product 1: POST /products/: got id 11"));

  ScriptedShop no_token(0, [](const std::string& request) -> std::optional<std::string> {
    if (first_line(request).starts_with("POST /api/v1/auth/signin")) return ok("<html>");
    return {};
  });
  const auto none = open_session(plan_for(no_token.url()), nullptr);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, base::Errc::protocol);
  EXPECT_THAT(none.error().what, HasSubstr("sign in the admin: POST /auth/signin"));
}

TEST(Session, CallsAnAdminThatTheShopDoesNotKnowTheOperatorsMistake) {
  ScriptedShop shop(0, [](const std::string&) { return ok(R"({"title":"no"})", 401); });

  const auto session = open_session(plan_for(shop.url()), nullptr);

  ASSERT_FALSE(session);
  EXPECT_EQ(session.error().code, base::Errc::config);
  EXPECT_THAT(session.error().what, HasSubstr("sign in the admin"));
}

TEST(Session, GivesUpOnAShopThatDoesNotAnswerInTime) {
  ScriptedServer silent([](Peer& peer) {
    while (peer.read_request()) {
    }
  });
  SessionPlan plan = plan_for(silent.url());
  plan.request_deadline = 2s;
  Log log;

  const auto session = open_session(plan, &log);

  ASSERT_FALSE(session);
  EXPECT_EQ(session.error().code, base::Errc::timed_out);
  EXPECT_EQ(session.error().what, "sign in the admin: POST /auth/signin: no answer in time");
  ASSERT_EQ(log.entries.size(), 1U);
  EXPECT_EQ(log.entries[0].end, RequestEnd::unanswered);
}

TEST(Session, SaysThatNothingListens) {
  const auto session = open_session(plan_for(testing::closed_url()), nullptr);

  ASSERT_FALSE(session);
  EXPECT_EQ(session.error().code, base::Errc::io);
  EXPECT_THAT(session.error().what, HasSubstr("Connection refused"));
}

TEST(Session, StopsBetweenTwoUsersWhenItIsCancelled) {
  ScriptedShop shop;

  const auto session = open_session(plan_for(shop.url()), nullptr, {}, [] { return true; });

  ASSERT_FALSE(session);
  EXPECT_EQ(session.error().code, base::Errc::cancelled);
}

TEST(Session, RefusesAPlanWithoutUsersOrAdmin) {
  SessionPlan plan = plan_for(testing::closed_url());
  plan.users = 0;
  EXPECT_EQ(open_session(plan, nullptr).error().code, base::Errc::config);
  plan = plan_for(testing::closed_url());
  plan.admin_password.clear();
  EXPECT_EQ(open_session(plan, nullptr).error().code, base::Errc::config);
}

}  // namespace
}  // namespace flow::loadtest

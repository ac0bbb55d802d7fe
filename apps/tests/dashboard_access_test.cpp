// SPDX-License-Identifier: Apache-2.0
#include "apps/dashboard_access.hpp"

#include <chrono>
#include <set>

#include <gtest/gtest.h>

namespace flow::apps {
namespace {

using namespace std::chrono_literals;

net::HttpRequest request_with(std::string_view header, std::string_view value) {
  net::HttpRequest request;
  request.headers.add(header, value);
  return request;
}

TEST(DashboardAccess, AsksForNoTokenWhereThereIsNone) {
  const DashboardAccess access("");

  EXPECT_TRUE(access.has_token({}));
}

TEST(DashboardAccess, TakesTheTokenAsABearerAndNothingElse) {
  const DashboardAccess access("0123456789abcdef");

  EXPECT_TRUE(access.has_token(request_with("authorization", "Bearer 0123456789abcdef")));
  EXPECT_FALSE(access.has_token({}));
  for (const auto* value : {"", "Bearer", "Bearer ", "Bearer 0123456789abcdeg", "0123456789abcdef",
                            "Bearer 0123456789abcde", "Bearer 0123456789abcdef0",
                            "Basic 0123456789abcdef", "Bearer  0123456789abcdef"}) {
    EXPECT_FALSE(access.has_token(request_with("Authorization", value))) << value;
  }
}

// Otherwise a page of another site could ask under a name that it lets lead here.
TEST(DashboardAccess, AnswersWithoutATokenToNamesOfThisMachineOnly) {
  const DashboardAccess access("");

  for (const auto* host : {"localhost", "LOCALHOST:7140", "127.0.0.1", "127.0.0.1:7140",
                           "127.0.0.2", "[::1]", "[::1]:7140"}) {
    EXPECT_TRUE(access.is_own_host(request_with("Host", host))) << host;
  }
  for (const auto* host :
       {"", "evil.example", "evil.example:7140", "localhost.evil.example", "[", "[]",
        "127.0.0.1.evil.example", "10.0.0.1", "[::2]:7140", "127.0.0.1@evil"}) {
    EXPECT_FALSE(access.is_own_host(request_with("Host", host))) << host;
  }
}

TEST(DashboardAccess, AnswersToAnyNameWhereATokenIsAskedFor) {
  const DashboardAccess access("0123456789abcdef");

  EXPECT_TRUE(access.is_own_host(request_with("Host", "lab.example:7140")));
}

TEST(DashboardAccess, MakesSecretsThatDiffer) {
  std::set<std::string> secrets;
  for (int i = 0; i < 1000; ++i) secrets.insert(make_secret());

  EXPECT_EQ(secrets.size(), 1000u);
  EXPECT_EQ(secrets.begin()->size(), 22u);  // 128 bits.
}

TEST(DashboardAccess, GivesATicketForOneLookAtOneReportWithinHalfAMinute) {
  DashboardAccess access("0123456789abcdef");
  const base::TimePoint now{};
  const auto ticket = access.make_ticket("a", now);
  const auto late = access.make_ticket("a", now);
  const auto other = access.make_ticket("b", now);

  EXPECT_FALSE(access.take_ticket("", "a", now));
  EXPECT_FALSE(access.take_ticket("nonsense", "a", now));
  EXPECT_FALSE(access.take_ticket(other, "a", now));
  EXPECT_TRUE(access.take_ticket(ticket, "a", now + 29s));
  EXPECT_FALSE(access.take_ticket(ticket, "a", now + 29s));
  EXPECT_FALSE(access.take_ticket(late, "a", now + 30s));
}

TEST(DashboardAccess, KeepsABoundedNumberOfTickets) {
  DashboardAccess access("0123456789abcdef");
  const base::TimePoint now{};
  const auto first = access.make_ticket("a", now);
  std::string last;
  for (int i = 1; i <= 32; ++i) last = access.make_ticket("a", now + i * 1ms);

  EXPECT_FALSE(access.take_ticket(first, "a", now));
  EXPECT_TRUE(access.take_ticket(last, "a", now));
}

}  // namespace
}  // namespace flow::apps

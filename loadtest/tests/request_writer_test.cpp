// SPDX-License-Identifier: Apache-2.0
#include "loadtest/request_writer.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/stamp.hpp"
#include "loadtest/plan.hpp"

namespace flow::loadtest {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::uint64_t trial = 0xa1b2;
const net::HttpUrl shop{.host = "127.0.0.1", .port = 8082, .path = ""};

std::string field_of(const std::string& request, const std::string& name) {
  const std::size_t begin = request.find("\r\n" + name + ": ");
  if (begin == std::string::npos) return {};
  const std::size_t value = begin + name.size() + 4;
  return request.substr(value, request.find("\r\n", value) - value);
}

TEST(RequestWriter, StampsARequestSoThatTheNextHopCanReadIt) {
  const RequestWriter writer(shop, trial);
  const base::UnixNanos intended{1'795'381'784'066'123'456};
  std::string request;

  writer.write_view_product(request, {77, intended}, "the.token", 10);

  const auto stamp =
      base::parse_stamp(field_of(request, "traceparent"), field_of(request, "tracestate"));
  ASSERT_TRUE(stamp);
  EXPECT_EQ(stamp->trial, trial);
  EXPECT_EQ(stamp->request, 77U);
  EXPECT_EQ(stamp->parent, parent_of(trial, 77));
  EXPECT_EQ(stamp->intended, intended);
  EXPECT_TRUE(request.starts_with("GET /api/v1/products/10 HTTP/1.1\r\nhost: 127.0.0.1:8082\r\n"));
  EXPECT_EQ(field_of(request, "authorization"), "Bearer the.token");
  EXPECT_TRUE(request.ends_with("\r\n\r\n"));
}

TEST(RequestWriter, GivesAnOrderALengthThatFitsItsBody) {
  const RequestWriter writer(shop, trial);
  std::string request;

  for (const unsigned quantity : {1U, 10U, 65535U}) {
    writer.write_place_order(request, {1, base::UnixNanos{5}}, "t", 65535, quantity);

    const std::string body = request.substr(request.find("\r\n\r\n") + 4);
    EXPECT_TRUE(request.starts_with("POST /api/v1/orders HTTP/1.1\r\n"));
    EXPECT_EQ(field_of(request, "content-length"), std::to_string(body.size()));
    EXPECT_EQ(body, R"({"orderItems":[{"productId":65535,"quantity":)" + std::to_string(quantity) +
                        "}]}");
  }
}

TEST(RequestWriter, PutsTheShopsPathAfterTheBasePathOnce) {
  std::string request;
  const base::UnixNanos at{5};
  for (const std::string path : {"", "/api/v1"}) {
    const RequestWriter writer({.host = "h", .port = 1, .path = path}, trial);
    writer.write_list_products(request, {1, at}, "t");
    EXPECT_TRUE(request.starts_with("GET /api/v1/products HTTP/1.1\r\n")) << request;
  }
  const RequestWriter behind_a_proxy({.host = "h", .port = 1, .path = "/shop"}, trial);
  behind_a_proxy.write_post(request, {1, at}, "", "/auth/signin", "{}");
  EXPECT_TRUE(request.starts_with("POST /shop/api/v1/auth/signin HTTP/1.1\r\n")) << request;
  EXPECT_THAT(request, Not(HasSubstr("authorization")));
  behind_a_proxy.write_get(request, {1, at}, "/index.html");
  EXPECT_TRUE(request.starts_with("GET /shop/index.html HTTP/1.1\r\n")) << request;
}

TEST(RequestWriter, GivesEachRequestAParentThatIsNotZero) {
  for (std::uint64_t request = 1; request < 1000; ++request) {
    EXPECT_NE(parent_of(trial, request), 0U);
    EXPECT_NE(parent_of(trial, request), parent_of(trial, request + 1));
  }
}

TEST(LoadPlan, IsRefusedWithASentenceWhenItsPartsDoNotFit) {
  const std::vector<Nanos> intended = {Nanos{1}, Nanos{2}};
  const std::vector<traffic::Action> actions(2, {traffic::ActionKind::list_products, 3});
  const std::vector<traffic::Action> sign_ins(2, {traffic::ActionKind::sign_in, 0});
  const std::vector<Nanos> unsorted = {Nanos{2}, Nanos{1}};
  const std::vector<std::string> tokens(4, "t");
  const auto plan = [&] {
    LoadPlan good;
    good.base = shop;
    good.intended = intended;
    good.actions = actions;
    good.tokens = tokens;
    return good;
  };
  const auto error_of = [](const LoadPlan& bad) {
    const auto checked = check_plan(bad);
    return checked ? "" : checked.error().what;
  };
  ASSERT_EQ(error_of(plan()), "");

  auto bad = plan();
  bad.actions = std::span(actions).first(1);
  EXPECT_THAT(error_of(bad), HasSubstr("1 actions for 2 slots"));
  bad = plan();
  bad.actions = sign_ins;
  EXPECT_THAT(error_of(bad), HasSubstr("cannot send 'sign_in'"));
  bad = plan();
  bad.tokens = std::span(tokens).first(3);
  EXPECT_THAT(error_of(bad), HasSubstr("user 3 has no token"));
  bad = plan();
  bad.intended = unsorted;
  EXPECT_THAT(error_of(bad), HasSubstr("not sorted"));
  bad = plan();
  bad.shards = 0;
  EXPECT_THAT(error_of(bad), HasSubstr("shards 0"));
  bad = plan();
  bad.shards = 3;
  bad.connections_max = 2;
  EXPECT_THAT(error_of(bad), HasSubstr("connections 2"));
  bad = plan();
  bad.trial = 0;
  EXPECT_NE(error_of(bad), "");
  bad = plan();
  bad.get_path = "/a b";
  EXPECT_THAT(error_of(bad), HasSubstr("'/a b'"));
}

}  // namespace
}  // namespace flow::loadtest

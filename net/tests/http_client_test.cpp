// SPDX-License-Identifier: Apache-2.0
#include "net/http_client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/http_server.hpp"
#include "net/tests/raw_connection.hpp"

namespace flow::net {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;

Task<HttpResponse> echo(HttpRequest request) {
  HttpResponse response;
  response.status = 201;
  response.headers.add("X-Host", request.headers.get("host"));
  response.body = request.method + " " + request.target + " " + request.body;
  co_return response;
}

class HttpClientTest : public testing::Test {
 protected:
  HttpClientTest() { EXPECT_TRUE(server_.start()); }
  ~HttpClientTest() override {
    server_.stop();
    io_.stop();
  }

  HttpUrl url(std::string path = "") { return {"127.0.0.1", server_.port(), std::move(path)}; }

  IoThread io_{"server"};
  HttpServer server_{io_, {}, echo};
};

TEST_F(HttpClientTest, SendsMethodTargetAndBodyAndReadsTheAnswer) {
  HttpRequest request;
  request.method = "PUT";
  request.target = "/topics";
  request.body = "6";

  const auto answer = http_request_blocking(url("/admin"), std::move(request), base::now() + 20s);

  ASSERT_TRUE(answer) << answer.error().what;
  EXPECT_EQ(answer->status, 201);
  EXPECT_EQ(answer->body, "PUT /admin/topics 6");
  EXPECT_EQ(answer->headers.get("x-host"), url().authority());
}

TEST_F(HttpClientTest, AsksForTheRootWhenNothingElseIsSaid) {
  const auto answer = http_request_blocking(url(), {}, base::now() + 20s);

  ASSERT_TRUE(answer) << answer.error().what;
  EXPECT_EQ(answer->body, "GET / ");
}

TEST_F(HttpClientTest, ReadsAHeadAnswerWithoutWaitingForABody) {
  HttpRequest request;
  request.method = "HEAD";

  const auto answer = http_request_blocking(url(), std::move(request), base::now() + 20s);

  ASSERT_TRUE(answer) << answer.error().what;
  EXPECT_EQ(answer->status, 201);
  EXPECT_EQ(answer->body, "");
}

TEST(HttpClient, NamesTheUrlWhenNobodyListens) {
  std::uint16_t port = 0;
  {
    port = test::SilentServer().port();
  }

  const auto answer = http_request_blocking({"127.0.0.1", port, "/health"}, {}, base::now() + 20s);

  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, base::Errc::io);
  EXPECT_THAT(answer.error().what,
              AllOf(HasSubstr("http://127.0.0.1:" + std::to_string(port) + "/health"),
                    HasSubstr("connect"), HasSubstr("refused")));
}

TEST(HttpClient, GivesUpAtItsDeadline) {
  test::SilentServer server;
  const auto begun = base::now();

  const auto answer = http_request_blocking({"127.0.0.1", server.port(), ""}, {}, begun + 100ms);

  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, base::Errc::timed_out);
  EXPECT_GE(base::now() - begun, 100ms);
  EXPECT_LT(base::now() - begun, 10s);
}

TEST(HttpClient, TakesADeadlineThatHasPassed) {
  test::SilentServer server;

  const auto answer = http_request_blocking({"127.0.0.1", server.port(), ""}, {}, base::now() - 1s);

  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, base::Errc::timed_out);
}

}  // namespace
}  // namespace flow::net

// The HTTP server against raw bytes: what a correct client sends, what a careless one sends, and
// what one sends who means harm.
// SPDX-License-Identifier: Apache-2.0
#include "net/http_server.hpp"

#include <future>
#include <optional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/tests/raw_connection.hpp"

namespace flow::net {
namespace {

using namespace std::chrono_literals;
using test::RawConnection;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr std::string_view get_hello = "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n";

// Answers with the request's own method, target and body. "/slow" waits until the test lets it go
// on.
class HttpServerTest : public testing::Test {
 protected:
  ~HttpServerTest() override {
    release_slow();
    if (server_) server_->stop();
    io_.stop();
  }

  std::uint16_t start(HttpServerOptions options = {}) {
    server_.emplace(io_, options,
                    [this](HttpRequest request) { return handle(std::move(request)); });
    const auto started = server_->start();
    EXPECT_TRUE(started) << started.error().what;
    return server_->port();
  }

  Task<HttpResponse> handle(HttpRequest request) {
    if (request.path() == "/slow") {
      ++slow_entered_;
      while (!is_slow_released_) co_await sleep_until(base::now() + 1ms);
    }
    HttpResponse response;
    response.status = request.path() == "/empty" ? 204 : 200;
    response.headers.add("X-Seen", request.headers.get("x-sent"));
    response.close = request.path() == "/close";
    if (response.status == 200)
      response.body = request.method + " " + request.target + " " + request.body;
    if (request.path() == "/large") response.body.assign(32 << 20, 'x');
    co_return response;
  }

  std::future<void> start_drain(base::Nanos limit) {
    return std::async(std::launch::async,
                      [this, limit] { io_.run_task(drain(*server_, base::now() + limit)); });
  }
  static Task<int> drain(HttpServer& server, base::TimePoint deadline) {
    co_await server.drain(deadline);
    co_return 0;
  }

  void wait_until_slow_runs() {
    const auto deadline = base::now() + 20s;
    while (io_.run([this] { return slow_entered_; }) == 0 && base::now() < deadline) {
      std::this_thread::sleep_for(1ms);
    }
  }
  // Of the first connection that finds a place at the server.
  static std::string answer_of_the_next(std::uint16_t port) {
    for (const auto deadline = base::now() + 20s; base::now() < deadline;) {
      RawConnection next(port);
      next.send(get_hello);
      if (std::string answer = next.read_answer(); !answer.empty()) return answer;
      std::this_thread::sleep_for(1ms);
    }
    return "";
  }
  void release_slow() {
    io_.run([this] { return is_slow_released_ = true; });
  }

  IoThread io_{"server"};
  std::optional<HttpServer> server_;
  int slow_entered_ = 0;  // On io_'s thread, like the next one.
  bool is_slow_released_ = false;
};

TEST_F(HttpServerTest, AnswersWithStatusHeadersAndBody) {
  RawConnection client(start());

  client.send("POST /hello?a=b HTTP/1.1\r\nHost: x\r\nX-Sent: y\r\nContent-Length: 4\r\n\r\nbody");

  EXPECT_THAT(client.read_answer(),
              AllOf(StartsWith("HTTP/1.1 200 OK\r\n"), HasSubstr("X-Seen: y\r\n"),
                    HasSubstr("Content-Length: 20\r\n"), HasSubstr("Date: "), HasSubstr(" GMT\r\n"),
                    EndsWith("\r\n\r\nPOST /hello?a=b body")));
}

TEST_F(HttpServerTest, ServesManyRequestsOnOneConnection) {
  RawConnection client(start());

  for (int i = 0; i < 20; ++i) {
    client.send(get_hello);
    ASSERT_THAT(client.read_answer(), EndsWith("GET /hello ")) << i;
  }
}

// Goal: TCP may cut a request anywhere. Method: cut it everywhere, expect the same answer.
TEST_F(HttpServerTest, UnderstandsARequestWhereverTheStreamIsCut) {
  RawConnection client(start());
  const std::string_view request = "POST /h HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc";

  for (std::size_t cut = 1; cut < request.size(); ++cut) {
    client.send(request.substr(0, cut));
    std::this_thread::sleep_for(1ms);
    client.send(request.substr(cut));
    ASSERT_THAT(client.read_answer(), EndsWith("POST /h abc")) << cut;
  }
}

TEST_F(HttpServerTest, AnswersPipelinedRequestsInOrder) {
  RawConnection client(start());

  client.send(
      "GET /1 HTTP/1.1\r\nHost: x\r\n\r\nPOST /2 HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n2"
      "GET /3 HTTP/1.1\r\nHost: x\r\n\r\n");

  EXPECT_THAT(client.read_answer(), EndsWith("GET /1 "));
  EXPECT_THAT(client.read_answer(), EndsWith("POST /2 2"));
  EXPECT_THAT(client.read_answer(), EndsWith("GET /3 "));
}

TEST_F(HttpServerTest, AnswersHeadWithTheLengthAndWithoutTheBody) {
  RawConnection client(start());

  client.send("HEAD /hello HTTP/1.1\r\nHost: x\r\n\r\n");
  const std::string head = client.read_answer(/*has_body=*/false);
  client.send(get_hello);

  EXPECT_THAT(head, AllOf(HasSubstr("Content-Length: 12\r\n"), EndsWith("\r\n\r\n")));
  EXPECT_THAT(client.read_answer(), StartsWith("HTTP/1.1 200 OK"));  // Nothing lay between them.
}

TEST_F(HttpServerTest, SendsNoLengthWithAnAnswerThatHasNoBody) {
  RawConnection client(start());

  client.send("GET /empty HTTP/1.1\r\nHost: x\r\n\r\n");

  EXPECT_THAT(client.read_answer(),
              AllOf(StartsWith("HTTP/1.1 204"), Not(HasSubstr("Content-Length"))));
}

TEST_F(HttpServerTest, ReadsAChunkedBody) {
  RawConnection client(start());

  client.send(
      "POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3\r\nabc\r\n2;ext=1\r\nde\r\n0\r\nTrailer: 1\r\n\r\n");

  EXPECT_THAT(client.read_answer(), EndsWith("POST /c abcde"));
}

TEST_F(HttpServerTest, TellsAClientThatWaitsForItToGoOn) {
  RawConnection client(start());

  client.send("POST /e HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  EXPECT_THAT(client.read_answer(/*has_body=*/false), StartsWith("HTTP/1.1 100 "));
  client.send("ok");

  EXPECT_THAT(client.read_answer(), EndsWith("POST /e ok"));
}

TEST_F(HttpServerTest, ClosesWhenTheClientOrTheHandlerOrAnOldVersionAsks) {
  const auto port = start();
  for (const std::string_view request :
       {"GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        "GET /close HTTP/1.1\r\nHost: x\r\n\r\n", "GET /hello HTTP/1.0\r\n\r\n"}) {
    SCOPED_TRACE(request);
    RawConnection client(port);
    client.send(request);
    EXPECT_THAT(client.read_answer(), HasSubstr(" 200 OK\r\n"));
    EXPECT_TRUE(client.is_closed_within(20s));
  }
}

TEST_F(HttpServerTest, RefusesWhatIsNotHttp) {
  const auto port = start();
  for (const std::string_view request :
       {"hello\r\n\r\n", "GET /\r\n\r\n", "GET / HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n",
        "GET / HTTP/1.1\r\nHost : x\r\n\r\n", "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"}) {
    SCOPED_TRACE(request);
    RawConnection client(port);
    client.send(request);
    EXPECT_THAT(client.read_answer(),
                AllOf(StartsWith("HTTP/1.1 400 "), HasSubstr("Connection: close")));
    EXPECT_TRUE(client.is_closed_within(20s));
  }
}

// Two lengths for one body is how a request is hidden inside another.
TEST_F(HttpServerTest, RefusesABodyWithTwoLengths) {
  RawConnection client(start());

  client.send(
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
      "0\r\n\r\nGET /hidden HTTP/1.1\r\nHost: x\r\n\r\n");

  EXPECT_THAT(client.read_answer(), StartsWith("HTTP/1.1 400 "));
  EXPECT_TRUE(client.is_closed_within(20s));
}

TEST_F(HttpServerTest, RefusesAHeaderAboveItsBound) {
  RawConnection client(start({.header_bytes_max = 1024}));

  client.send("GET / HTTP/1.1\r\nHost: x\r\nA: " + std::string(2000, 'a') + "\r\n\r\n");

  EXPECT_THAT(client.read_answer(), StartsWith("HTTP/1.1 431 "));
}

TEST_F(HttpServerTest, RefusesABodyAboveItsBoundHoweverItIsAnnounced) {
  const auto port = start({.body_bytes_max = 1000});
  const std::string body(1001, 'b');
  for (const std::string& rest :
       {"Content-Length: 1001\r\n\r\n" + body,
        "Transfer-Encoding: chunked\r\n\r\n3E9\r\n" + body + "\r\n0\r\n\r\n"}) {
    RawConnection client(port);
    client.send("POST / HTTP/1.1\r\nHost: x\r\n" + rest);
    EXPECT_THAT(client.read_answer(), StartsWith("HTTP/1.1 413 "));
    EXPECT_TRUE(client.is_closed_within(20s));
  }
}

TEST_F(HttpServerTest, TellsASlowClientThatItsTimeIsOver) {
  const auto port = start({.request_timeout = 100ms});
  for (const std::string_view begun :
       {"GET / HT", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf"}) {
    RawConnection client(port);
    client.send(begun);
    EXPECT_THAT(client.read_answer(), StartsWith("HTTP/1.1 408 "));
    EXPECT_TRUE(client.is_closed_within(20s));
  }
}

// A byte now and then must not keep a request open: its time counts from the first byte.
TEST_F(HttpServerTest, GivesATricklingClientNoMoreTimeThanOthers) {
  RawConnection client(start({.request_timeout = 200ms}));
  const auto begun = base::now();

  client.send("GET / HTTP/1.1\r\n");
  while (!client.is_closed_within(20ms) && base::now() - begun < 20s) client.send("A: b\r\n");

  EXPECT_TRUE(client.is_closed_within(0ms));
}

TEST_F(HttpServerTest, ClosesAnIdleConnectionInSilence) {
  RawConnection client(start({.idle_timeout = 100ms}));
  client.send(get_hello);
  client.read_answer();

  EXPECT_EQ(client.read_answer(), "");

  EXPECT_TRUE(client.is_closed_within(1s));
}

TEST_F(HttpServerTest, GivesUpOnAClientThatDoesNotTakeItsAnswer) {
  const auto port = start({.connections_max = 1, .write_timeout = 100ms});
  RawConnection client(port);

  client.send("GET /large HTTP/1.1\r\nHost: x\r\n\r\n");       // 32 MiB fit into no socket buffer.
  EXPECT_THAT(answer_of_the_next(port), HasSubstr("200 OK"));  // Its place is free again.

  EXPECT_LT(client.read_answer().size(), 32U << 20);
}

TEST_F(HttpServerTest, ServesOtherConnectionsWhileAHandlerWaits) {
  const auto port = start();
  RawConnection slow(port), quick(port);

  slow.send("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
  wait_until_slow_runs();
  quick.send(get_hello);

  EXPECT_THAT(quick.read_answer(), HasSubstr("200 OK"));
  release_slow();
  EXPECT_THAT(slow.read_answer(), HasSubstr("200 OK"));
}

TEST_F(HttpServerTest, ClosesConnectionsBeyondItsBoundAndTakesNewOnesLater) {
  const auto port = start({.connections_max = 2});
  auto first = std::make_unique<RawConnection>(port);
  RawConnection second(port);
  first->send(get_hello);
  second.send(get_hello);
  ASSERT_THAT(first->read_answer(), HasSubstr("200 OK"));
  ASSERT_THAT(second.read_answer(), HasSubstr("200 OK"));

  RawConnection third(port);
  EXPECT_TRUE(third.is_closed_within(20s));
  first.reset();

  EXPECT_THAT(answer_of_the_next(port), HasSubstr("200 OK"));
}

TEST_F(HttpServerTest, LivesOnWhenClientsLeaveInTheMiddle) {
  const auto port = start();
  for (const std::string_view begun :
       {"", "GET / HT", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf",
        "GET /large HTTP/1.1\r\nHost: x\r\n\r\n"}) {
    RawConnection client(port);
    client.send(begun);
  }

  RawConnection client(port);
  client.send(get_hello);

  EXPECT_THAT(client.read_answer(), HasSubstr("200 OK"));
}

TEST_F(HttpServerTest, DrainsByFinishingWhatRunsAndClosingWhatIsIdle) {
  const auto port = start();
  RawConnection idle(port), busy(port);
  idle.send(get_hello);
  idle.read_answer();
  busy.send("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
  wait_until_slow_runs();

  auto drained = start_drain(20s);
  EXPECT_TRUE(idle.is_closed_within(20s));
  EXPECT_FALSE(RawConnection(port).is_open());
  EXPECT_EQ(drained.wait_for(50ms), std::future_status::timeout);  // The slow one still runs.
  release_slow();

  EXPECT_THAT(busy.read_answer(), AllOf(HasSubstr("200 OK"), HasSubstr("Connection: close")));
  EXPECT_EQ(drained.wait_for(20s), std::future_status::ready);
}

// A request whose body is still on its way has been begun, and is finished.
TEST_F(HttpServerTest, DrainsByReadingABegunRequestToItsEnd) {
  RawConnection client(start());
  client.send(
      "POST /late HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
  ASSERT_THAT(client.read_answer(/*has_body=*/false), StartsWith("HTTP/1.1 100 "));  // It is begun.

  auto drained = start_drain(20s);
  while (RawConnection(server_->port()).is_open()) std::this_thread::sleep_for(1ms);
  client.send("half");

  EXPECT_THAT(client.read_answer(),
              AllOf(HasSubstr("Connection: close"), EndsWith("POST /late half")));
  EXPECT_EQ(drained.wait_for(20s), std::future_status::ready);
}

TEST_F(HttpServerTest, EndsADrainAtItsDeadline) {
  RawConnection client(start());
  client.send("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
  wait_until_slow_runs();
  const auto begun = base::now();

  io_.run_task(drain(*server_, base::now() + 50ms));

  EXPECT_LT(base::now() - begun, 10s);
  EXPECT_TRUE(client.is_closed_within(10s));
}

TEST_F(HttpServerTest, StopsWithOpenConnections) {
  const auto port = start();
  RawConnection idle(port), begun(port), busy(port);
  begun.send("GET / HT");
  busy.send("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
  wait_until_slow_runs();

  server_->stop();

  EXPECT_TRUE(idle.is_closed_within(10s));
  EXPECT_TRUE(begun.is_closed_within(10s));
  EXPECT_TRUE(busy.is_closed_within(10s));
  EXPECT_FALSE(RawConnection(port).is_open());
}

TEST_F(HttpServerTest, IsDestroyedAfterItsIoThreadWasStopped) {
  IoThread io("short");
  HttpServer server(io, {}, [this](HttpRequest request) { return handle(std::move(request)); });
  HttpServer never_started(io, {}, {});
  ASSERT_TRUE(server.start());

  server.stop();
  io.stop();  // Hangs when the server left work behind; the destructors when they wait for it.
}

TEST_F(HttpServerTest, NamesThePortThatIsTaken) {
  const auto port = start();
  HttpServer second(io_, {.port = port},
                    [this](HttpRequest request) { return handle(std::move(request)); });

  const auto started = second.start();

  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, base::Errc::io);
  EXPECT_THAT(started.error().what,
              AllOf(HasSubstr("127.0.0.1:" + std::to_string(port)), HasSubstr("in use")));
}

TEST_F(HttpServerTest, RefusesAnAddressThatIsNone) {
  HttpServer server(io_, {.address = "localhost"},
                    [this](HttpRequest request) { return handle(std::move(request)); });

  const auto started = server.start();

  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, base::Errc::config);
  EXPECT_THAT(started.error().what, HasSubstr("'localhost'"));
}

TEST_F(HttpServerTest, LetsItsOwnerWordTheRefusals) {
  server_.emplace(
      io_, HttpServerOptions{}, [this](HttpRequest request) { return handle(std::move(request)); },
      [](HttpViolation violation) {
        HttpResponse response;
        response.status = violation.status;
        response.headers.add("Content-Type", "application/problem+json");
        response.body = "{}";
        return response;
      });
  ASSERT_TRUE(server_->start());
  RawConnection client(server_->port());

  client.send("nonsense\r\n\r\n");

  EXPECT_THAT(client.read_answer(),
              AllOf(HasSubstr(" 400 "), HasSubstr("application/problem+json"), EndsWith("{}")));
}

}  // namespace
}  // namespace flow::net

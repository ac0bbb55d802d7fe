// HttpClient: connections that are kept, bounded, waited for and lost.
// SPDX-License-Identifier: Apache-2.0
#include <future>
#include <latch>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/http_client.hpp"
#include "net/tests/scripted_server.hpp"

namespace flow::net {
namespace {

using namespace std::chrono_literals;
using base::Errc;
using base::Result;
using test::ok;
using test::Reply;
using test::ScriptedServer;
using testing::HasSubstr;
using Answer = Result<HttpResponse>;

// The last segment of the target: what the script of a test goes by.
std::string word_of(const ScriptedServer::Request& request) {
  const auto begin = request.text.find('/') + 1;
  return request.text.substr(begin, request.text.find(' ', begin) - begin);
}

Reply echo(const ScriptedServer::Request& request) { return ok(word_of(request)); }

class KeepAlive : public testing::Test {
 protected:
  ~KeepAlive() override { io_.stop(); }

  HttpClient client_of(const ScriptedServer& server, HttpClientOptions options = {}) {
    return {io_, HttpUrl{"127.0.0.1", server.port(), ""}, options};
  }
  std::future<Answer> begin(HttpClient& client, std::string word, base::Nanos within = 10s,
                            std::string method = "GET") {
    HttpRequest request{
        .method = std::move(method), .target = "/" + word, .headers = {}, .body = {}};
    return asio::co_spawn(io_.context(), client.request(std::move(request), base::now() + within),
                          asio::use_future);
  }
  Answer get(HttpClient& client, std::string word, base::Nanos within = 10s,
             std::string method = "GET") {
    return begin(client, std::move(word), within, std::move(method)).get();
  }
  // Until the client's counters, which are its thread's, say so.
  template <class Condition>
  bool becomes(Condition condition) {
    const auto deadline = base::now() + 10s;
    while (base::now() < deadline) {
      if (io_.run([&] { return condition(); })) return true;
      std::this_thread::sleep_for(1ms);
    }
    return false;
  }

  IoThread io_{"client"};
};

TEST_F(KeepAlive, SendsManyRequestsOverOneConnection) {
  ScriptedServer server(echo);
  HttpClient client = client_of(server);

  for (const char* word : {"a", "b", "c"}) {
    const Answer answer = get(client, word);
    ASSERT_TRUE(answer) << answer.error().what;
    EXPECT_EQ(answer->body, word);
  }

  EXPECT_EQ(server.connections(), 1);
  EXPECT_EQ(server.requests(), 3);
}

TEST_F(KeepAlive, TakesANewConnectionWhenTheServerHasClosedTheOldOne) {
  ScriptedServer server([](const auto& request) {
    Reply reply = echo(request);
    reply.is_last = true;
    return reply;
  });
  HttpClient client = client_of(server);

  for (int i = 0; i < 3; ++i) {
    const Answer answer = get(client, "a", 10s, "POST");
    ASSERT_TRUE(answer) << answer.error().what;
    // The end has arrived: nothing is sent into the void.
    ASSERT_TRUE(becomes([&] { return server.ended() == i + 1; }));
  }

  EXPECT_EQ(server.connections(), 3);
  EXPECT_EQ(server.requests(), 3);
}

TEST_F(KeepAlive, DoesNotKeepAConnectionThatTheServerSaysItCloses) {
  ScriptedServer server(
      [](const auto& request) { return ok(word_of(request), "Connection: close\r\n"); });
  HttpClient client = client_of(server);

  ASSERT_TRUE(get(client, "a"));
  ASSERT_TRUE(get(client, "b"));

  EXPECT_EQ(server.connections(), 2);
}

// The second request on a connection is read and dropped.
Reply drop_the_second(const ScriptedServer::Request& request) {
  if (request.number == 2) return {"", true};
  return echo(request);
}

TEST_F(KeepAlive, RepeatsWhatTheServerDroppedUnanswered) {
  ScriptedServer server(drop_the_second);
  HttpClient client = client_of(server);
  ASSERT_TRUE(get(client, "a"));

  const Answer answer = get(client, "b");

  ASSERT_TRUE(answer) << answer.error().what;
  EXPECT_EQ(answer->body, "b");
  EXPECT_EQ(server.connections(), 2);
  EXPECT_EQ(server.requests(), 3);
}

TEST_F(KeepAlive, RepeatsAPostOnlyWhereItIsTold) {
  ScriptedServer server(drop_the_second);
  HttpClient careful = client_of(server);
  HttpClient told = client_of(server, {.posts_are_repeatable = true});
  ASSERT_TRUE(get(careful, "a"));
  ASSERT_TRUE(get(told, "a"));

  const Answer lost = get(careful, "b", 10s, "POST");
  const Answer repeated = get(told, "b", 10s, "POST");

  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().code, Errc::io);
  ASSERT_TRUE(repeated) << repeated.error().what;
  EXPECT_EQ(server.requests(), 5);
}

TEST_F(KeepAlive, RepeatsOnceAndNoMore) {
  ScriptedServer server([](const auto& request) {
    if (request.connection == 1 && request.number == 1) return echo(request);
    return Reply{"", true};
  });
  HttpClient client = client_of(server);
  ASSERT_TRUE(get(client, "a"));

  const Answer answer = get(client, "b");

  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::io);
  EXPECT_EQ(server.requests(), 3);
}

TEST_F(KeepAlive, DoesNotRepeatOnceAByteOfAnAnswerCame) {
  for (const std::string part : {"H", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"}) {
    ScriptedServer server([&](const auto& request) {
      return request.number == 2 ? Reply{part, true} : echo(request);
    });
    HttpClient client = client_of(server);
    ASSERT_TRUE(get(client, "a"));

    const Answer answer = get(client, "b");

    ASSERT_FALSE(answer) << part;
    EXPECT_EQ(answer.error().code, Errc::io) << answer.error().what;
    EXPECT_EQ(server.requests(), 2);
  }
}

TEST_F(KeepAlive, NeverTakesALateAnswerForTheNextOne) {
  std::promise<void> is_asked, is_given_up;
  ScriptedServer server([&](const auto& request) {
    if (word_of(request) == "slow") {
      is_asked.set_value();
      is_given_up.get_future().wait_for(20s);
    }
    return echo(request);
  });
  HttpClient client = client_of(server, {.connections_max = 1});

  const Answer slow = get(client, "slow", 2s);
  ASSERT_EQ(is_asked.get_future().wait_for(10s), std::future_status::ready);
  is_given_up.set_value();
  const Answer next = get(client, "next");

  ASSERT_FALSE(slow);
  EXPECT_EQ(slow.error().code, Errc::timed_out);
  ASSERT_TRUE(next) << next.error().what;
  EXPECT_EQ(next->body, "next");
}

TEST_F(KeepAlive, DropsAConnectionWithBytesNobodyAskedFor) {
  ScriptedServer server([](const auto& request) {
    Reply reply = echo(request);
    reply.bytes += "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nstray";
    return reply;
  });
  HttpClient client = client_of(server);

  const Answer first = get(client, "a");
  const Answer second = get(client, "b");

  ASSERT_TRUE(first && second);
  EXPECT_EQ(second->body, "b");
  EXPECT_EQ(server.connections(), 2);
}

TEST_F(KeepAlive, ReadsChunksAndAnswersWithoutABody) {
  ScriptedServer server([](const auto& request) {
    if (word_of(request) == "none") return Reply{"HTTP/1.1 204 No Content\r\n\r\n", false};
    return Reply{
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
        false};
  });
  HttpClient client = client_of(server);

  const Answer chunks = get(client, "chunks");
  const Answer none = get(client, "none");

  ASSERT_TRUE(chunks) << chunks.error().what;
  EXPECT_EQ(chunks->body, "abcde");
  ASSERT_TRUE(none) << none.error().what;
  EXPECT_EQ(none->status, 204);
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(KeepAlive, SaysWhenTheAnswerIsNoHttp) {
  ScriptedServer server([](const auto&) { return Reply{"SSH-2.0-OpenSSH_9\r\n\r\n", true}; });
  HttpClient client = client_of(server);

  const Answer answer = get(client, "a");

  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::protocol) << answer.error().what;
  EXPECT_THAT(answer.error().what, HasSubstr("http://127.0.0.1:"));
}

TEST_F(KeepAlive, NeverOpensMoreThanItsBound) {
  constexpr int requests = 60;
  ScriptedServer server([](const auto& request) {
    std::this_thread::sleep_for(2ms);
    return echo(request);
  });
  HttpClient client = client_of(server, {.connections_max = 3});
  std::vector<std::future<Answer>> answers;

  for (int i = 0; i < requests; ++i) answers.push_back(begin(client, std::to_string(i)));

  for (int i = 0; i < requests; ++i) {
    const Answer answer = answers[static_cast<std::size_t>(i)].get();
    ASSERT_TRUE(answer) << answer.error().what;
    EXPECT_EQ(answer->body, std::to_string(i));
  }
  EXPECT_EQ(server.open_max(), 3);
  EXPECT_EQ(server.connections(), 3);
  EXPECT_TRUE(becomes([&] { return client.connections() == 3 && client.waiting() == 0; }));
}

// Holds every request named "hold" until the test lets go.
class Held : public KeepAlive {
 protected:
  Reply reply(const ScriptedServer::Request& request) {
    if (word_of(request) == "hold") let_go_.wait();
    return echo(request);
  }
  std::latch let_go_{1};
  ScriptedServer server_{[this](const auto& request) { return reply(request); }};
};

TEST_F(Held, CountsTheWaitForAConnectionAgainstTheDeadline) {
  HttpClient client = client_of(server_, {.connections_max = 1});
  auto held = begin(client, "hold");
  ASSERT_TRUE(becomes([&] { return client.connections() == 1; }));

  const Answer late = get(client, "late", 50ms);
  let_go_.count_down();
  const Answer first = held.get();
  const Answer next = get(client, "next");

  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Errc::timed_out);
  EXPECT_THAT(late.error().what, HasSubstr("none of 1 connections"));
  EXPECT_TRUE(first);
  ASSERT_TRUE(next) << next.error().what;
  EXPECT_EQ(server_.connections(), 1);
}

TEST_F(Held, RefusesWhatGoesBeyondTheLine) {
  HttpClient client = client_of(server_, {.connections_max = 1, .waiting_max = 1});
  auto held = begin(client, "hold");
  auto waiting = begin(client, "b");
  ASSERT_TRUE(becomes([&] { return client.waiting() == 1; }));

  const Answer refused = get(client, "c");
  let_go_.count_down();

  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::refused);
  EXPECT_TRUE(held.get());
  EXPECT_TRUE(waiting.get());
}

// What a cancelled coroutine ends in: an error, or Asio's exception where it was about to wait.
bool ended_by_cancellation(std::future<Answer>& answer) {
  try {
    const Answer got = answer.get();
    return !got && got.error().code == Errc::cancelled;
  } catch (const boost::system::system_error& error) {
    return error.code() == asio::error::operation_aborted;
  }
}

TEST_F(Held, GivesThePlaceOfACancelledRequestToTheNext) {
  HttpClient client = client_of(server_, {.connections_max = 1});
  asio::cancellation_signal cancel_first, cancel_second;
  const auto begin_with = [&](asio::cancellation_signal& signal, std::string word) {
    HttpRequest request{.method = "GET", .target = "/" + word, .headers = {}, .body = {}};
    return asio::co_spawn(io_.context(), client.request(std::move(request), base::now() + 10s),
                          asio::bind_cancellation_slot(signal.slot(), asio::use_future));
  };
  auto first = begin_with(cancel_first, "hold");
  ASSERT_TRUE(becomes([&] { return client.connections() == 1; }));
  auto second = begin_with(cancel_second, "second");
  auto third = begin(client, "third");
  ASSERT_TRUE(becomes([&] { return client.waiting() == 2; }));

  io_.run([&] { cancel_second.emit(asio::cancellation_type::terminal); });
  EXPECT_TRUE(becomes([&] { return client.waiting() == 1; }));
  io_.run([&] { cancel_first.emit(asio::cancellation_type::terminal); });

  EXPECT_TRUE(ended_by_cancellation(first));
  EXPECT_TRUE(ended_by_cancellation(second));
  const Answer answer = third.get();
  let_go_.count_down();
  ASSERT_TRUE(answer) << answer.error().what;
  EXPECT_EQ(answer->body, "third");
  EXPECT_TRUE(becomes([&] { return client.connections() == 1; }));
}

TEST_F(Held, EndsARequestUnderWayAfterTheClientIsGone) {
  auto client = std::make_unique<HttpClient>(io_, HttpUrl{"127.0.0.1", server_.port(), ""},
                                             HttpClientOptions{});
  auto held = begin(*client, "hold");
  ASSERT_TRUE(becomes([&] { return client->connections() == 1; }));

  client.reset();
  let_go_.count_down();

  const Answer answer = held.get();
  ASSERT_TRUE(answer) << answer.error().what;
  EXPECT_EQ(answer->body, "hold");
}

TEST_F(KeepAlive, ClosesWhatWasIdleForTooLong) {
  ScriptedServer server(echo);
  HttpClient client = client_of(server, {.idle_max = 1ms});
  ASSERT_TRUE(get(client, "a"));
  std::this_thread::sleep_for(20ms);

  ASSERT_TRUE(get(client, "b"));

  EXPECT_EQ(server.connections(), 2);
}

TEST_F(KeepAlive, IsNotAskedForByOneRequestAlone) {
  std::string seen;
  ScriptedServer server([&](const auto& request) {
    seen = request.text;
    return echo(request);
  });

  const Answer once =
      http_request_blocking({"127.0.0.1", server.port(), ""}, {}, base::now() + 10s);

  ASSERT_TRUE(once) << once.error().what;
  EXPECT_THAT(seen, HasSubstr("Connection: close\r\n"));
}

}  // namespace
}  // namespace flow::net

// Answers that go on after their head, against raw bytes.
// SPDX-License-Identifier: Apache-2.0
#include <future>
#include <optional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/http_server.hpp"
#include "net/http_stream.hpp"
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

constexpr std::string_view get_stream = "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n";

// Answers every request with a new stream, the newest of which the test holds.
class HttpServerStreamTest : public testing::Test {
 protected:
  ~HttpServerStreamTest() override {
    if (server_) server_->stop();
    io_.stop();
  }

  std::uint16_t start(HttpStreamOptions stream = {}, HttpServerOptions options = {}) {
    stream_options_ = std::move(stream);
    server_.emplace(io_, options, [this](HttpRequest request) { return handle(request); });
    const auto started = server_->start();
    EXPECT_TRUE(started) << started.error().what;
    return server_->port();
  }

  Task<HttpResponse> handle(HttpRequest) {
    stream_ = std::make_shared<HttpStream>(stream_options_);
    HttpResponse response;
    response.headers.add("Content-Type", "text/event-stream");
    response.stream = stream_;
    co_return response;
  }

  bool offer(std::string piece) {
    return io_.run([&] { return stream_->offer(piece); });
  }
  bool is_open() {
    return io_.run([&] { return stream_->is_open(); });
  }
  // A client whose answer has begun.
  void open(RawConnection& client, std::string_view request = get_stream) {
    client.send(request);
    head_ = client.read_until("\r\n\r\n");
  }
  bool is_gone_within(base::Nanos limit) {
    for (const auto deadline = base::now() + limit; base::now() < deadline;) {
      if (!is_open()) return true;
      std::this_thread::sleep_for(5ms);
    }
    return false;
  }

  IoThread io_{"server"};
  std::optional<HttpServer> server_;
  HttpStreamOptions stream_options_;
  std::shared_ptr<HttpStream> stream_;  // On io_'s thread.
  std::string head_;
};

TEST_F(HttpServerStreamTest, SendsPiecesAsTheyComeAndEndsInOrder) {
  RawConnection client(start());
  open(client);
  EXPECT_THAT(head_, AllOf(StartsWith("HTTP/1.1 200 OK\r\n"), HasSubstr("chunked\r\n"),
                           HasSubstr("Connection: close\r\n"), HasSubstr("text/event-stream"),
                           Not(HasSubstr("Content-Length"))));

  offer("one");
  EXPECT_EQ(client.read_until("one\r\n"), "3\r\none\r\n");
  offer("seventeen letters");
  EXPECT_EQ(client.read_until("letters\r\n"), "11\r\nseventeen letters\r\n");
  io_.run([&] { stream_->finish(); });

  EXPECT_EQ(client.read_until("0\r\n\r\n"), "0\r\n\r\n");
  EXPECT_TRUE(client.is_closed_within(20s));
}

TEST_F(HttpServerStreamTest, SendsAnOldClientTheBareBytesUntilTheConnectionEnds) {
  RawConnection client(start());
  open(client, "GET /stream HTTP/1.0\r\n\r\n");

  offer("bare");
  io_.run([&] { stream_->finish(); });

  EXPECT_THAT(head_, Not(HasSubstr("chunked")));
  EXPECT_EQ(client.read_until("nothing more"), "bare");
}

TEST_F(HttpServerStreamTest, AnswersHeadWithTheHeadAlone) {
  RawConnection client(start());

  client.send("HEAD /stream HTTP/1.1\r\nHost: x\r\n\r\n");

  EXPECT_THAT(client.read_until("nothing more"), AllOf(HasSubstr("200 OK"), EndsWith("\r\n\r\n")));
  EXPECT_FALSE(is_open());
}

TEST_F(HttpServerStreamTest, KeepsAQuietConnectionAlive) {
  RawConnection client(start({.keep_alive = ":\n\n", .keep_alive_every = 20ms}));
  open(client);

  EXPECT_EQ(client.read_until(":\n\n\r\n"), "3\r\n:\n\n\r\n");
  EXPECT_EQ(client.read_until(":\n\n\r\n"), "3\r\n:\n\n\r\n");
}

// A client that reads nothing must cost no more than its queue, and nobody else any time.
TEST_F(HttpServerStreamTest, DropsAClientThatTakesNothing) {
  const auto port = start({.queue_bytes_max = 256 * 1024});
  RawConnection client(port);
  open(client);

  const std::string piece(64 * 1024, 'x');
  int taken = 0;
  while (taken < 1000 && offer(piece)) ++taken;

  EXPECT_LT(taken, 1000);  // 64 MiB fit into no socket buffer.
  EXPECT_FALSE(is_open());
  EXPECT_TRUE(client.is_closed_within(20s));
}

TEST_F(HttpServerStreamTest, GivesUpOnAWriteThatDoesNotEnd) {
  RawConnection client(start({.queue_bytes_max = 64 << 20}, {.write_timeout = 100ms}));
  open(client);

  offer(std::string(32 << 20, 'x'));

  EXPECT_TRUE(is_gone_within(20s));
}

TEST_F(HttpServerStreamTest, NoticesThatAClientLeft) {
  const auto port = start({.keep_alive = ":\n\n", .keep_alive_every = 20ms});
  {
    RawConnection client(port);
    open(client);
    ASSERT_TRUE(is_open());
  }

  EXPECT_TRUE(is_gone_within(20s));
}

TEST_F(HttpServerStreamTest, ServesOthersMeanwhile) {
  const auto port = start();
  RawConnection first(port), second(port);
  open(first);
  const auto stream = stream_;
  open(second);

  offer("for the second");
  EXPECT_THAT(second.read_until("second"), HasSubstr("for the second"));
  io_.run([&] { stream->offer("for the first"); });
  EXPECT_THAT(first.read_until("first"), HasSubstr("for the first"));
}

TEST_F(HttpServerStreamTest, EndsStreamsInOrderWhenItDrains) {
  RawConnection client(start());
  open(client);

  io_.run([&] { stream_->offer("goodbye"); });
  const auto drain = [](HttpServer& server) -> Task<int> {
    co_await server.drain(base::now() + 20s);
    co_return 0;
  };
  io_.run_task(drain(*server_));

  EXPECT_EQ(client.read_until("0\r\n\r\n"), "7\r\ngoodbye\r\n0\r\n\r\n");
  EXPECT_TRUE(client.is_closed_within(20s));
}

TEST_F(HttpServerStreamTest, StopsWithOpenStreams) {
  RawConnection client(start());
  open(client);

  server_->stop();

  EXPECT_TRUE(client.is_closed_within(20s));
  EXPECT_FALSE(is_open());
}

}  // namespace
}  // namespace flow::net

// SPDX-License-Identifier: Apache-2.0
#include "loadtest/response_parser.hpp"

#include <string>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

#include "base/random.hpp"

namespace flow::loadtest {
namespace {

using State = ResponseParser::State;

struct Reading {
  State state = State::reading;
  int status = 0;
  bool keeps_alive = false;
  std::uint64_t body_bytes = 0;
  std::string body;
  std::size_t taken = 0;

  bool operator==(const Reading&) const = default;
};

// Pushes the parts one after the other; stops as soon as the answer is decided.
Reading read(const std::vector<std::string_view>& parts, bool ends = false, bool to_head = false) {
  ResponseParser parser;
  Reading reading;
  parser.expect(to_head);
  parser.collect_body(&reading.body, 1 << 20);
  for (const std::string_view part : parts) {
    if (parser.state() == State::reading) reading.taken += parser.push(part);
  }
  if (ends) parser.push_end();
  reading.state = parser.state();
  reading.status = parser.status();
  reading.keeps_alive = parser.keeps_alive();
  reading.body_bytes = parser.body_bytes();
  return reading;
}

Reading read_whole(std::string_view text) { return read({text}); }

const std::vector<std::string> good_answers = {
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    "HTTP/1.1 200 \r\ncontent-length:0\r\n\r\n",
    "HTTP/1.1 404\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}",
    "HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n"
    "5\r\nhello\r\n1a;name=value\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\nTrailer: x\r\n\r\n",
    "HTTP/1.1 204 No Content\r\nX: y\r\n\r\n",
    "HTTP/1.1 304 Not Modified\r\nContent-Length: 100\r\n\r\n",
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc",
    "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nx",
    "HTTP/1.1 200 OK\nContent-Length: 3\n\nabc",  // A lone LF ends a line: RFC 9112 section 2.2.
};

// Goal: TCP may cut the stream anywhere. Method: cut it everywhere, and once at every byte.
TEST(ResponseParser, FindsTheSameAnswerWhereverTheStreamIsCut) {
  for (const std::string& answer : good_answers) {
    SCOPED_TRACE(answer);
    const std::string stream = answer + "HTTP/1.1 500 next\r\n";
    const Reading whole = read_whole(stream);
    ASSERT_EQ(whole.state, State::complete);
    ASSERT_EQ(whole.taken, answer.size());

    for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
      SCOPED_TRACE(cut);
      const std::string_view text = stream;
      EXPECT_EQ(read({text.substr(0, cut), text.substr(cut)}), whole);
    }
    std::vector<std::string_view> bytes;
    for (const char& c : stream) bytes.emplace_back(&c, 1);
    EXPECT_EQ(read(bytes), whole);
  }
}

TEST(ResponseParser, ReadsStatusBodyAndWhetherTheConnectionStays) {
  EXPECT_EQ(read_whole(good_answers[0]),
            (Reading{State::complete, 200, true, 5, "hello", good_answers[0].size()}));
  EXPECT_EQ(read_whole(good_answers[2]),
            (Reading{State::complete, 404, false, 2, "{}", good_answers[2].size()}));
  EXPECT_EQ(read_whole(good_answers[3]).body, "helloabcdefghijklmnopqrstuvwxyz");
  EXPECT_EQ(read_whole(good_answers[3]).body_bytes, 31U);
  EXPECT_EQ(read_whole(good_answers[6]).status, 200);
  EXPECT_TRUE(read_whole(good_answers[7]).keeps_alive);
  EXPECT_FALSE(read_whole("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n").keeps_alive);
  EXPECT_FALSE(read_whole("HTTP/1.1 200 OK\r\nConnection: Upgrade, Close\r\n"
                          "Content-Length: 0\r\n\r\n")
                   .keeps_alive);
}

TEST(ResponseParser, GivesAnAnswerToHeadNoBodyWhateverItsLengthSays) {
  const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n";

  EXPECT_EQ(read({answer}, false, /*to_head=*/true).state, State::complete);
  EXPECT_EQ(read({answer}, false, /*to_head=*/false).state, State::reading);
}

TEST(ResponseParser, TakesTheEndOfTheConnectionAsTheEndOfABodyWithoutLength) {
  const std::string open = "HTTP/1.1 200 OK\r\n\r\nall that comes";

  EXPECT_EQ(read({open}).state, State::reading);
  EXPECT_EQ(read({open}, true),
            (Reading{State::complete, 200, false, 14, "all that comes", open.size()}));
}

TEST(ResponseParser, CallsACutAnswerMalformedWhereverTheServerClosed) {
  for (const std::string& answer : good_answers) {
    for (std::size_t cut = 0; cut < answer.size(); ++cut) {
      SCOPED_TRACE(answer.substr(0, cut));
      EXPECT_EQ(read({std::string_view(answer).substr(0, cut)}, true).state, State::malformed);
    }
  }
}

TEST(ResponseParser, RefusesWhatIsNoHttpOrCouldHideAnAnswer) {
  const std::string head = "HTTP/1.1 200 OK\r\n";
  for (const std::string& answer : {
           std::string("SSH-2.0-OpenSSH\r\n"),
           std::string("HTTP/2 200\r\n"),
           std::string("HTTP/1.1 20 OK\r\n"),
           std::string("HTTP/1.1 2000 OK\r\n"),
           std::string("HTTP/1.1 099 OK\r\n"),
           std::string("HTTP/1.1 600 OK\r\n"),
           std::string("HTTP/1.1 -20 OK\r\n"),
           std::string("HTTP/1.1 101 Switching\r\n"),
           std::string("\r\n"),
           head + "no colon\r\n",
           head + ": no name\r\n",
           head + " folded: x\r\n",
           head + "Content-Length : 5\r\n",
           head + "Content-Length: -1\r\n",
           head + "Content-Length: 5x\r\n",
           head + "Content-Length: +5\r\n",
           head + "Content-Length: \r\n",
           head + "Content-Length: 99999999999999999999\r\n",
           head + "Content-Length: 5\r\nContent-Length: 6\r\n",
           head + "Content-Length: 5, 5\r\n",
           head + "Transfer-Encoding: gzip, chunked\r\n",
           head + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
           head + "Transfer-Encoding: chunked\r\n\r\nxyz\r\n",
           head + "Transfer-Encoding: chunked\r\n\r\n-5\r\n",
           head + "Transfer-Encoding: chunked\r\n\r\n\r\n",
           head + "Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
           head + "Transfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n",
       }) {
    SCOPED_TRACE(answer);
    EXPECT_EQ(read_whole(answer).state, State::malformed);
  }
}

TEST(ResponseParser, BoundsHeadersChunkLinesTrailersAndRowsOfInterimAnswers) {
  const std::string head = "HTTP/1.1 200 OK\r\n";
  const std::string chunked = head + "Transfer-Encoding: chunked\r\n\r\n";
  const std::string big(ResponseParser::header_bytes_max, 'a');
  std::string many;
  while (many.size() < ResponseParser::header_bytes_max) many += "a: b\r\n";
  std::string interim;
  while (interim.size() < ResponseParser::header_bytes_max) interim += "HTTP/1.1 100 C\r\n\r\n";

  EXPECT_EQ(read_whole("HTTP/1.1 200 " + big).state, State::malformed);
  EXPECT_EQ(read_whole(head + "a: " + big).state, State::malformed);
  EXPECT_EQ(read_whole(head + many).state, State::malformed);
  EXPECT_EQ(read_whole(interim).state, State::malformed);
  EXPECT_EQ(read_whole(chunked + "1;" + std::string(2000, 'x')).state, State::malformed);
  EXPECT_EQ(read_whole(chunked + "0\r\n" + many).state, State::malformed);
}

TEST(ResponseParser, DoesNotTrustAConnectionWhoseAnswerHasTwoLengths) {
  const Reading reading = read_whole(
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");

  EXPECT_EQ(reading.state, State::complete);
  EXPECT_FALSE(reading.keeps_alive);
}

TEST(ResponseParser, CountsABodyWithoutKeepingItAndRefusesMoreThanWasAskedFor) {
  ResponseParser parser;
  parser.expect(false);
  parser.push("HTTP/1.1 200 OK\r\nContent-Length: 900000000000\r\n\r\n");
  const std::string part(1 << 16, 'x');
  for (int i = 0; i < 100; ++i) parser.push(part);
  EXPECT_EQ(parser.body_bytes(), 100U << 16);
  EXPECT_EQ(parser.state(), State::reading);

  std::string body;
  parser.expect(false);
  parser.collect_body(&body, 10);
  parser.push("HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n0123456789a");
  EXPECT_EQ(parser.state(), State::malformed);
  EXPECT_LE(body.size(), 10U);
}

TEST(ResponseParser, StartsAfreshForEachAnswer) {
  ResponseParser parser;
  parser.expect(false);
  parser.push("HTTP/1.0 404 X\r\nContent-Length: 3\r\n\r\nabc");
  parser.expect(false);
  parser.push("HTTP/1.1 200 OK\r\nCut here");

  parser.expect(false);
  EXPECT_FALSE(parser.has_begun());
  parser.push("HTTP/1.1 201 X\r\nContent-Length: 2\r\n\r\n{}");

  EXPECT_EQ(parser.state(), State::complete);
  EXPECT_EQ(parser.status(), 201);
  EXPECT_EQ(parser.body_bytes(), 2U);
  EXPECT_TRUE(parser.keeps_alive());
}

TEST(ResponseParser, SurvivesRandomDamageWithTheSameVerdictHoweverItIsCut) {
  base::SplitMix64 random(7);
  for (int round = 0; round < 20'000; ++round) {
    std::string text = good_answers[random.next_below(good_answers.size())];
    for (std::uint64_t i = 0; i <= random.next_below(3); ++i) {
      text[random.next_below(text.size())] = static_cast<char>(random.next());
    }
    const std::size_t cut = random.next_below(text.size());
    const std::string_view view = text;

    const Reading whole = read({view}, true);
    const Reading in_two = read({view.substr(0, cut), view.substr(cut)}, true);

    // Where the damage is malformed the cut may decide how much was counted before.
    ASSERT_EQ(std::tuple(whole.state, whole.status), std::tuple(in_two.state, in_two.status))
        << text;
  }
}

}  // namespace
}  // namespace flow::loadtest

// SPDX-License-Identifier: Apache-2.0
#include "base/stamp.hpp"

#include <gmock/gmock.h>

#include "base/random.hpp"

namespace flow::base {
namespace {

// The example of the specification, section 3.2.3.
const std::string example = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

TEST(Stamp, ReadsTheExampleOfTheSpecification) {
  const auto stamp = parse_stamp(example, "");
  ASSERT_TRUE(stamp);
  EXPECT_EQ(stamp->trial, 0x4bf92f3577b34da6U);
  EXPECT_EQ(stamp->request, 0xa3ce929d0e0e4736U);
  EXPECT_EQ(stamp->parent, 0x00f067aa0ba902b7U);
  EXPECT_EQ(stamp->intended, std::nullopt);
  EXPECT_EQ(format_traceparent(*stamp), example);
  EXPECT_EQ(format_tracestate(*stamp), "");
}

TEST(Stamp, IsTheSameAfterWritingAndReading) {
  SplitMix64 random(1);
  for (int i = 0; i < 1000; ++i) {
    Stamp stamp{.trial = random.next() | 1,
                .request = random.next() >> (i % 64),
                .parent = random.next() | 1,
                .intended = UnixNanos{static_cast<std::int64_t>(random.next() >> 1) | 1},
                .other_state = i % 2 == 0 ? "" : "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7"};
    EXPECT_EQ(parse_stamp(format_traceparent(stamp), format_tracestate(stamp)), stamp);
  }
}

TEST(Stamp, WritesTheIntendedTimeFirstAndKeepsOtherMembers) {
  const auto stamp = parse_stamp(example, "congo=t61, flow=1700000000000000001 ,rojo=x y");
  ASSERT_TRUE(stamp);
  EXPECT_EQ(stamp->intended, UnixNanos{1700000000000000001});
  EXPECT_EQ(format_tracestate(*stamp), "flow=1700000000000000001,congo=t61,rojo=x y");
}

TEST(Stamp, RefusesATraceparentThatTheSpecificationForbids) {
  std::vector<std::string> forbidden = {
      "",
      "00",
      example.substr(0, 54),
      example + "-extra",                                         // Version 00 has no more fields.
      "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",  // Version ff is invalid.
      "00-00000000000000000000000000000000-00f067aa0ba902b7-01",  // No trace.
      "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",  // No parent.
      "00-4BF92F3577B34DA6A3CE929D0E0E4736-00F067AA0BA902B7-01",  // Upper case.
      "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
      "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01x",  // Later version, no dash.
      " " + example,
  };
  for (const std::string& text : forbidden) EXPECT_FALSE(parse_stamp(text, "")) << text;
}

TEST(Stamp, ReadsLaterVersionsByTheRulesOfTheFirst) {
  const auto tail = example.substr(2);
  EXPECT_TRUE(parse_stamp("01" + tail, ""));
  EXPECT_TRUE(parse_stamp("cc" + tail + "-what-comes-later", ""));
}

TEST(Stamp, SurvivesEveryByteAtEveryPlace) {
  for (std::size_t at = 0; at < example.size(); ++at) {
    for (int byte = 0; byte < 256; ++byte) {
      std::string text = example;
      text[at] = static_cast<char>(byte);
      const auto stamp = parse_stamp(text, "flow=5");
      if (stamp) {
        EXPECT_EQ(parse_stamp(format_traceparent(*stamp), "flow=5"), stamp);
      }
    }
  }
}

TEST(Stamp, HasNoIntendedTimeWhenThatIsMalformed) {
  for (const char* state : {"flow=", "flow=0", "flow=-5", "flow=+5", "flow=5x", "flow= 5",
                            "flow=99999999999999999999", "flow", "Flow=5", "flow=1=2"}) {
    const auto stamp = parse_stamp(example, state);
    ASSERT_TRUE(stamp) << state;
    EXPECT_EQ(stamp->intended, std::nullopt) << state;
  }
}

TEST(Stamp, TheFirstOfSeveralIntendedTimesCounts) {
  EXPECT_EQ(parse_stamp(example, "flow=5,flow=6")->intended, UnixNanos{5});
  EXPECT_EQ(parse_stamp(example, "flow=x,flow=6")->intended, std::nullopt);
}

TEST(Stamp, DropsAMalformedStateAsAWhole) {
  for (const std::string state :
       {"flow=5,nonsense", "flow=5,=x", "flow=5,a=", "flow=5,A=x", "flow=5,a=x\r\nSet-Cookie: y=z",
        "flow=5,a=x\x7f", "flow=5,a=\xc3\xa4"}) {
    const auto stamp = parse_stamp(example, state);
    ASSERT_TRUE(stamp) << state;
    EXPECT_EQ(stamp->intended, std::nullopt) << state;
    EXPECT_EQ(format_tracestate(*stamp), "") << state;
  }
}

TEST(Stamp, AllowsEmptyMembersAndBlanks) {
  const auto stamp = parse_stamp(example, " ,flow=5,,\tfw529a3039@dt=x ,");
  EXPECT_EQ(format_tracestate(*stamp), "flow=5,fw529a3039@dt=x");
}

TEST(Stamp, NeverGrowsAStateBeyondTheBoundOfTheNextHop) {
  std::string state = "flow=9223372036854775807";
  for (int i = 0; i < 60; ++i) state += ",k" + std::to_string(i) + "=" + std::string(20, 'v');
  auto stamp = parse_stamp(example, state);
  ASSERT_TRUE(stamp);
  const std::string first = format_tracestate(*stamp);
  EXPECT_LE(first.size(), 512U);
  EXPECT_GT(first.size(), 400U);

  for (int hop = 0; hop < 5; ++hop) {
    stamp = parse_stamp(format_traceparent(next_hop(*stamp)), format_tracestate(*stamp));
    ASSERT_TRUE(stamp);
    EXPECT_EQ(format_tracestate(*stamp), first);
  }
}

TEST(Stamp, NextHopKeepsTheTraceAndChangesTheParent) {
  const auto stamp = parse_stamp(example, "flow=5,a=b").value();
  const Stamp next = next_hop(stamp);
  EXPECT_NE(next.parent, stamp.parent);
  EXPECT_NE(next.parent, 0U);
  EXPECT_EQ(next.trial, stamp.trial);
  EXPECT_EQ(next.request, stamp.request);
  EXPECT_EQ(next.intended, stamp.intended);
  EXPECT_EQ(next.other_state, stamp.other_state);
  EXPECT_NE(next_hop(next).parent, next.parent);
}

}  // namespace
}  // namespace flow::base

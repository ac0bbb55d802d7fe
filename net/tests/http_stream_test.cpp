// SPDX-License-Identifier: Apache-2.0
#include "net/http_stream.hpp"

#include <gtest/gtest.h>

namespace flow::net {
namespace {

TEST(HttpStream, GivesWhatWasOfferedOnceAndInOrder) {
  HttpStream stream;

  EXPECT_TRUE(stream.offer("a"));
  EXPECT_TRUE(stream.offer("b"));

  EXPECT_EQ(stream.take(), "ab");
  EXPECT_EQ(stream.take(), "");
  EXPECT_TRUE(stream.is_open());
}

TEST(HttpStream, TellsOfEveryChange) {
  HttpStream stream;
  int told = 0;
  stream.set_on_change([&] { ++told; });

  stream.offer("a");
  stream.finish();
  stream.finish();  // No change.
  stream.set_on_change({});
  stream.drop();

  EXPECT_EQ(told, 2);
}

TEST(HttpStream, KeepsWhatWaitsWhenItIsFinishedAndTakesNothingMore) {
  HttpStream stream;
  stream.offer("last");

  stream.finish();

  EXPECT_FALSE(stream.offer("too late"));
  EXPECT_TRUE(stream.is_finished());
  EXPECT_EQ(stream.take(), "last");
}

TEST(HttpStream, DropsAClientWhoseQueuePassesItsBound) {
  HttpStream stream({.queue_bytes_max = 4});
  EXPECT_TRUE(stream.offer("1234"));

  EXPECT_FALSE(stream.offer("5"));

  EXPECT_TRUE(stream.is_dropped());
  EXPECT_EQ(stream.take(), "");  // Half of a story is worth nothing.
}

TEST(HttpStream, HasRoomAgainWhenTheClientTookWhatWaited) {
  HttpStream stream({.queue_bytes_max = 4});

  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(stream.offer("1234"));
    ASSERT_EQ(stream.take(), "1234");
  }
}

TEST(HttpStream, StaysDropped) {
  HttpStream stream;
  stream.drop();

  stream.finish();

  EXPECT_TRUE(stream.is_dropped());
  EXPECT_FALSE(stream.is_open());
}

}  // namespace
}  // namespace flow::net

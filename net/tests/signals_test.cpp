// SPDX-License-Identifier: Apache-2.0
#include "net/signals.hpp"

#include <csignal>
#include <future>
#include <unistd.h>

#include <gtest/gtest.h>

namespace flow::net {
namespace {

using namespace std::chrono_literals;

TEST(StopSignals, CountsSignalsOnTheIoThread) {
  IoThread io("signals");
  std::promise<bool> first, second;
  StopSignals signals(io, [&](int number) {
    if (number == 1) first.set_value(io.is_current());
    if (number == 2) second.set_value(io.is_current());
  });
  io.run([] { return 0; });  // It waits for signals from here on.

  ::kill(::getpid(), SIGTERM);
  auto got_first = first.get_future();
  ASSERT_EQ(got_first.wait_for(20s), std::future_status::ready);
  EXPECT_TRUE(got_first.get());
  ::kill(::getpid(), SIGINT);
  auto got_second = second.get_future();
  ASSERT_EQ(got_second.wait_for(20s), std::future_status::ready);
  EXPECT_TRUE(got_second.get());
}

TEST(StopSignals, DoesNotMissASecondSignalWhileTheFirstIsHandled) {
  IoThread io("signals");
  std::promise<void> second;
  StopSignals signals(io, [&](int number) {
    if (number == 1) ::kill(::getpid(), SIGINT);  // Arrives before the wait is renewed.
    if (number == 2) second.set_value();
  });
  io.run([] { return 0; });

  ::kill(::getpid(), SIGTERM);

  EXPECT_EQ(second.get_future().wait_for(20s), std::future_status::ready);
}

TEST(StopSignals, MakesAWriteToAClosedPipeAnErrorInsteadOfTheEnd) {
  IoThread io("signals");
  StopSignals signals(io, [](int) {});
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  ::close(ends[0]);

  EXPECT_EQ(::write(ends[1], "x", 1), -1);

  EXPECT_EQ(errno, EPIPE);
  ::close(ends[1]);
}

TEST(StopSignals, LetsTheIoThreadEndAfterIt) {
  IoThread io("signals");
  {
    StopSignals signals(io, [](int) {});
  }

  io.stop();  // Hangs when a wait is left behind.
}

}  // namespace
}  // namespace flow::net

// SPDX-License-Identifier: Apache-2.0
#include "net/io_thread.hpp"

#include <algorithm>
#include <future>
#include <pthread.h>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace flow::net {
namespace {

using namespace std::chrono_literals;

TEST(IoThread, RunsWorkOnItsOwnThreadAndHandsTheValueBack) {
  IoThread io("worker");

  EXPECT_FALSE(io.is_current());
  EXPECT_TRUE(io.run([&] { return io.is_current(); }));
  EXPECT_EQ(io.run([] { return std::string("value"); }), "value");
}

TEST(IoThread, CarriesItsNameCutToWhatTheKernelKeeps) {
  IoThread io("a name of more than fifteen letters");

  const auto name = io.run([] {
    char text[16];
    pthread_getname_np(pthread_self(), text, sizeof text);
    return std::string(text);
  });

  EXPECT_EQ(name, "a name of more ");
}

TEST(IoThread, RunsPostedWorkInOrderAndAllOfItBeforeItStops) {
  std::vector<int> order;
  {
    IoThread io("worker");
    for (int i = 0; i < 1000; ++i) io.post([&order, i] { order.push_back(i); });
    io.stop();
  }

  ASSERT_EQ(order.size(), 1000U);
  EXPECT_TRUE(std::ranges::is_sorted(order));
}

// What an object posts to its own thread must run before its destruction, posted later by another.
TEST(IoThread, KeepsTheOrderOfPostsFromItselfAndFromOthers) {
  IoThread io("worker");
  std::promise<void> has_posted, may_end;
  std::vector<std::string> order;

  io.post([&] {
    io.post([&] { order.push_back("itself"); });
    has_posted.set_value();
    may_end.get_future().wait_for(20s);
  });
  ASSERT_EQ(has_posted.get_future().wait_for(20s), std::future_status::ready);
  io.post([&] { order.push_back("other"); });
  may_end.set_value();
  io.stop();

  EXPECT_EQ(order, (std::vector<std::string>{"itself", "other"}));
}

TEST(IoThread, HandsAnExceptionOfWorkToTheCaller) {
  IoThread io("worker");

  EXPECT_THROW(io.run([]() -> int { throw std::runtime_error("no"); }), std::runtime_error);
  EXPECT_EQ(io.run([] { return 7; }), 7);  // And lives on.
}

Task<bool> sleep_and_tell(IoThread& io, std::chrono::milliseconds span) {
  co_await sleep_until(std::chrono::steady_clock::now() + span);
  co_return io.is_current();
}

TEST(IoThread, RunsACoroutineThatSleepsWithoutHoldingUpOthers) {
  IoThread io("worker");
  const auto begun = std::chrono::steady_clock::now();
  bool may_end = false, is_done = false;

  io.spawn([](bool& may, bool& done) -> Task<void> {
    const auto limit = std::chrono::steady_clock::now() + 10s;
    while (!may && std::chrono::steady_clock::now() < limit) {
      co_await sleep_until(std::chrono::steady_clock::now() + 1ms);
    }
    done = true;
  }(may_end, is_done));
  const bool is_free = io.run([&] {
    may_end = true;
    return !is_done;
  });

  EXPECT_TRUE(is_free);
  EXPECT_TRUE(io.run_task(sleep_and_tell(io, 30ms)));
  EXPECT_GE(std::chrono::steady_clock::now() - begun, 30ms);
  EXPECT_TRUE(io.run([&] { return is_done; }));  // Its timer came before the one of 30 ms.
}

TEST(IoThread, StopsTwiceWithoutHarm) {
  IoThread io("worker");

  io.stop();
  io.stop();
}

TEST(IoThreadDeathTest, AbortsWhenItIsAskedToWaitForItself) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        IoThread io("worker");
        io.run([&] { return io.run([] { return 1; }); });
      },
      "is_current");
}

TEST(IoThreadDeathTest, AbortsWhenAnExceptionLeavesACoroutine) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        IoThread io("worker");
        io.spawn([]() -> Task<void> {
          throw std::runtime_error("escaped");
          co_return;
        }());
        io.stop();
      },
      "escaped");
}

}  // namespace
}  // namespace flow::net

// One thread, one io_context, one owner. What is made on an IoThread is touched only there, so
// the data path has no strands and no locks. Other threads come in through post() and run().
// Thread: the constructor's owner calls stop() and the destructor; post() from anywhere.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <exception>
#include <future>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>

#include "base/check.hpp"

namespace flow::net {

namespace asio = boost::asio;

template <class T>
using Task = asio::awaitable<T>;

class IoThread {
 public:
  explicit IoThread(std::string name);
  ~IoThread() { stop(); }
  IoThread(const IoThread&) = delete;
  IoThread& operator=(const IoThread&) = delete;

  asio::io_context& context() { return context_; }
  auto executor() { return context_.get_executor(); }

  // From anywhere; runs in the order of the calls, whichever threads they come from.
  void post(auto work) { asio::post(context_, std::move(work)); }
  bool is_current() const { return std::this_thread::get_id() == thread_.get_id(); }
  void check_current() const { FLOW_CHECK(is_current()); }

  // Starts a coroutine here and does not wait for it. An exception that leaves it is a broken
  // invariant.
  void spawn(Task<void> task);

  // Runs `work()` here and waits for its value. Never from this thread, nor after stop().
  template <class Work>
  auto run(Work work) -> std::invoke_result_t<Work> {
    FLOW_CHECK(!is_current());
    FLOW_CHECK(thread_.joinable());
    std::packaged_task<std::invoke_result_t<Work>()> task(std::move(work));
    auto result = task.get_future();
    // In a lambda, because Asio takes a packaged_task itself for a completion token.
    asio::post(context_, [task = std::move(task)]() mutable { task(); });
    return result.get();
  }

  // Runs a coroutine here and waits for its value: the bridge from a program's main thread. The
  // coroutine itself must have a deadline. Never from this thread, nor after stop().
  template <class T>
  T run_task(Task<T> task) {
    FLOW_CHECK(!is_current());
    FLOW_CHECK(thread_.joinable());
    return asio::co_spawn(context_, std::move(task), asio::use_future).get();
  }

  // Runs what is queued, then joins. Whoever opened sockets or timers here closes them first.
  void stop();

 private:
  // Not with the hint that there is one runner: it puts what this thread posts behind what others
  // post until the running handler ends, and post() would not keep the order.
  asio::io_context context_;
  asio::executor_work_guard<asio::io_context::executor_type> work_{context_.get_executor()};
  std::thread thread_;  // Last, so that it starts when everything above exists.
};

// For a coroutine started by hand: an exception that leaves it is a broken invariant.
struct Abort {
  void operator()(std::exception_ptr error) const;
};

// Sleeps on the calling coroutine's executor; returns early when the coroutine is cancelled.
Task<void> sleep_until(std::chrono::steady_clock::time_point at);

}  // namespace flow::net

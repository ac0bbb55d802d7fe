// SPDX-License-Identifier: Apache-2.0
#include "net/io_thread.hpp"

#include <cstdio>
#include <pthread.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>

namespace flow::net {

IoThread::IoThread(std::string name)
    : thread_([this, name = name.substr(0, 15)] {
        pthread_setname_np(pthread_self(), name.c_str());
        context_.run();
      }) {}

void IoThread::spawn(Task<void> task) { asio::co_spawn(context_, std::move(task), Abort{}); }

void IoThread::stop() {
  work_.reset();
  if (thread_.joinable()) thread_.join();
}

void Abort::operator()(std::exception_ptr error) const {
  if (!error) return;
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& exception) {
    std::fprintf(stderr, "flow: an exception left a coroutine: %s\n", exception.what());
  }
  std::abort();
}

Task<void> sleep_until(std::chrono::steady_clock::time_point at) {
  asio::steady_timer timer(co_await asio::this_coro::executor, at);
  co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
}

}  // namespace flow::net

// Helper threads for the calls of librdkafka that block (metadata, watermarks, flush, destroy), so
// that the driver's IoThread never does. Each such call has a deadline of its own.
// Thread: call() from a coroutine of the IoThread, run_later() from anywhere.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <type_traits>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>

#include "net/io_thread.hpp"

namespace flow::streaming::kafka {

class Blocking {
 public:
  Blocking() : pool_(2) {}
  ~Blocking() { pool_.join(); }  // Runs what is queued first.
  Blocking(const Blocking&) = delete;
  Blocking& operator=(const Blocking&) = delete;

  // Runs work() on a helper thread; the coroutine goes on where it was.
  template <class Work>
  net::Task<std::invoke_result_t<Work>> call(Work work) {
    co_return co_await boost::asio::co_spawn(pool_, run(std::move(work)),
                                             boost::asio::use_awaitable);
  }

  void run_later(auto work) { boost::asio::post(pool_, std::move(work)); }

 private:
  template <class Work>
  static net::Task<std::invoke_result_t<Work>> run(Work work) {
    co_return work();
  }

  boost::asio::thread_pool pool_;
};

}  // namespace flow::streaming::kafka

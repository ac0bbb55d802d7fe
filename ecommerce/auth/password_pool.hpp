// bcrypt away from the I/O threads: a few worker threads of lower priority, each with a bounded
// queue. When all queues are full the answer is "busy" at once, never a longer wait.
// Thread: constructed anywhere; hash() and matches() on one I/O thread, which also sees the
// results.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "net/io_thread.hpp"

namespace flow::ecommerce {

class PasswordPool {
 public:
  struct Options {
    int cost = 10;  // log2 of bcrypt's rounds.
    int threads = 2;
    std::size_t queued_max = 256;  // Over all threads, those at work included.
  };

  explicit PasswordPool(Options options);
  ~PasswordPool();  // Finishes what is queued.

  // nullopt: the queue is full. The deadline of the work is its queue: bound × cost of one hash.
  net::Task<std::optional<std::string>> hash(std::string password);
  // An empty `hash` costs as much as a real one and is never right: the answer to an unknown user
  // must take as long as to a known one.
  net::Task<std::optional<bool>> matches(std::string password, std::string hash);

  std::size_t queued() const { return queued_; }

 private:
  struct Worker;
  struct Place;  // Counts one piece of work while it lives.
  Worker* least_busy();

  Options options_;
  std::string decoy_hash_;
  std::size_t queued_ = 0;
  std::vector<std::unique_ptr<Worker>> workers_;
};

}  // namespace flow::ecommerce

// SPDX-License-Identifier: Apache-2.0
#include "ecommerce/auth/password_pool.hpp"

#include <algorithm>
#include <unistd.h>

#include <fmt/format.h>
#include <sys/resource.h>

#include "ecommerce/auth/password.hpp"

namespace flow::ecommerce {
namespace {

constexpr int lower_priority = 5;  // Nice value: requests that do not hash go first.

net::Task<std::string> hash_here(std::string password, int cost) {
  co_return hash_password(password, cost);
}

net::Task<bool> matches_here(std::string password, std::string hash) {
  co_return is_password(password, hash);
}

}  // namespace

struct PasswordPool::Worker {
  explicit Worker(int index) : io(fmt::format("bcrypt-{}", index)) {
    io.post([] { setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), lower_priority); });
  }
  net::IoThread io;
  std::size_t queued = 0;
};

struct PasswordPool::Place {
  Place(PasswordPool& pool, Worker& worker) : pool_(pool), worker_(worker) {
    ++pool_.queued_;
    ++worker_.queued;
  }
  ~Place() {
    --pool_.queued_;
    --worker_.queued;
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

 private:
  PasswordPool& pool_;
  Worker& worker_;
};

PasswordPool::PasswordPool(Options options)
    : options_(options), decoy_hash_(hash_password("decoy", options.cost)) {
  for (int i = 0; i < options_.threads; ++i) workers_.push_back(std::make_unique<Worker>(i));
}

PasswordPool::~PasswordPool() = default;

PasswordPool::Worker* PasswordPool::least_busy() {
  if (queued_ >= options_.queued_max) return nullptr;
  return std::ranges::min_element(workers_, {}, [](const auto& worker) { return worker->queued; })
      ->get();
}

net::Task<std::optional<std::string>> PasswordPool::hash(std::string password) {
  Worker* const worker = least_busy();
  if (worker == nullptr) co_return std::nullopt;
  const Place place(*this, *worker);
  std::string hash = co_await net::asio::co_spawn(worker->io.executor(),
                                                  hash_here(std::move(password), options_.cost),
                                                  net::asio::use_awaitable);
  co_return hash;
}

net::Task<std::optional<bool>> PasswordPool::matches(std::string password, std::string hash) {
  Worker* const worker = least_busy();
  if (worker == nullptr) co_return std::nullopt;
  const Place place(*this, *worker);
  const bool is_known = !hash.empty();
  if (!is_known) hash = decoy_hash_;
  const bool equal = co_await net::asio::co_spawn(
      worker->io.executor(), matches_here(std::move(password), std::move(hash)),
      net::asio::use_awaitable);
  co_return is_known&& equal;
}

}  // namespace flow::ecommerce

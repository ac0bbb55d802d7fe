// The fake's log: topics, partitions, records in memory. Consumers are told by a callback.
// Thread: one IoThread.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/stamp.hpp"
#include "streaming/fake/driver.hpp"

namespace flow::streaming::fake {

struct StoredRecord {
  std::string key;
  std::vector<std::byte> payload;
  std::optional<base::Stamp> stamp;
};

struct Topic {
  std::string name;
  std::vector<std::vector<StoredRecord>> partitions;
  std::uint64_t next_without_key = 0;  // Partitions in turn.
};

class Broker {
 public:
  explicit Broker(FakeConfig config);

  const FakeConfig& config() const { return config_; }
  Topic* find(std::string_view name);  // Null when there is none; stays valid until remove().
  bool add(const TopicSpec& spec);     // False when it exists.
  bool remove(std::string_view name);

  Fate next_fate() { return config_.fate ? config_.fate(next_++) : Fate{}; }
  bool has_room_for(std::size_t bytes) const {
    return stored_bytes_ + bytes <= config_.stored_bytes_max;
  }
  void store(Topic& topic, std::int32_t partition, const StoredRecord& record);

  // `on_stored` is called after each store; the id is for unwatch().
  int watch(std::function<void()> on_stored);
  void unwatch(int id) { watchers_.erase(id); }

 private:
  FakeConfig config_;
  std::map<std::string, std::unique_ptr<Topic>, std::less<>> topics_;
  std::uint64_t next_ = 0;
  std::size_t stored_bytes_ = 0;
  std::map<int, std::function<void()>> watchers_;
  int next_watcher_ = 0;
};

}  // namespace flow::streaming::fake

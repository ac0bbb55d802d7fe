// SPDX-License-Identifier: Apache-2.0
#include "streaming/fake/broker.hpp"

#include "streaming/settings.hpp"

namespace flow::streaming::fake {
namespace {

struct FakeSettings {
  std::int64_t delay_us = 0;
  std::uint64_t reject_every = 0;
  std::uint64_t lose_every = 0;
  std::uint64_t time_out_every = 0;
  std::uint64_t drop_every = 0;
  std::uint64_t duplicate_every = 0;
  bool store = true;
  std::uint64_t queue_messages_max = 10'000;
  std::uint64_t message_bytes_max = 1024 * 1024;

  static void describe(auto& keys) {
    using C = FakeSettings;
    constexpr Bounds every{0, 1'000'000'000};
    keys.add("delay_us", &C::delay_us, {0, 60'000'000}, "from publish to the outcome");
    keys.add("reject_every", &C::reject_every, every, "each n-th publish is rejected");
    keys.add("lose_every", &C::lose_every, every, "each n-th publish is lost");
    keys.add("time_out_every", &C::time_out_every, every, "each n-th publish times out");
    keys.add("drop_every", &C::drop_every, every, "each n-th publish is acked but not stored");
    keys.add("duplicate_every", &C::duplicate_every, every, "each n-th publish is stored twice");
    keys.add("store", &C::store, "false: records are acked and forgotten");
    keys.add("queue_messages_max", &C::queue_messages_max, {1, 10'000'000}, "bound of the queue");
    keys.add("message_bytes_max", &C::message_bytes_max, {1, 1'000'000'000}, "bound of a payload");
  }

  Fate fate(std::uint64_t n) const {
    const auto is_due = [n](std::uint64_t every) { return every != 0 && (n + 1) % every == 0; };
    Fate fate{.delay = std::chrono::microseconds(delay_us), .copies = store ? 1 : 0};
    if (is_due(duplicate_every)) fate.copies = 2;
    if (is_due(drop_every)) fate.copies = 0;
    if (is_due(time_out_every)) fate = {Outcome::timed_out, fate.delay, 0};
    if (is_due(lose_every)) fate = {Outcome::lost, fate.delay, 0};
    if (is_due(reject_every)) fate = {Outcome::rejected, fate.delay, 0};
    return fate;
  }
};

}  // namespace

base::Result<FakeConfig> config_from(const Settings& settings) {
  const auto read = read_settings<FakeSettings>(settings, "fake broker");
  if (!read) return std::unexpected(read.error());
  FakeConfig config;
  config.queue_messages_max = read->queue_messages_max;
  config.message_bytes_max = read->message_bytes_max;
  config.fate = [script = *read](std::uint64_t n) { return script.fate(n); };
  return config;
}

Broker::Broker(FakeConfig config) : config_(std::move(config)) {
  for (const TopicSpec& topic : config_.topics) add(topic);
}

Topic* Broker::find(std::string_view name) {
  const auto found = topics_.find(name);
  return found == topics_.end() ? nullptr : found->second.get();
}

bool Broker::add(const TopicSpec& spec) {
  auto topic = std::make_unique<Topic>();
  topic->name = spec.name;
  topic->partitions.resize(static_cast<std::size_t>(spec.partitions));
  return topics_.emplace(spec.name, std::move(topic)).second;
}

bool Broker::remove(std::string_view name) {
  const auto found = topics_.find(name);
  if (found == topics_.end()) return false;
  topics_.erase(found);
  return true;
}

void Broker::store(Topic& topic, std::int32_t partition, const StoredRecord& record) {
  stored_bytes_ += record.payload.size() + record.key.size();
  topic.partitions[static_cast<std::size_t>(partition)].push_back(record);
  for (const auto& [id, on_stored] : watchers_) on_stored();
}

int Broker::watch(std::function<void()> on_stored) {
  watchers_.emplace(next_watcher_, std::move(on_stored));
  return next_watcher_++;
}

}  // namespace flow::streaming::fake

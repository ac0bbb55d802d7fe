// What the Pulsar client can be told. Units live in types or names. describe() is the one list of
// keys: the parser, the list in an error and the effective settings of a result are visitors of it.
// Thread: any; plain values.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "net/url.hpp"
#include "streaming/driver.hpp"
#include "streaming/settings.hpp"

namespace flow::streaming::pulsar {

// The numbers of the wire (MessageMetadata.compression).
enum class Compression : std::uint8_t { none = 0, lz4 = 1, zlib = 2, zstd = 3, snappy = 4 };

inline constexpr Choice<Compression> compressions[] = {
    {"none", Compression::none}, {"lz4", Compression::lz4}, {"zstd", Compression::zstd}};

struct ProducerConfig {
  std::chrono::milliseconds linger{1};
  std::uint32_t batch_bytes_max = 128 * 1024;
  std::uint32_t batch_messages_max = 1000;
  Compression compression = Compression::lz4;
  std::uint32_t queue_messages_max = 10'000;
  std::uint64_t queue_bytes_max = 256 * 1024 * 1024;
  std::chrono::milliseconds send_timeout{30'000};
  std::uint32_t connections_per_broker = 1;

  static void describe(auto& keys) {
    using C = ProducerConfig;
    keys.add("linger_ms", &C::linger, {0, 60'000}, "how long a batch may wait for company");
    keys.add("batch_bytes_max", &C::batch_bytes_max, {1, 1 << 30},
             "sum of keys, payloads and their headers at which a batch is sent");
    keys.add("batch_messages_max", &C::batch_messages_max, {1, 1'000'000},
             "messages at which a batch is sent; 1 = no batching");
    keys.add("compression", &C::compression, std::span<const Choice<Compression>>(compressions),
             "of a batch: lz4, zstd or none");
    keys.add("queue_messages_max", &C::queue_messages_max, {1, 100'000'000},
             "accepted and undecided messages, reserved places included; beyond it queue_full");
    keys.add("queue_bytes_max", &C::queue_bytes_max, {1, 1LL << 40},
             "keys and payloads of undecided messages; a publish without a reserved place beyond "
             "it is queue_full");
    keys.add("send_timeout_ms", &C::send_timeout, {0, 86'400'000},
             "after which an undecided message is timed_out; 0 = never");
    keys.add("connections_per_broker", &C::connections_per_broker, {1, 64},
             "over which the producers of a broker's partitions are spread");
  }
};

struct ConsumerConfig {
  std::uint32_t receiver_queue = 1000;

  static void describe(auto& keys) {
    using C = ConsumerConfig;
    keys.add("receiver_queue", &C::receiver_queue, {1, 1'000'000},
             "messages per partition that the broker may send ahead");
  }
};

// Policies of the namespace, set before the first topic is created in it.
struct TopicConfig {
  std::uint32_t ensemble = 0;
  std::uint32_t write_quorum = 0;
  std::uint32_t ack_quorum = 0;
  std::int32_t retention_minutes = -1;
  std::int32_t retention_mib = -1;
  std::int64_t backlog_quota_bytes = -1;

  static void describe(auto& keys) {
    using C = TopicConfig;
    keys.add("ensemble", &C::ensemble, {0, 1000},
             "bookies that share a ledger; 0, with both quorums 0: the broker's default");
    keys.add("write_quorum", &C::write_quorum, {0, 1000}, "bookies that store each entry");
    keys.add("ack_quorum", &C::ack_quorum, {0, 1000},
             "bookies that must have stored an entry before it counts");
    keys.add("retention_minutes", &C::retention_minutes, {-1, 1 << 30}, "-1 = for ever");
    keys.add("retention_mib", &C::retention_mib, {-1, 1 << 30}, "per topic; -1 = without bound");
    keys.add("backlog_quota_bytes", &C::backlog_quota_bytes, {-1, 1LL << 60},
             "of unread messages per subscription; -1 = without bound");
  }
};

// Errc::config names key, value, what was expected and, for an unknown key, the known ones.
base::Result<ProducerConfig> parse_producer_config(const Settings& settings);
base::Result<ConsumerConfig> parse_consumer_config(const Settings& settings);
base::Result<TopicConfig> parse_topic_config(const Settings& settings);

// Every key with its value, each behind "producer.", "consumer." or "topic.".
Settings effective_settings(const ProducerConfig& producer, const ConsumerConfig& consumer,
                            const TopicConfig& topic);

// "pulsar://a:6650,b:6650"; the port defaults to 6650. pulsar+ssl:// is a clear error.
base::Result<std::vector<net::HostPort>> parse_service_url(std::string_view url);

struct TopicName {
  std::string tenant, space, local;

  std::string full() const;        // persistent://tenant/namespace/local
  std::string rest_path() const;   // persistent/tenant/namespace/local, percent-encoded
  std::string space_path() const;  // tenant/namespace, percent-encoded
};
// "orders", "tenant/namespace/orders" or "persistent://tenant/namespace/orders".
base::Result<TopicName> parse_topic_name(std::string_view name);
std::string partition_topic(const TopicName& topic, int partition);  // …-partition-N

}  // namespace flow::streaming::pulsar

// What a Kafka producer, consumer and topic can be told. Units live in types or names; defaults are
// those of the Java client (the `default` level), not librdkafka's. describe() is the one list of
// keys. Beside them, "rdkafka.<name>" hands a property to librdkafka as it is (TLS, SASL: what a
// managed cluster asks for), "topic.<name>" a configuration to a new topic.
// Thread: any; plain values, no vendor header.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "base/result.hpp"
#include "streaming/driver.hpp"
#include "streaming/kafka/driver.hpp"
#include "streaming/settings.hpp"

namespace flow::streaming::kafka {

enum class Acks : std::uint8_t { none, leader, all };
enum class Compression : std::uint8_t { none, gzip, snappy, lz4, zstd };

inline constexpr Choice<Acks> acks_choices[] = {
    {"0", Acks::none}, {"1", Acks::leader}, {"all", Acks::all}};
inline constexpr Choice<Compression> compression_choices[] = {{"none", Compression::none},
                                                              {"lz4", Compression::lz4},
                                                              {"zstd", Compression::zstd},
                                                              {"snappy", Compression::snappy},
                                                              {"gzip", Compression::gzip}};

struct ProducerConfig {
  Acks acks = Acks::all;
  bool idempotence = true;
  std::chrono::milliseconds linger{5};
  std::uint32_t batch_bytes_max = 16 * 1024;
  std::uint32_t batch_messages_max = 10'000;
  Compression compression = Compression::lz4;
  std::uint32_t in_flight_max = 5;
  std::chrono::milliseconds delivery_timeout{30'000};
  std::chrono::milliseconds request_timeout{30'000};
  std::uint32_t queue_messages_max = 10'000;
  std::uint32_t queue_kbytes_max = 32 * 1024;
  std::uint32_t message_bytes_max = 1024 * 1024;

  static void describe(auto& keys) {
    using C = ProducerConfig;
    keys.add("acks", &C::acks, acks_choices, "replicas that must hold a record: 0, 1, all");
    keys.add("idempotence", &C::idempotence, "the broker drops what a retry sends twice");
    keys.add("linger_ms", &C::linger, {0, 900'000}, "how long a batch may wait for company");
    keys.add("batch_bytes_max", &C::batch_bytes_max, {1, 100'000'000},
             "size at which a batch stops waiting");
    keys.add("batch_messages_max", &C::batch_messages_max, {1, 1'000'000},
             "count at which a batch stops waiting");
    keys.add("compression", &C::compression, compression_choices, "of a batch");
    keys.add("in_flight_max", &C::in_flight_max, {1, 1'000'000},
             "requests on a connection without an answer");
    keys.add("delivery_timeout_ms", &C::delivery_timeout, {1, 2'147'483'647},
             "after it a publish is timed_out");
    keys.add("request_timeout_ms", &C::request_timeout, {10, 300'000},
             "after it a request is sent again");
    keys.add("queue_messages_max", &C::queue_messages_max, {1, 5'000'000},
             "publishes accepted and not decided, and reserved places; then queue_full");
    keys.add("queue_kbytes_max", &C::queue_kbytes_max, {1, 2'000'000},
             "keys and payloads of those, in KiB; then queue_full (reserved ones still pass)");
    keys.add("message_bytes_max", &C::message_bytes_max, {1'000, 1'000'000'000},
             "a larger record or batch is rejected");
  }
};

struct ConsumerConfig {
  std::chrono::milliseconds fetch_wait{500};
  std::uint32_t fetch_bytes_min = 1;
  std::uint32_t fetch_bytes_max = 50 * 1024 * 1024;
  std::uint32_t partition_fetch_bytes_max = 1024 * 1024;
  std::chrono::milliseconds fetch_backoff{50};
  std::uint32_t queue_messages_min = 100'000;
  std::uint32_t queue_kbytes_max = 64 * 1024;
  bool check_crcs = true;

  static void describe(auto& keys) {
    using C = ConsumerConfig;
    keys.add("fetch_wait_ms", &C::fetch_wait, {0, 50'000},
             "how long the broker may hold an answer below fetch_bytes_min");
    keys.add("fetch_bytes_min", &C::fetch_bytes_min, {1, 100'000'000},
             "with 1 the broker answers as soon as there is a record");
    keys.add("fetch_bytes_max", &C::fetch_bytes_max, {1'000, 1'000'000'000}, "of one answer");
    keys.add("partition_fetch_bytes_max", &C::partition_fetch_bytes_max, {1'000, 1'000'000'000},
             "of one partition in an answer");
    keys.add("fetch_backoff_ms", &C::fetch_backoff, {1, 300'000}, "after a failed fetch");
    keys.add("queue_messages_min", &C::queue_messages_min, {1, 10'000'000},
             "records per partition that are fetched ahead");
    keys.add("queue_kbytes_max", &C::queue_kbytes_max, {1, 2'097'151},
             "of all partitions together, fetched ahead");
    keys.add("check_crcs", &C::check_crcs, "damaged data on the wire or disk is an error");
  }
};

struct TopicConfig {
  std::uint32_t replication_factor = 1;
  std::uint32_t min_insync_replicas = 1;
  std::uint64_t flush_messages = 0;

  static void describe(auto& keys) {
    using C = TopicConfig;
    keys.add("replication_factor", &C::replication_factor, {1, 100}, "copies of a partition");
    keys.add("min_insync_replicas", &C::min_insync_replicas, {1, 100},
             "copies that acks=all must reach, or the broker refuses");
    keys.add("flush_messages", &C::flush_messages, {0, 1'000'000'000},
             "fsync after each n records; 0: never forced");
  }
};

// A KafkaConfig after reading: typed, checked, with what is passed on untouched.
struct ParsedConfig {
  std::string bootstrap;
  std::string client_id;
  ProducerConfig producer;
  ConsumerConfig consumer;
  TopicConfig topic;
  Settings producer_raw;  // librdkafka's names, without the prefix.
  Settings consumer_raw;
  Settings topic_raw;  // Kafka's topic configuration names, without the prefix.
};

base::Result<ParsedConfig> parse_config(const KafkaConfig& config);

// Everything handed to librdkafka, by its names. Pure: what the tests and the result show is what
// the client gets.
Settings producer_properties(const ParsedConfig& config);
Settings consumer_properties(const ParsedConfig& config);
Settings admin_properties(const ParsedConfig& config);

// What a new topic is created with, by Kafka's names ("min.insync.replicas").
Settings topic_properties(const ParsedConfig& config);

}  // namespace flow::streaming::kafka

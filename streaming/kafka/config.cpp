// SPDX-License-Identifier: Apache-2.0
#include "streaming/kafka/config.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "net/url.hpp"

namespace flow::streaming::kafka {
namespace {

using base::Errc;
using base::fail;
using base::Result;

constexpr std::string_view raw_prefix = "rdkafka.";
constexpr std::string_view topic_prefix = "topic.";

// What the driver's promises rest on, or what has a key of its own: not to be passed through.
constexpr std::array<std::string_view, 34> owned_properties = {
    "acks",
    "request.required.acks",
    "allow.auto.create.topics",
    "auto.commit.enable",
    "auto.offset.reset",
    "batch.num.messages",
    "batch.size",
    "bootstrap.servers",
    "client.id",
    "compression.codec",
    "compression.type",
    "delivery.report.only.error",
    "delivery.timeout.ms",
    "enable.auto.commit",
    "enable.auto.offset.store",
    "enable.idempotence",
    "enable.partition.eof",
    "fetch.max.bytes",
    "fetch.min.bytes",
    "fetch.wait.max.ms",
    "group.id",
    "linger.ms",
    "log.queue",
    "max.in.flight.requests.per.connection",
    "message.max.bytes",
    "message.timeout.ms",
    "metadata.broker.list",
    "partitioner",
    "queue.buffering.max.kbytes",
    "queue.buffering.max.messages",
    "queue.buffering.max.ms",
    "request.timeout.ms",
    "test.mock.num.brokers",
    "transactional.id"};

std::string text_of(auto value) { return fmt::format("{}", value); }
std::string text_of(bool value) { return value ? "true" : "false"; }
std::string text_of(std::chrono::milliseconds value) { return fmt::format("{}", value.count()); }

template <class Enum>
std::string text_of(std::span<const Choice<Enum>> choices, Enum value) {
  for (const auto& choice : choices) {
    if (choice.value == value) return std::string(choice.name);
  }
  return {};
}

Result<Settings> without_prefix(const Settings& settings, std::string_view prefix,
                                std::string_view subject) {
  Settings bare;
  for (const auto& [key, value] : settings) {
    const std::string name = key.substr(prefix.size());
    if (prefix == raw_prefix && std::ranges::count(owned_properties, name) > 0) {
      return fail(Errc::config,
                  "{} setting {}={}: {} is set by Flow, by a key of its own or always", subject,
                  key, value, name);
    }
    bare.emplace_back(name, value);
  }
  return bare;
}

template <class Config>
Result<Config> parse_part(const Settings& settings, std::string_view subject,
                          std::string_view prefix, Settings& raw) {
  Settings prefixed;
  auto config = read_settings<Config>(settings, subject, prefix, &prefixed);
  if (!config) return config;
  auto bare = without_prefix(prefixed, prefix, subject);
  if (!bare) return std::unexpected(bare.error());
  raw = std::move(*bare);
  return config;
}

// What librdkafka would refuse too, in our words and before anything starts.
Result<void> check_producer(const ProducerConfig& config) {
  if (config.idempotence && config.acks != Acks::all) {
    return fail(Errc::config,
                "kafka producer setting idempotence=true: needs acks=all, found acks={}",
                text_of(std::span<const Choice<Acks>>(acks_choices), config.acks));
  }
  if (config.idempotence && config.in_flight_max > 5) {
    return fail(
        Errc::config,
        "kafka producer setting idempotence=true: needs in_flight_max of at most 5, found {}",
        config.in_flight_max);
  }
  if (config.linger > config.delivery_timeout) {
    return fail(Errc::config,
                "kafka producer setting linger_ms={}: must not exceed delivery_timeout_ms={}",
                config.linger.count(), config.delivery_timeout.count());
  }
  return {};
}

Result<void> check_topic(const TopicConfig& config) {
  if (config.min_insync_replicas > config.replication_factor) {
    return fail(Errc::config,
                "kafka topic setting min_insync_replicas={}: exceeds replication_factor={}",
                config.min_insync_replicas, config.replication_factor);
  }
  return {};
}

// What every client has in common, set where librdkafka differs from the Java client or where its
// default matters to a measurement.
Settings common_properties(const ParsedConfig& config) {
  return {
      {"bootstrap.servers", config.bootstrap},
      {"client.id", config.client_id},
      {"log.queue", "true"},
      {"log_level", "4"},
      {"log.connection.close", "false"},
      {"socket.nagle.disable", "true"},  // librdkafka would let Nagle hold small requests back.
      {"socket.keepalive.enable", "true"},
      {"socket.connection.setup.timeout.ms", "10000"},
      {"connections.max.idle.ms", "0"},
      {"enable.sparse.connections", "false"},  // No connection is opened by a first record.
      {"reconnect.backoff.ms", "50"},
      {"reconnect.backoff.max.ms", "1000"},
      {"topic.metadata.refresh.interval.ms", "10000"},
      {"topic.metadata.refresh.fast.interval.ms", "100"},
      {"topic.metadata.propagation.max.ms", "10000"},  // Then a topic that is gone is an error.
      {"allow.auto.create.topics", "false"},
      {"statistics.interval.ms", "0"},
  };
}

void append(Settings& to, const Settings& from) { to.insert(to.end(), from.begin(), from.end()); }

}  // namespace

Result<ParsedConfig> parse_config(const KafkaConfig& config) {
  ParsedConfig parsed;
  parsed.bootstrap = config.bootstrap;
  parsed.client_id = config.client_id;
  if (auto hosts = net::parse_host_ports(config.bootstrap); !hosts) {
    return std::unexpected(base::with_context("kafka", hosts.error()).error());
  }
  auto producer = parse_part<ProducerConfig>(config.producer, "kafka producer", raw_prefix,
                                             parsed.producer_raw);
  if (!producer) return std::unexpected(producer.error());
  auto consumer = parse_part<ConsumerConfig>(config.consumer, "kafka consumer", raw_prefix,
                                             parsed.consumer_raw);
  if (!consumer) return std::unexpected(consumer.error());
  auto topic = parse_part<TopicConfig>(config.topic, "kafka topic", topic_prefix, parsed.topic_raw);
  if (!topic) return std::unexpected(topic.error());
  if (auto checked = check_producer(*producer); !checked) return std::unexpected(checked.error());
  if (auto checked = check_topic(*topic); !checked) return std::unexpected(checked.error());
  parsed.producer = *producer;
  parsed.consumer = *consumer;
  parsed.topic = *topic;
  return parsed;
}

Settings producer_properties(const ParsedConfig& config) {
  const ProducerConfig& producer = config.producer;
  Settings properties = common_properties(config);
  append(properties,
         {
             {"acks", text_of(std::span<const Choice<Acks>>(acks_choices), producer.acks)},
             {"enable.idempotence", text_of(producer.idempotence)},
             {"linger.ms", text_of(producer.linger)},
             {"batch.size", text_of(producer.batch_bytes_max)},
             {"batch.num.messages", text_of(producer.batch_messages_max)},
             {"compression.type", text_of(std::span<const Choice<Compression>>(compression_choices),
                                          producer.compression)},
             {"compression.level", "-1"},
             {"max.in.flight.requests.per.connection", text_of(producer.in_flight_max)},
             {"delivery.timeout.ms", text_of(producer.delivery_timeout)},
             {"request.timeout.ms", text_of(producer.request_timeout)},
             {"socket.timeout.ms", text_of(producer.request_timeout)},
             {"retry.backoff.ms", "100"},
             {"message.send.max.retries", "2147483647"},  // delivery_timeout_ms ends them.
             {"message.max.bytes", text_of(producer.message_bytes_max)},
             // The queue's bound is ours (queue_messages_max, queue_kbytes_max); librdkafka's own
             // counts until an event is destroyed, and would refuse what we have accepted.
             {"queue.buffering.max.messages", "10000000"},
             {"queue.buffering.max.kbytes", "2147483647"},
             {"queue.buffering.backpressure.threshold", "1"},
             {"delivery.report.only.error", "false"},
             {"partitioner", "murmur2_random"},  // Never asked: every record names its partition.
         });
  append(properties, config.producer_raw);
  return properties;
}

Settings consumer_properties(const ParsedConfig& config) {
  const ConsumerConfig& consumer = config.consumer;
  Settings properties = common_properties(config);
  append(properties,
         {
             {"socket.timeout.ms", "60000"},
             {"fetch.wait.max.ms", text_of(consumer.fetch_wait)},
             {"fetch.min.bytes", text_of(consumer.fetch_bytes_min)},
             {"fetch.max.bytes", text_of(consumer.fetch_bytes_max)},
             {"fetch.message.max.bytes", text_of(consumer.partition_fetch_bytes_max)},
             {"fetch.error.backoff.ms", text_of(consumer.fetch_backoff)},
             {"receive.message.max.bytes", text_of(consumer.fetch_bytes_max + 1'000'000)},
             {"queued.min.messages", text_of(consumer.queue_messages_min)},
             {"queued.max.messages.kbytes", text_of(consumer.queue_kbytes_max)},
             {"check.crcs", text_of(consumer.check_crcs)},
             {"isolation.level", "read_uncommitted"},  // What is in the log, all of it.
             {"enable.partition.eof", "true"},
             {"enable.auto.commit", "false"},
             {"enable.auto.offset.store", "false"},
             // A log that was cut short behind the reader is an error to tell, not to jump over.
             {"auto.offset.reset", "error"},
         });
  append(properties, config.consumer_raw);
  return properties;
}

Settings admin_properties(const ParsedConfig& config) {
  Settings properties = common_properties(config);
  properties.emplace_back("socket.timeout.ms", "60000");
  append(properties, config.producer_raw);
  return properties;
}

Settings topic_properties(const ParsedConfig& config) {
  const std::uint64_t never = 9'223'372'036'854'775'807;  // Kafka's own default.
  const std::uint64_t flush = config.topic.flush_messages;
  Settings properties = {{"min.insync.replicas", text_of(config.topic.min_insync_replicas)},
                         {"flush.messages", text_of(flush == 0 ? never : flush)}};
  append(properties, config.topic_raw);
  return properties;
}

}  // namespace flow::streaming::kafka

// SPDX-License-Identifier: Apache-2.0
#include "streaming/kafka/consumer.hpp"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include <librdkafka/rdkafka.h>

#include "base/check.hpp"
#include "base/stamp.hpp"

namespace flow::streaming::kafka {
namespace {

using base::Errc;
using base::Result;
using base::TimePoint;

constexpr int events_max = 256;  // Per turn of the thread.

struct FreePartition {
  void operator()(rd_kafka_topic_partition_t* partition) const {
    rd_kafka_topic_partition_destroy(partition);
  }
};
using PartitionPointer = std::unique_ptr<rd_kafka_topic_partition_t, FreePartition>;

std::string_view header_of(const rd_kafka_headers_t* headers, std::string_view name) {
  const void* value = nullptr;
  std::size_t bytes = 0;
  if (rd_kafka_header_get_last(headers, name.data(), &value, &bytes) !=
      RD_KAFKA_RESP_ERR_NO_ERROR) {
    return {};
  }
  return {static_cast<const char*>(value), bytes};
}

std::optional<base::Stamp> stamp_of(const rd_kafka_message_t& message) {
  rd_kafka_headers_t* headers = nullptr;
  if (rd_kafka_message_headers(&message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return std::nullopt;
  }
  return base::parse_stamp(header_of(headers, base::traceparent_name),
                           header_of(headers, base::tracestate_name));
}

using Offsets = std::vector<std::vector<std::int64_t>>;

// The end of every partition as of now: one ListOffsets request to the leader for each, which
// blocks: for a helper thread. It goes over connections of its own, because a broker answers the
// requests of a connection in their order, and the reader's has a Fetch waiting for new records
// there (fetch_wait_ms, each time). Nothing when a leader did not answer by the deadline.
std::optional<Offsets> ask_for_ends(const Settings& properties, const std::string& bootstrap,
                                    const std::vector<std::string>& topics, TimePoint deadline) {
  const auto client = Client::create(ClientKind::consumer, properties, bootstrap);
  if (!client || !(*client)->look_up(topics, deadline)) return std::nullopt;
  Offsets ends;
  for (const OpenTopic& topic : (*client)->topics()) {
    ends.emplace_back();
    for (int p = 0; p < topic.partitions; ++p) {
      std::int64_t low = 0;
      std::int64_t high = 0;
      while (rd_kafka_query_watermark_offsets((*client)->handle(), topic.name.c_str(), p, &low,
                                              &high, milliseconds_until(deadline)) !=
             RD_KAFKA_RESP_ERR_NO_ERROR) {
        if (base::now() >= deadline) return std::nullopt;
      }
      ends.back().push_back(high);
    }
  }
  return ends;
}

}  // namespace

KafkaConsumer::KafkaConsumer(net::IoThread& io, std::shared_ptr<Blocking> blocking,
                             std::shared_ptr<Client> client, const ParsedConfig& config,
                             RecordSink& sink)
    : io_(io),
      blocking_(std::move(blocking)),
      client_(std::move(client)),
      config_(config),
      sink_(sink),
      bridge_(io, [this] { return pull(); }) {
  for (const OpenTopic& topic : client_->topics()) {
    next_.emplace_back(static_cast<std::size_t>(topic.partitions), 0);
  }
  client_->write_wakes_to(bridge_.fd());
  bridge_.wake();  // What was queued before the descriptor was known.
}

// Events and not rd_kafka_consume_batch_queue(): that one logs a partition's error or end and
// swallows it.
bool KafkaConsumer::pull() {
  client_->note_all();
  for (int n = 0; n < events_max; ++n) {
    rd_kafka_event_t* event = rd_kafka_queue_poll(client_->records(), 0);
    if (!event) return false;
    const TimePoint now = base::now();
    if (!failed_) take(event, now);
    rd_kafka_event_destroy(event);
    if (stopped_) return false;  // By the sink.
  }
  return true;
}

void KafkaConsumer::take(rd_kafka_event_t* event, TimePoint now) {
  switch (rd_kafka_event_type(event)) {
    case RD_KAFKA_EVENT_FETCH:
      while (const rd_kafka_message_t* message = rd_kafka_event_message_next(event)) {
        if (!stopped_) take(*message, now);
      }
      break;
    case RD_KAFKA_EVENT_ERROR:
      take_error(event);
      break;
    default:
      client_->note(event);
      break;
  }
}

void KafkaConsumer::take(const rd_kafka_message_t& message, TimePoint now) {
  const auto topic = reinterpret_cast<std::uintptr_t>(rd_kafka_topic_opaque(message.rkt));
  next_[topic][static_cast<std::size_t>(message.partition)] = message.offset + 1;
  ++seen_;
  Record record;
  record.topic = static_cast<TopicId>(topic);
  record.partition = message.partition;
  record.position.entry = static_cast<std::uint64_t>(message.offset);
  record.key = {static_cast<const char*>(message.key), message.key_len};
  record.payload = {static_cast<const std::byte*>(message.payload), message.len};
  record.stamp = stamp_of(message);
  record.seen_at = now;
  sink_.on_record(record);
}

void KafkaConsumer::take_error(rd_kafka_event_t* event) {
  const PartitionPointer place(rd_kafka_event_topic_partition(event));
  if (!place) return client_->note(event);  // Of the client: connections, retried inside.
  switch (rd_kafka_event_error(event)) {
    case RD_KAFKA_RESP_ERR__PARTITION_EOF:
      return pass_to(place->topic, place->partition, place->offset);
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
      return;  // librdkafka connects again and goes on where it was.
    default:
      break;
  }
  failed_ = true;
  sink_.on_consumer_error(
      {Errc::io, fmt::format("{}: topic {}, partition {}: {}", client_->subject(), place->topic,
                             place->partition, rd_kafka_event_error_string(event))});
}

// The end of a partition: offsets before it that held no record (markers) are passed too.
void KafkaConsumer::pass_to(std::string_view topic, std::int32_t partition, std::int64_t offset) {
  for (std::size_t i = 0; i < next_.size(); ++i) {
    if (client_->topics()[i].name != topic) continue;
    std::int64_t& next = next_[i][static_cast<std::size_t>(partition)];
    next = std::max(next, offset);
  }
}

net::Task<Result<bool>> KafkaConsumer::read_to_end(TimePoint deadline) {
  const std::shared_ptr<bool> alive = alive_;
  const std::shared_ptr<Blocking> blocking = blocking_;
  std::vector<std::string> topics;
  for (const OpenTopic& topic : client_->topics()) topics.push_back(topic.name);
  auto ask = [properties = consumer_properties(config_), bootstrap = config_.bootstrap,
              topics = std::move(topics),
              deadline] { return ask_for_ends(properties, bootstrap, topics, deadline); };
  const std::optional<Offsets> ends = co_await blocking->call(std::move(ask));
  while (*alive && !failed_ && ends && !has_reached(*ends) && base::now() < deadline) {
    co_await net::sleep_until(std::min(deadline, base::now() + std::chrono::milliseconds(2)));
  }
  co_return *alive&& ends&& has_reached(*ends);
}

bool KafkaConsumer::has_reached(const Offsets& ends) const {
  for (std::size_t topic = 0; topic < ends.size(); ++topic) {
    for (std::size_t p = 0; p < ends[topic].size(); ++p) {
      if (next_[topic][p] < ends[topic][p]) return false;
    }
  }
  return true;
}

void KafkaConsumer::stop() {
  if (stopped_) return;
  stopped_ = true;
  *alive_ = false;
  client_->stop_wakes();
  bridge_.stop();
  blocking_->run_later([client = std::move(client_)]() mutable { client.reset(); });
}

}  // namespace flow::streaming::kafka

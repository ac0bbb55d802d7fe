// The only door to a broker. Kafka, Pulsar and the in-memory fake stand behind it; code above
// this header names no broker and includes no vendor header.
//
// Moments, the same on every platform: *published* is the caller's clock just before
// try_publish(); *acked* and *seen* are read when the driver's own IoThread takes the broker's
// answer or record, before anything else is done with it.
//
// Keys choose partitions by Kafka's murmur2 (streaming/partitioner.hpp) on every platform.
//
// Thread: a Driver has one IoThread; every call and callback happens there, except where a comment
// says otherwise.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "base/stamp.hpp"
#include "net/io_thread.hpp"

namespace flow::streaming {

using Settings = std::vector<std::pair<std::string, std::string>>;  // In order, as written.

enum class TopicId : std::uint16_t {};  // Index into the list of topics given at open.
enum class Ticket : std::uint64_t {};   // Chosen by the caller, handed back with the outcome.

enum class Admission : std::uint8_t { accepted, queue_full };

// What became of an accepted publish.
enum class Outcome : std::uint8_t {
  acked,      // The broker said yes, as the level's acks ask.
  rejected,   // The broker or the driver's bounds said no: it is not stored.
  timed_out,  // Nobody knows: the delivery deadline passed first.
  lost,       // Nobody knows: the connection is gone for good, or the producer was stopped.
};

struct Message {
  TopicId topic{};
  std::string_view key;  // Empty: no key, partitions in turn.
  std::span<const std::byte> payload;
  base::Stamp stamp;  // Travels as trace context in headers or properties. trial 0: none is sent.
};

struct Delivery {
  Outcome outcome = Outcome::lost;
  base::TimePoint decided_at;
  std::int32_t partition = -1;  // -1: not known.
};

struct DeliverySink {
  virtual void on_delivery(Ticket ticket, const Delivery& delivery) = 0;

 protected:
  ~DeliverySink() = default;  // Borrowed, never owned: it must outlive the producer.
};

class Producer {
 public:
  virtual ~Producer() = default;

  // Takes a place in the queue for later; false when it is full. try_publish() with `reserved` then
  // cannot be refused. release() gives an unused place back.
  [[nodiscard]] virtual bool reserve() = 0;
  virtual void release() = 0;

  // Never blocks, never loses count: after `accepted` exactly one on_delivery() follows (never from
  // inside this call), after `queue_full` none. The message is copied. A message over the broker's
  // size bound is accepted and then rejected.
  [[nodiscard]] virtual Admission try_publish(Ticket ticket, const Message& message,
                                              bool reserved = false) = 0;

  // Accepted and not yet decided, and reserved: what counts against the queue's bound.
  virtual std::size_t queued() const = 0;

  // Sends what waits in open batches now. Completes once every accepted ticket is decided, or fails
  // with Errc::timed_out.
  virtual net::Task<base::Result<void>> drain(base::TimePoint deadline) = 0;

  // Decides what is still open as `lost`, then closes. After it no call but the destructor.
  virtual void stop() = 0;
};

// Where a record stands in its partition; ordered. Kafka: entry = offset. Pulsar: all three.
struct Position {
  std::uint64_t ledger = 0;
  std::uint64_t entry = 0;
  std::uint32_t index = 0;
  auto operator<=>(const Position&) const = default;
};

struct Record {
  TopicId topic{};
  std::int32_t partition = 0;
  Position position;
  std::string_view key;                // Valid during the call.
  std::span<const std::byte> payload;  // Valid during the call.
  std::optional<base::Stamp> stamp;
  base::TimePoint seen_at;
};

struct RecordSink {
  virtual void on_record(const Record& record) = 0;
  // The consumer cannot go on (authorisation, a topic that is gone, damaged data): the reading is
  // incomplete from here on. Connection losses are retried inside and are no error.
  virtual void on_consumer_error(const base::Error& error) = 0;

 protected:
  ~RecordSink() = default;  // Borrowed: it must outlive the consumer.
};

// Reads every partition of its topics from the earliest record, without a consumer group: exactly
// what is in the log, in the order of each partition.
class Consumer {
 public:
  virtual ~Consumer() = default;

  // Asks every partition for its end as of now and completes with true once every record before it
  // was handed to the sink, false when the deadline passed first.
  virtual net::Task<base::Result<bool>> read_to_end(base::TimePoint deadline) = 0;

  virtual std::uint64_t records_seen() const = 0;
  virtual void stop() = 0;
};

struct TopicSpec {
  std::string name;  // Short: "orders".
  int partitions = 6;
};

class Admin {
 public:
  virtual ~Admin() = default;

  // Readiness by protocol: how many brokers the cluster's own metadata lists.
  virtual net::Task<base::Result<int>> broker_count(base::TimePoint deadline) = 0;

  // Creates the topics with the level's topic settings and waits until every partition has a
  // leader that takes records. A topic that exists is an error (Errc::refused).
  virtual net::Task<base::Result<void>> create_topics(std::vector<TopicSpec> topics,
                                                      base::TimePoint deadline) = 0;
  virtual net::Task<base::Result<void>> delete_topics(std::vector<std::string> names,
                                                      base::TimePoint deadline) = 0;

  // What is in force for a topic, as the broker tells it: stored with the result.
  virtual net::Task<base::Result<Settings>> describe_topic(std::string name,
                                                           base::TimePoint deadline) = 0;
};

class Driver {
 public:
  virtual ~Driver() = default;

  virtual std::string_view platform() const = 0;    // "kafka", "pulsar", "fake"
  virtual net::IoThread& io() = 0;                  // Any thread.
  virtual Settings effective_settings() const = 0;  // Everything set, defaults included.
  virtual std::string client_version() const = 0;   // "librdkafka 2.0.2"

  // Connects and looks the topics up (they must exist). TopicId i means topics[i]. `sink` is called
  // on this driver's IoThread. Fails with a sentence after `deadline` when the broker is not there.
  virtual net::Task<base::Result<std::unique_ptr<Producer>>> open_producer(
      std::vector<std::string> topics, DeliverySink& sink, base::TimePoint deadline) = 0;
  virtual net::Task<base::Result<std::unique_ptr<Consumer>>> open_consumer(
      std::vector<std::string> topics, RecordSink& sink, base::TimePoint deadline) = 0;
  virtual base::Result<std::unique_ptr<Admin>> open_admin() = 0;
};

}  // namespace flow::streaming

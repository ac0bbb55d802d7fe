// Publishes to one partition, without sockets or clocks: batches, the queue of entries that wait
// for their receipts, and the way back after a lost connection.
//   resolving -> creating (PRODUCER sent) -> ready -> waiting (backoff) -> resolving … | ended
// Invariants: entries wait in one queue in the order of their sequence ids; an entry is sent again
// byte for byte, before any newer one; every message is decided once.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "streaming/driver.hpp"
#include "streaming/pulsar/backoff.hpp"
#include "streaming/pulsar/client.hpp"
#include "streaming/pulsar/config.hpp"
#include "streaming/pulsar/entry.hpp"

namespace flow::streaming::pulsar {

class PartitionProducer final : public ProducerEvents,
                                public std::enable_shared_from_this<PartitionProducer> {
 public:
  class Owner {
   public:
    // Of messages with `bytes` of keys and payloads in all.
    virtual void decide(std::span<const Ticket> tickets, std::size_t bytes, Delivery delivery) = 0;
    virtual void on_producer_ready() = 0;  // The first time only.
    // An attempt failed. Final: the producer has ended; else it tries again.
    virtual void on_producer_failure(const Failure& failure) = 0;

   protected:
    ~Owner() = default;
  };
  struct Options {
    std::string topic;  // Full name of the partition.
    std::int32_t partition = 0;
    std::uint32_t connection_index = 0;  // Kept for life: the broker knows a producer by it.
  };

  PartitionProducer(Client& client, Owner& owner, const ProducerConfig& config, Options options);
  ~PartitionProducer();

  void start();
  // The first start() must have led to on_producer_ready().
  void publish(Ticket ticket, const Message& message);
  bool batch_is_open() const { return !batch_.empty(); }
  void flush();
  void stop();  // Decides everything as lost and closes.

  void on_receipt(const Receipt& receipt, base::TimePoint at) override;
  void on_send_failure(const SendFailure& failure, base::TimePoint at) override;
  void on_closed_by_broker(std::string_view assigned_url) override;
  void on_connection_lost(const Failure& failure) override;

 private:
  enum class State : std::uint8_t { idle, resolving, creating, ready, waiting, ended };
  struct Entry {
    std::uint64_t first = 0;  // Sequence ids.
    std::uint64_t last = 0;
    FrameRef frame;
    std::size_t message_bytes = 0;  // Metadata and payload as sent.
    std::vector<Ticket> tickets;
    std::size_t bytes = 0;  // Keys and payloads, for the owner's bound.
    base::TimePoint deadline;
  };

  void attempt();
  void create(const std::shared_ptr<Connection>& connection);
  void on_created(const Command& command);
  void retry(const Failure& failure, bool now);
  void end(const Failure& failure);
  void leave_connection();
  void seal();
  void send_waiting();
  void decide(Entry& entry, Outcome outcome, base::TimePoint at);
  void decide_open_batch(Outcome outcome, base::TimePoint at);
  void reject_too_large();
  void close_mismatched(const Receipt& receipt);
  void on_terminated(std::deque<Entry>::iterator from, const SendFailure& failure,
                     base::TimePoint at);
  void on_send_timeout(base::TimePoint now);
  void arm_send_timeout();

  Client& client_;
  Owner& owner_;
  const ProducerConfig config_;
  const Options options_;
  const std::uint64_t producer_id_;

  State state_ = State::idle;
  std::uint64_t attempt_ = 0;  // Answers to an older attempt are ignored.
  std::shared_ptr<Connection> connection_;
  Address address_;                  // What the last lookup said.
  std::optional<Address> assigned_;  // By the broker that unloaded the topic; for one attempt.
  bool was_ready_ = false;
  std::string name_;  // The broker's; empty until the first answer.
  std::uint64_t epoch_ = 0;
  std::uint64_t next_sequence_id_ = 0;
  std::uint32_t message_bytes_max_ = message_bytes_max_default;
  Backoff backoff_;

  BatchBuilder batch_;
  std::vector<Ticket> batch_tickets_;
  std::size_t batch_bytes_ = 0;  // Keys and payloads.
  base::TimePoint batch_since_;
  std::deque<Entry> queue_;
  Bytes scratch_;
  std::vector<std::vector<Ticket>> spare_tickets_;  // Used up, kept for their memory.

  Timer linger_timer_;
  Timer retry_timer_;
  Timer send_timeout_timer_;
};

}  // namespace flow::streaming::pulsar

// Publishes to all partitions of some topics: which partition a message goes to, the bound of the
// queue, and the deliveries to the application. Sans-I/O.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "streaming/pulsar/partition_producer.hpp"

namespace flow::streaming::pulsar {

class TopicProducer final : public Deferred,
                            private PartitionProducer::Owner,
                            public std::enable_shared_from_this<TopicProducer> {
 public:
  // Empty: every partition is ready.
  using OpenHandler = std::function<void(const std::optional<base::Error>&)>;

  TopicProducer(Client& client, const ProducerConfig& config, DeliverySink& sink);

  // `topics` are full names. Tries until it succeeds, fails for good or is stopped.
  void open(const std::vector<std::string>& topics, OpenHandler handler);
  const std::optional<Failure>& last_failure() const { return last_failure_; }

  bool reserve();
  void release();
  Admission try_publish(Ticket ticket, const Message& message, bool reserved);
  std::size_t queued() const { return undecided_ + reserved_; }
  std::size_t undecided() const { return undecided_; }
  void flush();
  // Calls `handler` once, when nothing is undecided any more.
  void when_idle(std::function<void()> handler) { idle_.push_back(std::move(handler)); }
  void stop();

  void run_deferred() override;

 private:
  struct Topic {
    std::string name;
    std::vector<std::shared_ptr<PartitionProducer>> partitions;
    std::size_t turn = 0;  // The partition that messages without a key go to now.
  };
  struct Decision {
    Ticket ticket;
    Delivery delivery;
  };

  void count_partitions(std::size_t topic);
  void start_partitions(std::size_t topic, int count);
  void finish_open(const std::optional<base::Error>& error);
  PartitionProducer& choose(Topic& topic, std::string_view key);

  void decide(std::span<const Ticket> tickets, std::size_t bytes, Delivery delivery) override;
  void on_producer_ready() override;
  void on_producer_failure(const Failure& failure) override;

  Client& client_;
  const ProducerConfig config_;
  DeliverySink& sink_;
  std::vector<Topic> topics_;
  std::size_t topics_uncounted_ = 0;
  std::size_t partitions_unready_ = 0;
  std::uint32_t next_connection_index_ = 0;
  OpenHandler open_handler_;
  std::optional<Failure> last_failure_;
  Backoff backoff_;
  std::vector<std::unique_ptr<Timer>> retry_timers_;  // One per topic, for counting.

  std::size_t undecided_ = 0;  // Accepted; on_delivery() has not been called.
  std::size_t reserved_ = 0;
  std::size_t bytes_ = 0;  // Keys and payloads of messages without a decision.
  std::vector<Decision> decisions_;
  std::size_t decisions_next_ = 0;
  bool is_deferred_ = false;
  bool is_stopped_ = false;
  std::vector<std::function<void()>> idle_;
};

}  // namespace flow::streaming::pulsar

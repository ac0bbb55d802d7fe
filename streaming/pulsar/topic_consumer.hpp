// Reads all partitions of some topics. Sans-I/O.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "streaming/pulsar/config.hpp"
#include "streaming/pulsar/partition_consumer.hpp"

namespace flow::streaming::pulsar {

class TopicConsumer final : public Deferred,
                            private PartitionConsumer::Owner,
                            public std::enable_shared_from_this<TopicConsumer> {
 public:
  using OpenHandler = std::function<void(const std::optional<base::Error>&)>;

  TopicConsumer(Client& client, const ConsumerConfig& config, RecordSink& sink);

  // `topics` are full names. Tries until it succeeds, fails for good or is stopped.
  void open(const std::vector<std::string>& topics, OpenHandler handler);
  const std::optional<Failure>& last_failure() const { return last_failure_; }
  // Why it cannot go on; empty: it can.
  const std::optional<base::Error>& final_error() const { return final_error_; }

  // Asks every partition for its end; `handler` is called once, when all are reached, when the
  // consumer cannot go on, or when it is stopped.
  void read_to_end(std::function<void()> handler);
  bool is_at_end() const;

  std::uint64_t records_seen() const { return records_seen_; }
  void stop();

  void run_deferred() override;

 private:
  void count_partitions(std::size_t topic);
  void start_partitions(std::size_t topic, int count);
  void finish_open(const std::optional<base::Error>& error);

  void on_record(const Record& record) override;
  void on_consumer_ready() override;
  void on_consumer_failure(const Failure& failure) override;
  void on_consumer_end() override;

  Client& client_;
  const ConsumerConfig config_;
  RecordSink& sink_;
  std::vector<std::string> topics_;
  std::vector<std::shared_ptr<PartitionConsumer>> partitions_;
  std::size_t topics_uncounted_ = 0;
  std::size_t partitions_unready_ = 0;
  OpenHandler open_handler_;
  std::optional<Failure> last_failure_;
  std::optional<base::Error> final_error_;
  bool is_error_told_ = false;
  bool is_open_ = false;
  bool is_stopped_ = false;
  Backoff backoff_;
  std::vector<std::unique_ptr<Timer>> retry_timers_;
  std::vector<std::function<void()>> end_handlers_;
  std::uint64_t records_seen_ = 0;
};

}  // namespace flow::streaming::pulsar

// Reads every partition of its topics from the earliest record with librdkafka's simple consumer:
// no group, no commit, no rebalance, nothing written on the broker.
// Thread: the driver's IoThread.
// Owns: one Client, given to a helper thread to be taken down.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "net/io_thread.hpp"
#include "streaming/driver.hpp"
#include "streaming/kafka/blocking.hpp"
#include "streaming/kafka/client.hpp"
#include "streaming/kafka/config.hpp"
#include "streaming/kafka/event_bridge.hpp"

struct rd_kafka_message_s;

namespace flow::streaming::kafka {

class KafkaConsumer final : public Consumer {
 public:
  // The client's topics have been looked up and reading has been started.
  KafkaConsumer(net::IoThread& io, std::shared_ptr<Blocking> blocking,
                std::shared_ptr<Client> client, const ParsedConfig& config, RecordSink& sink);
  ~KafkaConsumer() override { stop(); }

  net::Task<base::Result<bool>> read_to_end(base::TimePoint deadline) override;
  std::uint64_t records_seen() const override { return seen_; }
  void stop() override;

 private:
  using Offsets = std::vector<std::vector<std::int64_t>>;  // By topic, partition.

  bool pull();
  void take(const rd_kafka_message_s& message, base::TimePoint now);
  void take(rd_kafka_op_s* event, base::TimePoint now);
  void take_error(rd_kafka_op_s* event);
  void pass_to(std::string_view topic, std::int32_t partition, std::int64_t offset);
  bool has_reached(const Offsets& ends) const;

  net::IoThread& io_;
  std::shared_ptr<Blocking> blocking_;
  std::shared_ptr<Client> client_;
  ParsedConfig config_;
  RecordSink& sink_;
  Offsets next_;  // The offset after the last one handed over or known to hold no record.
  std::uint64_t seen_ = 0;
  bool failed_ = false;
  bool stopped_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // For a read that outlives us.
  EventBridge bridge_;
};

}  // namespace flow::streaming::kafka

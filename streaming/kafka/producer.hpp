// Publishes through librdkafka. A slot of a fixed table stands for each open publish; its number
// travels as librdkafka's opaque, so a delivery costs no allocation, lookup or log line.
// Thread: the driver's IoThread.
// Owns: one Client, given to a helper thread to be taken down.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "net/io_thread.hpp"
#include "streaming/driver.hpp"
#include "streaming/kafka/blocking.hpp"
#include "streaming/kafka/client.hpp"
#include "streaming/kafka/config.hpp"
#include "streaming/kafka/event_bridge.hpp"

namespace flow::streaming::kafka {

class KafkaProducer final : public Producer {
 public:
  // The client's topics have been looked up.
  KafkaProducer(net::IoThread& io, std::shared_ptr<Blocking> blocking,
                std::shared_ptr<Client> client, const ProducerConfig& config, DeliverySink& sink);
  ~KafkaProducer() override { stop(); }

  bool reserve() override;
  void release() override;
  Admission try_publish(Ticket ticket, const Message& message, bool reserved) override;
  std::size_t queued() const override { return open_ + reserved_; }
  net::Task<base::Result<void>> drain(base::TimePoint deadline) override;
  void stop() override;

 private:
  struct Slot {
    Ticket ticket{};
    std::uint32_t bytes = 0;
    std::uint32_t next_free = 0;  // While the slot is free.
    bool is_open = false;
  };
  struct Refused {  // Refused inside try_publish(), told right after it.
    std::uint32_t slot;
    Delivery delivery;
  };

  bool has_room() const;
  std::uint32_t take_slot(Ticket ticket, std::size_t bytes);
  int produce(const Message& message, std::int32_t partition, std::uint32_t slot);
  bool pull();
  void take_deliveries(rd_kafka_op_s* event, base::TimePoint now);
  void tell_refused();
  void decide(std::uint32_t slot, const Delivery& delivery);

  net::IoThread& io_;
  std::shared_ptr<Blocking> blocking_;
  std::shared_ptr<Client> client_;
  ProducerConfig config_;
  DeliverySink& sink_;
  std::vector<Slot> slots_;
  std::uint32_t first_free_ = 0;
  std::size_t open_ = 0;
  std::size_t reserved_ = 0;
  std::size_t open_bytes_ = 0;
  std::vector<Refused> refused_;
  std::vector<std::int32_t> next_without_key_;  // Per topic: partitions in turn.
  bool stopped_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // For a drain that outlives us.
  EventBridge bridge_;
};

}  // namespace flow::streaming::kafka

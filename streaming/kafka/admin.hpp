// Topics and metadata through librdkafka's admin interface. Every call runs on a helper thread: the
// client's metadata calls block, and creation is polled until each partition can take records.
// Thread: the driver's IoThread.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "streaming/driver.hpp"
#include "streaming/kafka/blocking.hpp"
#include "streaming/kafka/client.hpp"
#include "streaming/kafka/config.hpp"

namespace flow::streaming::kafka {

class KafkaAdmin final : public Admin {
 public:
  KafkaAdmin(std::shared_ptr<Blocking> blocking, std::shared_ptr<Client> client,
             const ParsedConfig& config);
  ~KafkaAdmin() override;

  net::Task<base::Result<int>> broker_count(base::TimePoint deadline) override;
  net::Task<base::Result<void>> create_topics(std::vector<TopicSpec> topics,
                                              base::TimePoint deadline) override;
  net::Task<base::Result<void>> delete_topics(std::vector<std::string> names,
                                              base::TimePoint deadline) override;
  net::Task<base::Result<Settings>> describe_topic(std::string name,
                                                   base::TimePoint deadline) override;

 private:
  std::shared_ptr<Blocking> blocking_;
  std::shared_ptr<Client> client_;
  int replication_factor_;
  Settings topic_properties_;
};

}  // namespace flow::streaming::kafka

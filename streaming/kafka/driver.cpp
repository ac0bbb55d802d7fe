// SPDX-License-Identifier: Apache-2.0
#include "streaming/kafka/driver.hpp"

#include <utility>

#include "streaming/kafka/admin.hpp"
#include "streaming/kafka/blocking.hpp"
#include "streaming/kafka/client.hpp"
#include "streaming/kafka/config.hpp"
#include "streaming/kafka/consumer.hpp"
#include "streaming/kafka/producer.hpp"

namespace flow::streaming::kafka {
namespace {

using base::Result;
using base::TimePoint;

void append(Settings& to, std::string_view prefix, const Settings& from) {
  for (const auto& [name, value] : from) to.emplace_back(fmt::format("{}{}", prefix, name), value);
}

class KafkaDriver final : public Driver {
 public:
  KafkaDriver(net::IoThread& io, ParsedConfig config) : io_(io), config_(std::move(config)) {}

  std::string_view platform() const override { return "kafka"; }
  net::IoThread& io() override { return io_; }
  std::string client_version() const override { return librdkafka_version(); }

  Settings effective_settings() const override {
    Settings settings = {{"bootstrap", config_.bootstrap}, {"client_id", config_.client_id}};
    append(settings, "producer.", write_settings(config_.producer));
    append(settings, "consumer.", write_settings(config_.consumer));
    append(settings, "topic.", write_settings(config_.topic));
    append(settings, "topic.", config_.topic_raw);
    append(settings, "producer.rdkafka.", properties_in_force(producer_properties(config_)));
    append(settings, "consumer.rdkafka.", properties_in_force(consumer_properties(config_)));
    return settings;
  }

  net::Task<Result<std::unique_ptr<Producer>>> open_producer(std::vector<std::string> topics,
                                                             DeliverySink& sink,
                                                             TimePoint deadline) override {
    io_.check_current();
    const Settings properties = producer_properties(config_);
    auto client = co_await connect(ClientKind::producer, properties, std::move(topics), deadline);
    if (!client) co_return std::unexpected(client.error());
    co_return std::make_unique<KafkaProducer>(io_, blocking_, std::move(*client), config_.producer,
                                              sink);
  }

  net::Task<Result<std::unique_ptr<Consumer>>> open_consumer(std::vector<std::string> topics,
                                                             RecordSink& sink,
                                                             TimePoint deadline) override {
    io_.check_current();
    const Settings properties = consumer_properties(config_);
    auto client = co_await connect(ClientKind::consumer, properties, std::move(topics), deadline);
    if (!client) co_return std::unexpected(client.error());
    auto started = (*client)->start_reading();
    if (!started) {
      dispose(std::move(*client));
      co_return std::unexpected(started.error());
    }
    co_return std::make_unique<KafkaConsumer>(io_, blocking_, std::move(*client), config_, sink);
  }

  Result<std::unique_ptr<Admin>> open_admin() override {
    auto client =
        Client::create(ClientKind::producer, admin_properties(config_), config_.bootstrap);
    if (!client) return std::unexpected(client.error());
    return std::make_unique<KafkaAdmin>(blocking_, std::move(*client), config_);
  }

 private:
  net::Task<Result<std::shared_ptr<Client>>> connect(ClientKind kind, Settings properties,
                                                     std::vector<std::string> topics,
                                                     TimePoint deadline) {
    auto client = Client::create(kind, properties, config_.bootstrap);
    if (!client) co_return std::unexpected(client.error());
    auto look_up = [client = *client, topics = std::move(topics), deadline] {
      return client->look_up(topics, deadline);
    };
    Result<void> found = co_await blocking_->call(std::move(look_up));
    if (!found) {
      dispose(std::move(*client));
      co_return std::unexpected(found.error());
    }
    co_return std::move(*client);
  }

  void dispose(std::shared_ptr<Client> client) {
    blocking_->run_later([client = std::move(client)]() mutable { client.reset(); });
  }

  net::IoThread& io_;
  ParsedConfig config_;
  std::shared_ptr<Blocking> blocking_ = std::make_shared<Blocking>();
};

}  // namespace

Result<std::unique_ptr<Driver>> make_driver(net::IoThread& io, const KafkaConfig& config) {
  auto parsed = parse_config(config);
  if (!parsed) return std::unexpected(parsed.error());
  for (const Settings& properties :
       {producer_properties(*parsed), consumer_properties(*parsed), admin_properties(*parsed)}) {
    if (auto checked = check_properties(properties); !checked) {
      return std::unexpected(checked.error());
    }
  }
  return std::make_unique<KafkaDriver>(io, std::move(*parsed));
}

}  // namespace flow::streaming::kafka

// SPDX-License-Identifier: Apache-2.0
#include "streaming/pulsar/driver.hpp"

#include "streaming/pulsar/config.hpp"

namespace flow::streaming::pulsar {

base::Result<std::unique_ptr<Driver>> make_driver(net::IoThread& io, const PulsarConfig& config) {
  (void)io;
  const auto service = parse_service_url(config.service_url);
  if (!service) return std::unexpected(service.error());
  const auto producer = parse_producer_config(config.producer);
  if (!producer) return std::unexpected(producer.error());
  const auto consumer = parse_consumer_config(config.consumer);
  if (!consumer) return std::unexpected(consumer.error());
  const auto topic = parse_topic_config(config.topic);
  if (!topic) return std::unexpected(topic.error());
  return base::fail(base::Errc::refused, "the Pulsar client cannot connect yet");
}

}  // namespace flow::streaming::pulsar

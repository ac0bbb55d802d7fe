// SPDX-License-Identifier: Apache-2.0
#include "apps/driver_choice.hpp"

#include "streaming/fake/driver.hpp"
#include "streaming/kafka/driver.hpp"
#include "streaming/pulsar/driver.hpp"

namespace flow::apps {

using base::Errc;
using base::fail;
using base::Result;
using DriverResult = Result<std::unique_ptr<streaming::Driver>>;

namespace {

// The shop's topics, ready: the fake broker lives and dies with this process.
DriverResult make_fake(net::IoThread& io, const DriverChoice& choice) {
  auto config = streaming::fake::config_from(choice.producer);
  if (!config) return std::unexpected(config.error());
  config->topics = {{"users", 6}, {"products", 6}, {"orders", 6}};
  return streaming::fake::make_driver(io, std::move(*config));
}

}  // namespace

DriverResult make_driver(net::IoThread& io, const DriverChoice& choice) {
  if (choice.platform == "kafka") {
    streaming::kafka::KafkaConfig config;
    config.bootstrap = choice.service;
    config.producer = choice.producer;
    config.consumer = choice.consumer;
    config.topic = choice.topic;
    config.client_id = choice.client_id;
    return streaming::kafka::make_driver(io, config);
  }
  if (choice.platform == "pulsar") {
    streaming::pulsar::PulsarConfig config;
    config.service_url = choice.service;
    config.admin_url = choice.admin_url;
    config.producer = choice.producer;
    config.consumer = choice.consumer;
    config.topic = choice.topic;
    config.client_id = choice.client_id;
    return streaming::pulsar::make_driver(io, config);
  }
  if (choice.platform == "fake") return make_fake(io, choice);
  return fail(Errc::config, "platform {}: expected one of kafka, pulsar, fake", choice.platform);
}

}  // namespace flow::apps

// Kafka behind the door: librdkafka's C client, whose threads never run our code. Events are pulled
// from its queues on the driver's IoThread, woken through an eventfd; calls of it that block run on
// helper threads and post their results back. Works with any broker that speaks Kafka's protocol.
//
// Keys of the settings: streaming/kafka/config.hpp. What the driver needs for its own promises
// (queues, partition ends, no group, no commit) is not a setting.
// Thread: the IoThread that make_driver() is given, like every driver.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "streaming/driver.hpp"

namespace flow::streaming::kafka {

struct KafkaConfig {
  std::string bootstrap = "127.0.0.1:9092";  // host:port list for the first metadata request
  Settings producer;
  Settings consumer;
  Settings topic;
  std::string client_id = "flow";
};

// Errc::config names the setting that is unknown, repeated, out of bounds or contradicts another
// one. Connects to nothing yet. `io` must outlive the driver and everything it made. The driver's
// destructor waits for librdkafka's threads to end (milliseconds; a second when brokers are gone).
base::Result<std::unique_ptr<Driver>> make_driver(net::IoThread& io, const KafkaConfig& config);

}  // namespace flow::streaming::kafka

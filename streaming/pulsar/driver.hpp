// Makes the Driver that speaks Pulsar's binary protocol: Flow's own client, so that no library's
// threads, locks and clocks stand between the schedule and the broker.
// Thread: make_driver() from any; everything it makes lives on `io`'s thread.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "base/result.hpp"
#include "net/io_thread.hpp"
#include "streaming/driver.hpp"

namespace flow::streaming::pulsar {

struct PulsarConfig {
  std::string service_url;  // "pulsar://host:6650", several hosts with commas
  std::string admin_url;    // "http://host:8080"; empty: open_admin() fails
  Settings producer;        // Keys: ProducerConfig in config.hpp
  Settings consumer;        // Keys: ConsumerConfig
  Settings topic;           // Keys: TopicConfig
  std::string client_id;    // Told to the broker in CONNECT and as a producer's metadata
  std::string token;        // A JSON Web Token; empty: no authentication
};

// Errc::config names the URL or setting that is wrong; nothing is connected yet. `io` must outlive
// the driver and what it opens. Topics are short names ("orders" is
// persistent://public/default/orders) or full ones.
base::Result<std::unique_ptr<Driver>> make_driver(net::IoThread& io, const PulsarConfig& config);

}  // namespace flow::streaming::pulsar

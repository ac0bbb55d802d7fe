// From the flags of a subcommand (--kafka URL | --pulsar URL, a level) to a Driver: the one place
// that knows both drivers.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "base/result.hpp"
#include "net/io_thread.hpp"
#include "streaming/driver.hpp"

namespace flow::apps {

struct DriverChoice {
  std::string platform;   // "kafka", "pulsar" or "fake"
  std::string service;    // "127.0.0.1:9092" or "pulsar://127.0.0.1:6650"
  std::string admin_url;  // Pulsar only: "http://127.0.0.1:8080"; may be empty for publish and read.
  streaming::Settings producer;  // The level's client settings for this platform.
  streaming::Settings consumer;
  streaming::Settings topic;     // Applied by Admin::create_topics().
  std::string client_id = "flow";
};

// Errc::config for an unknown setting; nothing is connected yet. `io` must outlive the driver.
base::Result<std::unique_ptr<streaming::Driver>> make_driver(net::IoThread& io,
                                                             const DriverChoice& choice);

}  // namespace flow::apps

// Which broker to talk to, and with which of a level's client settings.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "base/result.hpp"
#include "net/io_thread.hpp"
#include "streaming/driver.hpp"

namespace flow::streaming {

struct DriverChoice {
  std::string platform;  // "kafka", "pulsar" or "fake"
  std::string service;   // "127.0.0.1:9092" or "pulsar://127.0.0.1:6650"
  std::string
      admin_url;      // Pulsar only: "http://127.0.0.1:8080"; may be empty for publish and read.
  Settings producer;  // The level's client settings for this platform.
  Settings consumer;
  Settings topic;  // Applied by Admin::create_topics().
  std::string client_id = "flow";
};

// Makes the driver of a choice. Only the program itself knows all drivers (apps/driver_choice.cpp);
// rooms that need one are handed this.
using DriverFactory =
    std::function<base::Result<std::unique_ptr<Driver>>(net::IoThread& io, const DriverChoice&)>;

// A driver and its admin, for questions from outside of `io`; both are made and destroyed there.
// Thread: any but io's.
class AdminSession {
 public:
  static base::Result<AdminSession> open(net::IoThread& io, const DriverFactory& make_driver,
                                         const DriverChoice& choice);
  AdminSession(AdminSession&&) = default;
  AdminSession& operator=(AdminSession&&) = delete;
  ~AdminSession();

  Driver& driver() { return *driver_; }
  Admin* operator->() { return admin_.get(); }

 private:
  AdminSession(net::IoThread& io, std::unique_ptr<Driver> driver)
      : io_(io), driver_(std::move(driver)) {}

  net::IoThread& io_;
  std::unique_ptr<Driver> driver_;  // Null: moved from.
  std::unique_ptr<Admin> admin_;
};

// How many brokers the cluster's own metadata lists: readiness asked with the driver itself, on a
// thread of its own. Blocks until the answer or the deadline.
base::Result<int> count_brokers(const DriverFactory& make_driver, const DriverChoice& choice,
                                base::TimePoint deadline);

}  // namespace flow::streaming

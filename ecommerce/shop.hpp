// The shop as one object: database, tokens, passwords, events, HTTP, administration, records.
//
// Threads: `shop-http` serves requests and owns the database pool; `shop-admin` keeps records and
// metrics and serves the administration port; bcrypt has its own; the driver has its own. The
// owner's thread starts and drains.
//
// Drain, in this order: stop accepting and let running requests finish; let every published event
// be decided; close the database; write the last records.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/json.hpp"
#include "base/result.hpp"
#include "ecommerce/events/recorder.hpp"
#include "streaming/driver.hpp"

namespace flow::ecommerce {

struct ShopOptions {
  std::string postgres;  // libpq conninfo or URL.
  std::string address = "127.0.0.1";
  std::uint16_t port = 8082;        // 0: the kernel picks one.
  std::uint16_t admin_port = 9000;  // 0: the kernel picks one.
  int bcrypt_cost = 10;
  int bcrypt_threads = 2;
  std::string jwt_secret_base64;  // Empty: a random one, good until the shop stops.
  std::string admin_email;        // Empty: no administrator is made.
  std::string admin_password;
  std::vector<std::string> cors_origins;
  bool create_tables = true;
  std::size_t connections_min = 10;
  std::size_t connections_max = 20;
  std::chrono::milliseconds query_timeout{5000};
  std::size_t events_queued_max = 100'000;  // Fewer when the driver's queue is smaller.
  bool ack_before_answer = false;
  bool stamp_in_body = false;  // Events carry flowEvent and flowIntended in their body too.
  std::chrono::milliseconds ack_timeout{10'000};
  std::chrono::milliseconds broker_timeout{30'000};  // For the first connection.
  std::string records_path;                          // Empty: none.
  base::ClockAnchor anchor = base::ClockAnchor::take();
  std::uint64_t trial = 0;  // Not 0: the only trial whose response times are measured.
};

class Shop {
 public:
  using OnSecond = std::function<void(const SecondRow&)>;  // On shop-admin.
  using Log = std::function<void(const std::string&)>;     // One line; any thread of the shop.

  // Serves when it returns. `driver` may be null: no events. Errc::config for options that make no
  // sense; Errc::io, refused or timed_out when the database or the broker is not there.
  static base::Result<std::unique_ptr<Shop>> start(ShopOptions options, streaming::Driver* driver,
                                                   OnSecond on_second, Log log);
  ~Shop();

  std::uint16_t port() const;
  std::uint16_t admin_port() const;
  std::string url() const;
  std::string admin_url() const;

  // Every option as it is in force, and versions. Secrets are left out.
  base::json::object effective() const;

  // In order and once. An error says what was not finished by the deadline; the totals hold anyway.
  base::Result<void> drain(base::TimePoint deadline);
  // After drain().
  const AttemptTotals& totals() const;

 private:
  class Impl;
  explicit Shop(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace flow::ecommerce

// An in-process broker with scripted delays, refusals and losses, behind the same door as the real
// ones: tests run the parts above the door against it, and the floor of Flow's own cost is measured
// with it. The same calls with the same script give the same outcomes and the same logs.
// Thread: the driver's IoThread, like every driver.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "streaming/driver.hpp"

namespace flow::streaming::fake {

// What becomes of one accepted publish. A broker that lies is { acked, copies = 0 }; one that
// stored a record whose answer got lost is { timed_out, copies = 1 }.
struct Fate {
  Outcome outcome = Outcome::acked;
  base::Nanos delay{};  // From try_publish() to the outcome; the record is readable at that moment.
  int copies = 1;       // How often the record then stands in the log.
};

struct FakeConfig {
  std::vector<TopicSpec> topics;  // Exist from the start; Admin can make more.
  std::size_t queue_messages_max = 10'000;
  std::size_t message_bytes_max = 1024 * 1024;       // A longer payload is rejected.
  std::size_t stored_bytes_max = 256 * 1024 * 1024;  // "Disk full": rejected from there on.
  int brokers = 1;                                   // What the metadata lists.

  // The fate of the n-th accepted publish of this driver, from 0. Empty: acked at once, stored
  // once.
  std::function<Fate(std::uint64_t n)> fate;
};

// For the command line. Keys: delay_us (0), reject_every, lose_every, time_out_every (each n-th
// publish; 0: never), drop_every (acked but not stored), duplicate_every (stored twice), store
// (true), queue_messages_max, message_bytes_max. Errc::config for anything else.
base::Result<FakeConfig> config_from(const Settings& settings);

// `io` must outlive the driver. Producers, consumers and admins made by one driver share its broker
// and keep it alive.
std::unique_ptr<Driver> make_driver(net::IoThread& io, FakeConfig config);

}  // namespace flow::streaming::fake

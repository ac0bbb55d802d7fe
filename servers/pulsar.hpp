// A real Pulsar cluster on this machine: one ZooKeeper, bookies, brokers; on ports that the kernel
// picked, in a temporary directory. Never `pulsar standalone`, which changes the durability.
// Thread: as Server.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "servers/level.hpp"
#include "servers/server.hpp"

namespace flow::servers {

struct PulsarOptions {
  PulsarLevel level = {};  // bookies, brokers and their settings are used here.
  ProgressText progress = {};
  base::Nanos ready_within = std::chrono::seconds(240);
  // An unpacked distribution; empty: the one fetched into the cache.
  std::filesystem::path home = {};
  int bookie_heap_mb = 384;
  int bookie_direct_mb = 640;
  int broker_heap_mb = 512;
  int broker_direct_mb = 512;
};

class Wait;

class Pulsar final : public Server {
 public:
  // Errors as Kafka::start().
  static base::Result<std::unique_ptr<Pulsar>> start(PulsarOptions options);
  ~Pulsar() override;

  std::string_view platform() const override { return "pulsar"; }
  void stop() override;
  base::Result<void> restart(std::string_view role, base::Nanos within) override;

  // "pulsar://127.0.0.1:1234" and "http://127.0.0.1:1235" of the first broker. Roles are
  // "pulsar-zookeeper", "pulsar-bookie-1" and so on, "pulsar-broker-1" and so on.
  const std::string& service_url() const { return service_url_; }
  const std::string& admin_url() const { return admin_url_; }

 private:
  using Server::Server;

  struct Ports {
    std::uint16_t zookeeper = 0;
    std::vector<std::uint16_t> bookies, bookie_https, brokers, broker_https;
  };
  // `home` is the distribution, `java` the program.
  struct Plan {
    std::filesystem::path home;
    std::string java;
  };

  base::Result<void> start_once(const PulsarOptions& options, const Plan& plan, Wait& wait);
  base::Result<void> start_zookeeper(const Plan& plan, Wait& wait);
  base::Result<void> initialize_metadata(const Plan& plan, Wait& wait);
  base::Result<void> start_bookies(const PulsarOptions& options, const Plan& plan, Wait& wait);
  base::Result<void> wait_zookeeper(Wait& wait);
  base::Result<void> wait_bookie(std::size_t index, Wait& wait);
  base::Result<void> start_brokers(const PulsarOptions& options, const Plan& plan);
  base::Result<void> wait_broker(std::size_t index, Wait& wait);
  base::Result<void> wait_ready(const PulsarOptions& options, Wait& wait);
  base::Result<void> read_effective(const PulsarOptions& options);
  base::Result<void> start_java(const Plan& plan, std::string role, std::vector<std::string> flags,
                                std::vector<std::string> main);
  // `shipped`: the distribution's own configuration file of the role.
  void tell_settings(const std::string& role, const Settings& set, std::string_view shipped);

  Ports ports_;
  std::string service_url_;
  std::string admin_url_;
};

// `text` (a shipped .conf file) with `settings` in force: every earlier line of a key is dropped
// (BookKeeper makes a list of a key that occurs twice), the keys are appended after a newline.
// Keys that a comment explains are left as they are.
std::string apply_settings(std::string_view text, const Settings& settings);

}  // namespace flow::servers

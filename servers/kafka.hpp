// A real Kafka cluster (KRaft, combined broker and controller nodes) on this machine, on ports that
// the kernel picked, in a temporary directory.
// Thread: as Server.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "servers/level.hpp"
#include "servers/server.hpp"

namespace flow::servers {

// How many brokers the cluster's own metadata lists, asked at `bootstrap` ("127.0.0.1:9092"). An
// error means "not yet". Blocks for a second or two at most.
using BrokerProbe = std::function<base::Result<int>(const std::string& bootstrap)>;

struct KafkaOptions {
  KafkaLevel level = {};          // nodes and broker settings are used here.
  BrokerProbe broker_count = {};  // Empty: ready when every node logged that it has started.
  ProgressText progress = {};
  base::Nanos ready_within = std::chrono::seconds(120);
  // A Kafka with lib/*.jar or libs/*.jar; empty: the one fetched into the cache.
  std::filesystem::path home = {};
  int heap_mb = 512;  // Of each node.
};

class Wait;

class Kafka final : public Server {
 public:
  // Errc::config when there is no Kafka at `home`, Errc::io with the log's tail when a node dies,
  // Errc::timed_out when it is not ready in time.
  static base::Result<std::unique_ptr<Kafka>> start(KafkaOptions options);
  ~Kafka() override;

  std::string_view platform() const override { return "kafka"; }
  void stop() override;
  base::Result<void> restart(std::string_view role, base::Nanos within) override;

  // Every node: "127.0.0.1:1234,127.0.0.1:1235". Roles are "kafka-1" and so on, in this order.
  const std::string& bootstrap() const { return bootstrap_; }

 private:
  using Server::Server;

  // Where Kafka is and what runs it.
  struct Home {
    std::filesystem::path jars;
    std::string version;
    std::string java;
    bool is_fetched = false;
  };
  static base::Result<Home> find_home(const std::filesystem::path& chosen);

  base::Result<void> start_once(const KafkaOptions& options, const Home& home, Wait& wait);
  base::Result<void> configure(const KafkaOptions& options);
  base::Result<void> format(const Home& home, Wait& wait);
  base::Result<void> run_format(const Home& home, const std::string& cluster, Wait& wait);
  base::Result<void> wait_ready(const KafkaOptions& options, Wait& wait);
  void compare_with_defaults(const Home& home, Wait& wait);
  base::Result<Settings> ask_for_defaults(const Home& home, Wait& wait);

  std::string bootstrap_;
  std::vector<std::uint16_t> ports_;     // Of the nodes, in order.
  std::map<std::string, Settings> set_;  // By role.
};

// What a node is configured with.
struct KafkaNodePlan {
  int id = 1;
  int nodes = 1;
  int port = 0;
  int controller_port = 0;
  std::string voters;  // "id@host:port" of every controller.
  std::filesystem::path data;
};
// The level's broker settings replace Flow's own of the same name. Errc::config for one that would
// move a node off its ports or directories.
base::Result<Settings> kafka_node_settings(const KafkaNodePlan& plan, const Settings& level);

// What a node itself logged as its configuration ("KafkaConfig values:"): every key it knows.
Settings parse_kafka_config_log(std::string_view log);

}  // namespace flow::servers

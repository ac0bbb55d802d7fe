// A real Pinot on this machine: ZooKeeper, controller, broker and server, each a process of its
// own, on ports that the kernel picked, in a temporary directory.
// Thread: as Server.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "servers/level.hpp"
#include "servers/pinot_plan.hpp"
#include "servers/server.hpp"

namespace flow::servers {

struct PinotOptions {
  int servers = 1;        // More than one: for tables with replicas.
  PinotLevel level = {};  // Heap sizes and settings of each role.
  ProgressText progress = {};
  base::Nanos ready_within = std::chrono::seconds(180);
  // An unpacked distribution; empty: what was fetched into the cache.
  std::filesystem::path home = {};
  // A jar for the class path of controller, broker and server; empty: pinot_plugin_jar() when it
  // exists and `home` is empty.
  std::filesystem::path pulsar_plugin = {};
};

class Wait;

class Pinot final : public Server {
 public:
  // Ready: controller and broker say that they are healthy, the server that it is ready, and both
  // can be given tables. Errors as Kafka::start(). The first start on a machine is preceded by one
  // that makes the later ones quicker; it takes half of `ready_within` at most.
  static base::Result<std::unique_ptr<Pinot>> start(PinotOptions options);
  ~Pinot() override;

  std::string_view platform() const override { return "pinot"; }
  void stop() override;

  // "http://127.0.0.1:1234": tables, schemas, segments; and SQL. Roles are "pinot-zookeeper",
  // "pinot-controller", "pinot-broker", "pinot-server", "pinot-server-2" and so on.
  const std::string& controller_url() const { return controller_url_; }
  const std::string& broker_url() const { return broker_url_; }

  // After a kill it first waits until ZooKeeper has noticed, 6 to 7 s after it; after ZooKeeper's
  // own restart, until the others have found it.
  base::Result<void> restart(std::string_view role, base::Nanos within) override;

 private:
  using Server::Server;

  static void make_archives(const PinotOptions& options, PinotPlan plan);
  base::Result<void> start_once(const PinotOptions& options, Wait& wait);
  base::Result<void> pick_all_ports(int servers);
  base::Result<void> configure(const PinotOptions& options);
  base::Result<void> start_role(const PinotOptions& options, std::string_view role);
  base::Result<void> wait_ready(std::string_view role, Wait& wait);
  base::Result<void> restart_once(std::string_view role, Wait& wait);
  base::Result<void> wait_session_gone(std::string_view role, Wait& wait);
  base::Result<void> read_effective(const PinotLevel& level);
  base::Result<void> check_starting() const;
  bool is_running(std::string_view role) const;
  bool is_registered(std::string_view role) const;  // In ZooKeeper, by a session that is alive.

  PinotPlan plan_;
  std::string controller_url_;
  std::string broker_url_;
};

// Flow's own plugin that lets Pinot read Pulsar: $FLOW_PINOT_PLUGIN, else the one that
// tools/build-plugin makes in build/ of the sources. It may not exist.
std::filesystem::path pinot_plugin_jar();

}  // namespace flow::servers

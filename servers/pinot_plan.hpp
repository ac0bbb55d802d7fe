// What Pinot's four processes are configured with and how they are called: the texts and command
// lines of pinot.hpp, without starting anything. Facts: Pinot 0.11.0's own configuration keys
// (org.apache.pinot.spi.utils.CommonConstants, org.apache.pinot.controller.ControllerConf).
// Thread: any; plain values.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "servers/level.hpp"

namespace flow::servers {

inline constexpr const char* pinot_zookeeper = "pinot-zookeeper";
inline constexpr const char* pinot_controller = "pinot-controller";
inline constexpr const char* pinot_broker = "pinot-broker";
inline constexpr const char* pinot_server = "pinot-server";  // The first, see pinot_server_role().

// A Pinot that can be run.
struct PinotHome {
  std::filesystem::path folder;
  std::string version;        // "0.11.0"
  std::string class_path;     // With the Pulsar plugin of Flow where that is wanted.
  std::string pulsar_plugin;  // Where the plugin for Pulsar comes from; empty: there is none.
  bool is_fetched = false;    // By tools/fetch-servers, not somebody's own.
};
// `chosen` is an unpacked distribution (lib/*.jar, plugins/); empty: what tools/fetch-servers put
// into the cache. `plugin` goes onto the class path unless it is empty. Errc::config when there is
// no Pinot, or no file `plugin`.
base::Result<PinotHome> find_pinot(const std::filesystem::path& chosen,
                                   const std::filesystem::path& plugin);

struct PinotServerPorts {
  std::uint16_t queries = 0;  // Of the broker
  std::uint16_t admin = 0;    // REST
};

struct PinotPorts {
  std::uint16_t zookeeper = 0;
  std::uint16_t controller = 0;  // REST
  std::uint16_t broker = 0;      // SQL and REST
  std::vector<PinotServerPorts> servers;
};

struct PinotPlan {
  PinotHome home;
  std::string java;
  std::filesystem::path run;  // The run directory.
  PinotPorts ports = {};
  // Class archives of the roles, "pinot-server.jsa" and so on; a role without one starts without.
  std::filesystem::path archives = {};
  bool is_making_archives = false;  // At the end of each process.
};

// Where the class archives for this Pinot and this Java are kept, in the cache. A JVM refuses those
// of another version or of other jars, so that each has a folder of its own. Empty for a Pinot that
// was not fetched.
std::filesystem::path pinot_archives(const PinotHome& home, const std::string& java);

// Of ZooKeeper's own configuration file.
Settings pinot_zookeeper_settings(const PinotPlan& plan);

// Of a role's configuration file. The level's settings replace Flow's own of the same name;
// Errc::config for one that would move a process off its ports or directories.
base::Result<Settings> pinot_controller_settings(const PinotPlan& plan, const Settings& level);
base::Result<Settings> pinot_broker_settings(const PinotPlan& plan, const Settings& level);
base::Result<Settings> pinot_server_settings(const PinotPlan& plan, const Settings& level,
                                             std::string_view role = pinot_server);

// The command line of a role whose configuration is in <run>/config/<role>.conf.
std::vector<std::string> pinot_command(const PinotPlan& plan, std::string_view role,
                                       const PinotLevel& level);

// For log4j2: everything to standard output, which is the role's log.
std::string pinot_logging_text();

// Of the server `index`, from 0: "pinot-server", "pinot-server-2" and so on.
std::string pinot_server_role(std::size_t index);

// Every role but ZooKeeper, in the order of their start.
std::vector<std::string> pinot_own_roles(const PinotPorts& ports);

// Of a server's role; null for any other.
const PinotServerPorts* pinot_server_ports(const PinotPorts& ports, std::string_view role);

// The name under which a role holds its ZooKeeper session: "Server_127.0.0.1_1234". Empty for
// ZooKeeper itself.
std::string pinot_instance(const PinotPorts& ports, std::string_view role);

}  // namespace flow::servers

// SPDX-License-Identifier: Apache-2.0
#include "servers/pinot_plan.hpp"

#include <algorithm>
#include <array>
#include <span>

#include <fmt/format.h>

#include "base/check.hpp"
#include "servers/run_directory.hpp"
#include "servers/settings_text.hpp"

namespace flow::servers {
namespace {

namespace fs = std::filesystem;
using base::Errc;
using base::fail;
using base::Result;

constexpr const char* fetched_version = "0.11.0";
constexpr const char* cluster_name = "flow";

constexpr std::array owned_keys = {"pinot.service.role",
                                   "pinot.cluster.name",
                                   "pinot.zk.server",
                                   "controller.helix.cluster.name",
                                   "controller.zk.str",
                                   "controller.host",
                                   "controller.port",
                                   "controller.vip.host",
                                   "controller.vip.port",
                                   "controller.access.protocols",
                                   "controller.data.dir",
                                   "controller.local.temp.dir",
                                   "pinot.broker.hostname",
                                   "pinot.broker.client.queryPort",
                                   "pinot.broker.client.access.protocols",
                                   "pinot.server.netty.host",
                                   "pinot.server.netty.port",
                                   "pinot.server.adminapi.port",
                                   "pinot.server.adminapi.access.protocols",
                                   "pinot.server.instance.dataDir",
                                   "pinot.server.instance.segmentTarDir"};

// The jars whose names end in the version: one of the modules, or the single jar of the archive.
constexpr std::string_view module_prefix = "pinot-spi-";
constexpr std::string_view archive_prefix = "pinot-all-";
constexpr std::string_view archive_suffix = "-jar-with-dependencies";

std::string version_in(const fs::path& jars) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(jars, error)) {
    std::string name = entry.path().stem().string();
    if (entry.path().extension() != ".jar") continue;
    if (name.starts_with(archive_prefix) && name.ends_with(archive_suffix)) {
      name.resize(name.size() - archive_suffix.size());
      return name.substr(archive_prefix.size());
    }
    if (name.starts_with(module_prefix)) return name.substr(module_prefix.size());
  }
  return {};
}

// Every jar below `folder`, sorted: pinot-admin.sh puts plugins/ onto the class path from Java 9
// on.
std::vector<fs::path> jars_below(const fs::path& folder) {
  std::vector<fs::path> jars;
  std::error_code error;
  for (fs::recursive_directory_iterator at(folder, error), end; !error && at != end;
       at.increment(error)) {
    if (at->path().extension() == ".jar") jars.push_back(at->path());
  }
  std::ranges::sort(jars);
  return jars;
}

Result<Settings> with_level(Settings own, const Settings& level, std::string_view role) {
  for (const auto& [key, value] : level) {
    const bool is_owned = std::ranges::any_of(owned_keys, [&key = key](std::string_view owned) {
      return key == owned || (owned.ends_with(".protocols") && key.starts_with(owned));
    });
    if (is_owned) {
      return fail(Errc::config, "{} setting {}={}: Flow sets {} itself; leave it out of the level",
                  role, key, value, key);
    }
    put_setting(own, key, value);
  }
  return own;
}

// Without a host of its own a REST interface listens on every address of the machine. The port for
// queries of the server does so anyhow: 0.11.0 has no setting for it.
void add_listener(Settings& settings, std::string_view prefix, std::uint16_t port) {
  settings.emplace_back(fmt::format("{}.access.protocols", prefix), "http");
  settings.emplace_back(fmt::format("{}.access.protocols.http.host", prefix), "127.0.0.1");
  settings.emplace_back(fmt::format("{}.access.protocols.http.port", prefix),
                        fmt::format("{}", port));
}

Settings common_settings(const PinotPlan& plan, const char* role) {
  return {{"pinot.service.role", role},
          {"pinot.cluster.name", cluster_name},
          {"pinot.zk.server", fmt::format("127.0.0.1:{}", plan.ports.zookeeper)}};
}

std::vector<std::string> memory_flags(int heap_mb, int direct_mb) {
  return {fmt::format("-Xms{}m", heap_mb), fmt::format("-Xmx{}m", heap_mb),
          fmt::format("-XX:MaxDirectMemorySize={}m", direct_mb)};
}

}  // namespace

Result<PinotHome> find_pinot(const fs::path& chosen, const fs::path& plugin) {
  PinotHome home{.folder = chosen,
                 .version = "",
                 .class_path = "",
                 .pulsar_plugin = "",
                 .is_fetched = chosen.empty()};
  if (home.is_fetched) {
    home.folder = cache_directory() / fmt::format("pinot-{}", fetched_version);
    if (!fs::exists(home.folder / ".complete")) {
      return fail(Errc::config,
                  "{}: Pinot has not been fetched; 'tools/fetch-servers pinot' does it",
                  home.folder.string());
    }
  }
  std::error_code error;
  const fs::path whole = fs::canonical(home.folder, error);  // It runs in a directory of its own.
  if (!error) home.folder = whole;
  home.version = version_in(home.folder / "lib");
  if (home.version.empty()) {
    return fail(Errc::config, "{}: there is neither lib/{}*{}.jar nor lib/{}*.jar in it",
                home.folder.string(), archive_prefix, archive_suffix, module_prefix);
  }
  home.class_path = (home.folder / "lib").string() + "/*";
  for (const auto& jar : jars_below(home.folder / "plugins")) {
    home.class_path += ":" + jar.string();
    if (jar.filename().string().starts_with("pinot-pulsar")) home.pulsar_plugin = jar.string();
  }
  if (plugin.empty()) return home;
  if (!fs::is_regular_file(plugin)) {
    return fail(Errc::config, "{}: there is no such file; expected the jar of a Pinot plugin",
                plugin.string());
  }
  home.class_path += ":" + fs::absolute(plugin).string();
  home.pulsar_plugin = fs::absolute(plugin).string();
  return home;
}

fs::path pinot_archives(const PinotHome& home, const std::string& java) {
  if (!home.is_fetched) return {};
  std::error_code error;
  std::string key = home.folder.string();
  const fs::path program = fs::canonical(java, error);
  for (const fs::path& file :
       {program.parent_path() / ".." / "lib" / "server" / "libjvm.so", home.folder / ".complete"}) {
    const auto changed_at = fs::last_write_time(file, error).time_since_epoch().count();
    key += fmt::format("|{}|{}", file.string(), error ? 0 : changed_at);
  }
  return cache_directory() / fmt::format("{}.classes-{:016x}", home.folder.filename().string(),
                                         std::hash<std::string>()(key));
}

Settings pinot_zookeeper_settings(const PinotPlan& plan) {
  return {{"tickTime", "1000"},  // A session ends at most this much after its time.
          {"dataDir", (plan.run / pinot_zookeeper).string()},
          {"clientPort", fmt::format("{}", plan.ports.zookeeper)},
          {"clientPortAddress", "127.0.0.1"},
          {"maxClientCnxns", "0"},
          {"maxSessionTimeout", "40000"},  // As with the usual tick of 2 s.
          {"admin.enableServer", "false"},
          {"4lw.commands.whitelist", "*"}};
}

Result<Settings> pinot_controller_settings(const PinotPlan& plan, const Settings& level) {
  Settings settings = common_settings(plan, "CONTROLLER");
  const std::string port = fmt::format("{}", plan.ports.controller);
  const fs::path data = plan.run / pinot_controller;
  settings.insert(settings.end(),
                  {{"controller.helix.cluster.name", cluster_name},
                   {"controller.zk.str", *find_setting(settings, "pinot.zk.server")},
                   {"controller.host", "127.0.0.1"},
                   {"controller.vip.host", "127.0.0.1"},
                   {"controller.vip.port", port},
                   {"controller.data.dir", (data / "segments").string()},
                   {"controller.local.temp.dir", (data / "tmp").string()}});
  add_listener(settings, "controller", plan.ports.controller);
  return with_level(std::move(settings), level, pinot_controller);
}

Result<Settings> pinot_broker_settings(const PinotPlan& plan, const Settings& level) {
  Settings settings = common_settings(plan, "BROKER");
  settings.insert(settings.end(),
                  {{"pinot.broker.hostname", "127.0.0.1"},
                   {"pinot.broker.client.queryPort", fmt::format("{}", plan.ports.broker)},
                   {"pinot.broker.delayShutdownTimeMs", "0"}});
  add_listener(settings, "pinot.broker.client", plan.ports.broker);
  return with_level(std::move(settings), level, pinot_broker);
}

Result<Settings> pinot_server_settings(const PinotPlan& plan, const Settings& level,
                                       std::string_view role) {
  Settings settings = common_settings(plan, "SERVER");
  const fs::path data = plan.run / role;
  const PinotServerPorts* ports = pinot_server_ports(plan.ports, role);
  FLOW_CHECK(ports);
  settings.insert(settings.end(),
                  {{"pinot.server.netty.host", "127.0.0.1"},
                   {"pinot.server.netty.port", fmt::format("{}", ports->queries)},
                   {"pinot.server.grpc.enable", "false"},  // For Presto and Trino only.
                   {"pinot.server.instance.dataDir", (data / "index").string()},
                   {"pinot.server.instance.segmentTarDir", (data / "tar").string()},
                   {"pinot.server.instance.enableThreadCpuTimeMeasurement", "true"},
                   {"pinot.server.startup.serviceStatusCheckIntervalMs", "200"},
                   {"pinot.server.shutdown.enableQueryCheck", "false"},
                   {"pinot.server.shutdown.timeoutMs", "10000"}});
  add_listener(settings, "pinot.server.adminapi", ports->admin);
  return with_level(std::move(settings), level, role);
}

std::string pinot_logging_text() {
  return "<Configuration status=\"warn\">\n"
         "  <Appenders><Console name=\"c\" target=\"SYSTEM_OUT\">\n"
         "    <PatternLayout pattern=\"%d{HH:mm:ss.SSS} %p [%c{1}] [%t] %m%n\"/>\n"
         "  </Console></Appenders>\n"
         "  <Loggers>\n"
         "    <Root level=\"info\"><AppenderRef ref=\"c\"/></Root>\n"
         "    <Logger name=\"org.reflections\" level=\"error\"/>\n"
         "    <Logger name=\"org.apache.helix\" level=\"warn\"/>\n"
         "    <Logger name=\"org.apache.zookeeper\" level=\"warn\"/>\n"
         "  </Loggers>\n"
         "</Configuration>\n";
}

std::string pinot_server_role(std::size_t index) {
  return index == 0 ? pinot_server : fmt::format("{}-{}", pinot_server, index + 1);
}

std::vector<std::string> pinot_own_roles(const PinotPorts& ports) {
  std::vector<std::string> roles = {pinot_controller, pinot_broker};
  for (std::size_t i = 0; i < ports.servers.size(); ++i) roles.push_back(pinot_server_role(i));
  return roles;
}

const PinotServerPorts* pinot_server_ports(const PinotPorts& ports, std::string_view role) {
  for (std::size_t i = 0; i < ports.servers.size(); ++i) {
    if (role == pinot_server_role(i)) return &ports.servers[i];
  }
  return nullptr;
}

std::string pinot_instance(const PinotPorts& ports, std::string_view role) {
  if (role == pinot_controller) return fmt::format("Controller_127.0.0.1_{}", ports.controller);
  if (role == pinot_broker) return fmt::format("Broker_127.0.0.1_{}", ports.broker);
  const PinotServerPorts* server = pinot_server_ports(ports, role);
  return server ? fmt::format("Server_127.0.0.1_{}", server->queries) : "";
}

namespace {

// Seen: the second compiler takes half of a start's processor time. Where no measured
// message, row or query passes through, the first one alone is enough.
const std::vector<std::string> quick_start = {"-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"};
const std::vector<std::string> full_speed = {"-XX:+UseG1GC", "-XX:MaxGCPauseMillis=50"};

struct RoleCall {
  int heap_mb, direct_mb;
  const std::vector<std::string>& speed;
  std::vector<std::string> main;
};

RoleCall call_of(std::string_view role, const PinotLevel& level) {
  const char* administrator = "org.apache.pinot.tools.admin.PinotAdministrator";
  if (role == pinot_controller) {
    return {level.controller_heap_mb,
            128,
            quick_start,
            {administrator, "StartController", "-configFileName"}};
  }
  if (role == pinot_broker) {
    return {
        level.broker_heap_mb, 128, full_speed, {administrator, "StartBroker", "-configFileName"}};
  }
  if (role.starts_with(pinot_server)) {
    return {level.server_heap_mb,
            level.server_direct_mb,
            full_speed,
            {administrator, "StartServer", "-configFileName"}};
  }
  return {level.zookeeper_heap_mb,
          32,
          quick_start,
          {"org.apache.zookeeper.server.ZooKeeperServerMain"}};
}

}  // namespace

std::vector<std::string> pinot_command(const PinotPlan& plan, std::string_view role,
                                       const PinotLevel& level) {
  const RoleCall call = call_of(role, level);
  std::vector<std::string> command = {plan.java};
  const auto add = [&command](const std::vector<std::string>& words) {
    command.insert(command.end(), words.begin(), words.end());
  };
  const fs::path archive = plan.archives / fmt::format("{}.jsa", role);
  std::error_code ignored;
  add(memory_flags(call.heap_mb, call.direct_mb));
  add(plan.is_making_archives ? quick_start : call.speed);
  if (plan.is_making_archives) {
    add({fmt::format("-XX:ArchiveClassesAtExit={}", archive.string())});
  } else if (!plan.archives.empty() && fs::exists(archive, ignored)) {
    add({fmt::format("-XX:SharedArchiveFile={}", archive.string())});
  }
  add({"-XX:+PerfDisableSharedMem", "-XX:+ExitOnOutOfMemoryError", "-Xshare:auto",
       fmt::format("-Xlog:gc:file={}/logs/{}-gc.log", plan.run.string(), role),
       "--add-opens=java.base/java.nio=ALL-UNNAMED", "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
       "--add-opens=java.base/java.lang=ALL-UNNAMED", "--add-opens=java.base/java.util=ALL-UNNAMED",
       "--add-opens=java.base/java.lang.reflect=ALL-UNNAMED",
       "--add-opens=java.base/jdk.internal.misc=ALL-UNNAMED",
       "--add-exports=java.base/jdk.internal.ref=ALL-UNNAMED",
       "-Dio.netty.tryReflectionSetAccessible=true", "-Djava.net.preferIPv4Stack=true",
       "-Djava.awt.headless=true",
       // How long the instance of a process that was killed stays registered.
       "-Dzk.session.timeout=6000", "-Dpinot.admin.system.exit=true",
       fmt::format("-Djava.io.tmpdir={}/{}-tmp", plan.run.string(), role),
       fmt::format("-Dlog4j2.configurationFile={}/config/pinot-log4j2.xml", plan.run.string()),
       "-cp", plan.home.class_path});
  add(call.main);
  command.push_back(fmt::format("{}/config/{}.conf", plan.run.string(), role));
  return command;
}

}  // namespace flow::servers

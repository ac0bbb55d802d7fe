// SPDX-License-Identifier: Apache-2.0
#include "servers/pinot.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "servers/local_http.hpp"
#include "servers/ports.hpp"
#include "servers/settings_text.hpp"
#include "servers/vendor_defaults.hpp"
#include "servers/wait.hpp"
#include "servers/zookeeper_probe.hpp"

namespace flow::servers {
namespace {

namespace fs = std::filesystem;
using base::Errc;
using base::fail;
using base::Result;

constexpr int attempts = 3;  // When another process takes a port first.
// In the order in which they are ended: without ZooKeeper the others hang.
constexpr std::array roles = {pinot_server, pinot_broker, pinot_controller, pinot_zookeeper};
constexpr auto pause = std::chrono::milliseconds(50);

// What PinotAdministrator logs when a role cannot start; the process itself may stay.
constexpr std::string_view failed_words = "Failed to start a Pinot [";

// In ZooKeeper: the owner of this node is the one that assigns tables and segments.
constexpr const char* leader_path = "/flow/CONTROLLER/LEADER";

// Pinot reads keys without regard to case and reports some in lower case.
std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

struct RestProbe {
  std::uint16_t port;
  const char* target;
};

RestProbe probe_of(const PinotPorts& ports, std::string_view role) {
  if (role == pinot_controller) return {ports.controller, "/health"};
  if (role == pinot_broker) return {ports.broker, "/health"};
  return {pinot_server_ports(ports, role)->admin, "/health/readiness"};
}

const Settings& settings_of(const PinotLevel& level, std::string_view role) {
  if (role == pinot_controller) return level.controller;
  return role == pinot_broker ? level.broker : level.server;
}

bool lists(const base::json::object& object, std::string_view list, std::string_view wanted) {
  const auto* found = object.if_contains(list);
  return found && found->is_array() &&
         std::ranges::any_of(found->get_array(), [wanted](const base::json::value& one) {
           return one.is_string() && one.get_string() == wanted;
         });
}

// Does the controller give the tables of the default tenant to this broker or server?
bool has_tenant(const PinotPorts& ports, std::string_view role) {
  const bool is_broker = role == pinot_broker;
  const auto tenant = http_get_object(
      ports.controller,
      fmt::format("/tenants/DefaultTenant?type={}", is_broker ? "broker" : "server"));
  return tenant && lists(*tenant, is_broker ? "BrokerInstances" : "ServerInstances",
                         pinot_instance(ports, role));
}

std::string live_path(const PinotPorts& ports, std::string_view role) {
  return fmt::format("/flow/LIVEINSTANCES/{}", pinot_instance(ports, role));
}

// Folders beside `kept` that differ from it after the last dash: of an older Java, for instance.
void remove_older(const fs::path& kept) {
  const std::string name = kept.filename().string();
  const std::string common = name.substr(0, name.rfind('-') + 1);
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(kept.parent_path(), error)) {
    const std::string other = entry.path().filename().string();
    if (other.starts_with(common) && other != name) fs::remove_all(entry.path(), error);
  }
}

}  // namespace

fs::path pinot_plugin_jar() {
  if (const char* chosen = std::getenv("FLOW_PINOT_PLUGIN"); chosen && *chosen) return chosen;
  return fs::path(FLOW_SOURCE_DIR) / "build" / "pinot-pulsar" / "flow-pinot-pulsar.jar";
}

Pinot::~Pinot() { stop(); }

void Pinot::stop() {
  for (const char* role : roles) stop_processes(role, std::chrono::seconds(4), SIGTERM);
}

Result<std::unique_ptr<Pinot>> Pinot::start(PinotOptions options) {
  if (options.pulsar_plugin.empty() && options.home.empty() && fs::exists(pinot_plugin_jar())) {
    options.pulsar_plugin = pinot_plugin_jar();
  }
  auto home = find_pinot(options.home, options.pulsar_plugin);
  if (!home) return std::unexpected(home.error());
  auto java = find_java();
  if (!java) return std::unexpected(java.error());
  PinotPlan plan = {.home = *home,
                    .java = *java,
                    .run = {},
                    .ports = {},
                    .archives = pinot_archives(*home, *java)};
  make_archives(options, plan);
  Wait wait("pinot", options.progress, options.ready_within);
  for (int attempt = 1;; ++attempt) {
    auto run = RunDirectory::create();  // A new one each time: half-written data is not reused.
    if (!run) return std::unexpected(run.error());
    std::unique_ptr<Pinot> pinot(new Pinot(*run));
    pinot->plan_ = plan;
    pinot->plan_.run = (*run)->path();
    auto ready = pinot->start_once(options, wait);
    if (ready) {
      pinot->facts_["seconds_until_ready"] = wait.seconds();
      return pinot;
    }
    const bool try_again = attempt < attempts && says_port_is_taken(ready.error().what);
    if (!try_again) return std::unexpected(pinot->explained(ready.error()));
  }
}

// A third of what a JVM of Pinot does until it is ready is loading classes. The first start on a
// machine lets each role write them into an archive at its end, which later ones map. It is a start
// for nothing else: a JVM that is going to write one is none to measure. Where it fails, later
// starts take longer, no more.
void Pinot::make_archives(const PinotOptions& options, PinotPlan plan) {
  const fs::path kept = plan.archives;
  std::error_code error;
  if (kept.empty() || fs::exists(kept, error)) return;
  auto run = RunDirectory::create();
  if (!run) return;
  if (options.progress) options.progress("pinot: starting it once to make later starts quicker");
  Pinot once(*run);
  once.plan_ = std::move(plan);
  once.plan_.run = (*run)->path();
  once.plan_.archives = (*run)->path() / "classes";
  once.plan_.is_making_archives = true;
  fs::create_directories(once.plan_.archives, error);
  const PinotOptions plain;  // The level's settings are judged by the start that is for them.
  Wait wait("pinot", options.progress, options.ready_within / 2);
  if (!once.start_once(plain, wait)) return;
  for (const char* role : roles) {
    ChildProcess* process = once.find(role);
    process->kill(SIGTERM);
    auto written = wait.until(
        fmt::format("writing down the classes of {}", role), [&] { return process->exited(); },
        [] { return Result<void>(); });
    if (!written || !process->exit_code()) return;  // Killed while it wrote, perhaps.
  }
  remove_older(kept);
  fs::rename(once.plan_.archives, kept,
             error);  // In the same cache. Another one may be there first.
}

Result<void> Pinot::start_once(const PinotOptions& options, Wait& wait) {
  if (auto done = configure(options); !done) return done;
  if (auto done = start_role(options, pinot_zookeeper); !done) return done;
  if (auto done = wait_ready(pinot_zookeeper, wait); !done) return done;
  if (auto done = start_role(options, pinot_controller); !done) return done;
  // It joins the cluster after it has laid it out; broker and server die in one that is not.
  auto laid_out = wait.until(
      "waiting for the controller to lay out the cluster",
      [this] { return is_registered(pinot_controller); }, [this] { return check_starting(); },
      pause);
  if (!laid_out) return laid_out;
  const auto roles = pinot_own_roles(plan_.ports);
  for (const auto& role : roles) {
    if (role == pinot_controller) continue;
    if (auto done = start_role(options, role); !done) return done;
  }
  for (const auto& role : roles) {
    if (auto done = wait_ready(role, wait); !done) return done;
  }
  return read_effective(options.level);
}

Result<void> Pinot::pick_all_ports(int servers) {
  const auto ports = pick_ports(3 + 2 * servers);
  if (!ports) return std::unexpected(ports.error());
  plan_.ports = {(*ports)[0], (*ports)[1], (*ports)[2], {}};
  for (std::size_t i = 3; i < ports->size(); i += 2) {
    plan_.ports.servers.push_back({.queries = (*ports)[i], .admin = (*ports)[i + 1]});
  }
  return {};
}

// Picks ports and writes every role's configuration.
Result<void> Pinot::configure(const PinotOptions& options) {
  if (auto picked = pick_all_ports(options.servers); !picked) return picked;
  controller_url_ = fmt::format("http://127.0.0.1:{}", plan_.ports.controller);
  broker_url_ = fmt::format("http://127.0.0.1:{}", plan_.ports.broker);
  facts_ = {{"platform", "pinot"},
            {"version", plan_.home.version},
            {"home", plan_.home.folder.string()},
            {"pulsar_plugin", plan_.home.pulsar_plugin},
            {"service", broker_url_},
            {"admin", controller_url_},
            {"commands", base::json::object()},
            {"settings_set", base::json::object()},
            {"differs_from_default", base::json::object()},
            {"defaults_from", "not known: Pinot ships its defaults in its code"}};
  const fs::path config = run_->path() / "config";
  const auto write = [&](const std::string& role, Result<Settings> settings) -> Result<void> {
    if (!settings) return std::unexpected(settings.error());
    facts_["settings_set"].as_object()[role] = settings_object(*settings);
    facts_["differs_from_default"].as_object()[role] = differences_from({}, *settings);
    std::error_code error;  // What cannot be made shows when the role starts.
    fs::create_directories(run_->path() / (role + "-tmp"), error);
    return write_text_file(config / (role + ".conf"), properties_text(*settings));
  };
  const PinotLevel& level = options.level;
  for (auto done : {write(pinot_zookeeper, pinot_zookeeper_settings(plan_)),
                    write(pinot_controller, pinot_controller_settings(plan_, level.controller)),
                    write(pinot_broker, pinot_broker_settings(plan_, level.broker))}) {
    if (!done) return done;
  }
  for (std::size_t i = 0; i < plan_.ports.servers.size(); ++i) {
    const std::string role = pinot_server_role(i);
    auto done = write(role, pinot_server_settings(plan_, level.server, role));
    if (!done) return done;
  }
  std::error_code error;
  fs::create_directories(run_->path() / "logs", error);
  return write_text_file(config / "pinot-log4j2.xml", pinot_logging_text());
}

Result<void> Pinot::start_role(const PinotOptions& options, std::string_view role) {
  SpawnOptions spawn;
  spawn.name = role;
  spawn.command = pinot_command(plan_, role, options.level);
  spawn.working_directory = run_->path();
  facts_["commands"].as_object()[role] = fmt::format("{}", fmt::join(spawn.command, " "));
  auto started = start_process(std::move(spawn));
  if (!started) return std::unexpected(started.error());
  return {};
}

// A role that could not start may stay as a process: then its log says so.
Result<void> Pinot::check_starting() const {
  if (auto alive = check_alive(); !alive) return alive;
  for (const auto& role : pinot_own_roles(plan_.ports)) {
    const ChildProcess* process = find(role);
    if (!process || process->exited()) continue;
    const std::string tail = process->log_tail(60);
    if (tail.find(failed_words) == std::string::npos) continue;
    return fail(Errc::io, "{} could not start; the end of its log:\n{}", role, tail);
  }
  return {};
}

bool Pinot::is_running(std::string_view role) const {
  const ChildProcess* process = find(role);
  return process && !process->exited();
}

bool Pinot::is_registered(std::string_view role) const {
  const auto dump = ask_zookeeper(plan_.ports.zookeeper, "dump");
  return dump && lists_ephemeral(*dump, live_path(plan_.ports, role));
}

Result<void> Pinot::wait_ready(std::string_view role, Wait& wait) {
  const auto alive = [this] { return check_starting(); };
  if (role == pinot_zookeeper) {
    return wait.until(
        "waiting for ZooKeeper",
        [this] { return bool(ask_zookeeper(plan_.ports.zookeeper, "srvr")); }, alive);
  }
  const RestProbe rest = probe_of(plan_.ports, role);
  HttpProbe probe(rest.port, rest.target);
  auto ready = wait.until(
      fmt::format("waiting for {} to be ready", role), [&] { return probe.is_good(); }, alive,
      pause);
  if (!ready || role == pinot_controller || !is_running(pinot_controller)) return ready;
  return wait.until(
      fmt::format("waiting until tables can be given to {}", role),
      [&] { return has_tenant(plan_.ports, role); }, alive, pause);
}

Result<void> Pinot::read_effective(const PinotLevel& level) {
  base::json::object effective;
  for (const auto& role : pinot_own_roles(plan_.ports)) {
    auto reported = http_get_object(probe_of(plan_.ports, role).port, "/appconfigs");
    if (!reported) return base::with_context(role, reported.error());
    const auto* config = reported->if_contains("pinotConfig");
    if (!config || !config->is_object()) {
      return fail(Errc::protocol, "{}: /appconfigs has no object pinotConfig", role);
    }
    base::json::object in_force;
    for (const auto& [key, value] : config->get_object()) in_force[lower(key)] = value;
    Settings wanted = settings_of(level, role);
    for (auto& [key, value] : wanted) key = lower(std::move(key));
    if (auto ok = check_in_force(role, wanted, in_force); !ok) return ok;
    effective[role] = std::move(in_force);
  }
  facts_["settings_effective"] = std::move(effective);
  return {};
}

// A process that was killed keeps its place in the cluster until its ZooKeeper session ends. One
// that starts before that finds itself there already and sleeps for 11 s.
Result<void> Pinot::wait_session_gone(std::string_view role, Wait& wait) {
  return wait.until(
      fmt::format("waiting until ZooKeeper ends the session of {}", role),
      [&] {
        const auto dump = ask_zookeeper(plan_.ports.zookeeper, "dump");
        if (!dump) return false;
        const bool is_leader = role == pinot_controller && lists_ephemeral(*dump, leader_path);
        return !is_leader && !lists_ephemeral(*dump, live_path(plan_.ports, role));
      },
      [this] { return check_alive(); }, pause);
}

Result<void> Pinot::restart(std::string_view role, base::Nanos within) {
  Wait wait("pinot", {}, within);
  auto ready = restart_once(role, wait);
  if (!ready) return std::unexpected(explained(ready.error()));
  return ready;
}

Result<void> Pinot::restart_once(std::string_view role, Wait& wait) {
  if (auto ended = require_ended(role); !ended) return ended;
  if (role != pinot_zookeeper && is_running(pinot_zookeeper)) {
    if (auto gone = wait_session_gone(role, wait); !gone) return gone;
  }
  if (auto started = start_again(role); !started) return std::unexpected(started.error());
  if (auto ready = wait_ready(role, wait); !ready || role != pinot_zookeeper) return ready;
  for (const char* other : {pinot_controller, pinot_broker, pinot_server}) {
    if (!is_running(other)) continue;
    auto back = wait.until(
        fmt::format("waiting until {} has found ZooKeeper again", other),
        [&] { return is_registered(other); }, [this] { return check_alive(); }, pause);
    if (!back) return back;
  }
  return {};
}

}  // namespace flow::servers

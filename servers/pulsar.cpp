// SPDX-License-Identifier: Apache-2.0
#include "servers/pulsar.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <span>
#include <unistd.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "servers/local_http.hpp"
#include "servers/ports.hpp"
#include "servers/proc.hpp"
#include "servers/settings_text.hpp"
#include "servers/vendor_defaults.hpp"
#include "servers/wait.hpp"

namespace flow::servers {
namespace {

namespace fs = std::filesystem;
using base::Errc;
using base::fail;
using base::Result;

constexpr int attempts = 3;  // When another process takes a port first.
constexpr const char* fetched_version = "4.0.8";
constexpr const char* cluster_name = "flow";

constexpr std::array owned_bookie_keys = {
    "bookiePort",         "advertisedAddress", "metadataServiceUri", "zkServers",
    "journalDirectories", "journalDirectory",  "ledgerDirectories",  "httpServerPort"};
constexpr std::array owned_broker_keys = {"metadataStoreUrl",  "configurationMetadataStoreUrl",
                                          "clusterName",       "bindAddress",
                                          "advertisedAddress", "brokerServicePort",
                                          "webServicePort"};

Result<fs::path> find_home(const fs::path& chosen) {
  const bool is_fetched = chosen.empty();
  const fs::path home =
      is_fetched ? cache_directory() / fmt::format("apache-pulsar-{}", fetched_version) : chosen;
  if (is_fetched && !fs::exists(home / ".complete")) {
    return fail(Errc::config,
                "{}: Pulsar has not been fetched; 'tools/fetch-servers pulsar' does it",
                home.string());
  }
  if (fs::exists(home / "conf" / "broker.conf")) return home;
  return fail(Errc::config, "{}: there is no conf/broker.conf in it", home.string());
}

std::string version_of(const fs::path& home) {
  constexpr std::string_view prefix = "org.apache.pulsar-pulsar-broker-";
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(home / "lib", error)) {
    const std::string name = entry.path().stem().string();
    if (name.starts_with(prefix) &&
        name.find_first_not_of("0123456789.", prefix.size()) == std::string::npos) {
      return name.substr(prefix.size());
    }
  }
  return "unknown";
}

// The command line that bin/pulsar of the distribution arrives at, without its shell: the same
// class path, system properties and module openings.
std::vector<std::string> java_command(const fs::path& home, const std::string& java,
                                      const std::string& role, const fs::path& run,
                                      std::vector<std::string> flags,
                                      const std::vector<std::string>& main) {
  std::vector<std::string> command = {java};
  command.insert(command.end(), flags.begin(), flags.end());
  const std::vector<std::string> common = {
      "-cp",
      fmt::format("{0}/conf:{0}/lib/*", home.string()),
      "-Djava.net.preferIPv4Stack=true",
      "-Dlog4j.configurationFile=log4j2.yaml",
      "-Djute.maxbuffer=10485760",
      "-Dzookeeper.clientTcpKeepAlive=true",
      "--add-opens=java.base/java.io=ALL-UNNAMED",
      "--add-opens=java.base/java.util.zip=ALL-UNNAMED",
      "--add-opens=java.management/sun.management=ALL-UNNAMED",
      "--add-opens=jdk.management/com.sun.management.internal=ALL-UNNAMED",
      "-Dio.netty.tryReflectionSetAccessible=true",
      "-Dorg.apache.pulsar.shade.io.netty.tryReflectionSetAccessible=true",
      "--add-opens=java.base/java.nio=ALL-UNNAMED",
      "--add-opens=java.base/jdk.internal.misc=ALL-UNNAMED",
      "--add-opens=java.base/jdk.internal.platform=ALL-UNNAMED",
      "--enable-native-access=ALL-UNNAMED",
      "-XX:+UseG1GC",
      "-XX:MaxGCPauseMillis=20",
      "-XX:+PerfDisableSharedMem",
      "-XX:+ExitOnOutOfMemoryError",
      "-Xshare:auto",
      fmt::format("-Xlog:gc:file={}/logs/{}-gc.log", run.string(), role),
      "-Dpulsar.allocator.exit_on_oom=true",
      "-Dio.netty.leakDetection.level=disabled",
      "-Dpulsar.log.appender=Console",
      "-Dpulsar.routing.appender.default=Console",
      fmt::format("-Dpulsar.log.dir={}/logs", run.string()),
      "-Dpulsar.log.immediateFlush=true",  // The last words of one that dies are wanted.
      "-Dlog4j2.is.webapp=false",
      "-Dbookkeeper.metadata.bookie.drivers="
      "org.apache.pulsar.metadata.bookkeeper.PulsarMetadataBookieDriver",
      "-Dbookkeeper.metadata.client.drivers="
      "org.apache.pulsar.metadata.bookkeeper.PulsarMetadataClientDriver"};
  command.insert(command.end(), common.begin(), common.end());
  command.insert(command.end(), main.begin(), main.end());
  return command;
}

std::vector<std::string> memory_flags(int heap_mb, int direct_mb) {
  return {fmt::format("-Xms{}m", heap_mb), fmt::format("-Xmx{}m", heap_mb),
          fmt::format("-XX:MaxDirectMemorySize={}m", direct_mb)};
}

Result<Settings> with_level(Settings own, const Settings& level, std::span<const char* const> owned,
                            std::string_view role) {
  for (const auto& [key, value] : level) {
    if (std::ranges::find(owned, key) != owned.end()) {
      return fail(Errc::config,
                  "pulsar {} setting {}={}: Flow sets {} itself; leave it out of the level", role,
                  key, value, key);
    }
    put_setting(own, key, value);
  }
  return own;
}

// Room and addresses; nothing here touches when an entry counts as stored.
Settings bookie_settings(const fs::path& data, int port, int http_port, int zookeeper) {
  const std::string store = fmt::format("127.0.0.1:{}", zookeeper);
  const std::string journal = (data / "journal").string();
  return {{"bookiePort", fmt::format("{}", port)},
          {"advertisedAddress", "127.0.0.1"},
          {"allowLoopback", "true"},
          {"metadataServiceUri", "metadata-store:zk:" + store},
          {"zkServers", store},
          {"journalDirectories", journal},
          {"journalDirectory", journal},
          {"ledgerDirectories", (data / "ledgers").string()},
          {"httpServerEnabled", "true"},
          {"httpServerHost", "127.0.0.1"},
          {"httpServerPort", fmt::format("{}", http_port)},
          {"prometheusStatsHttpPort", fmt::format("{}", http_port)},
          {"dbStorage_writeCacheMaxSizeMb", "128"},
          {"dbStorage_readAheadCacheMaxSizeMb", "128"},
          {"dbStorage_rocksDB_blockCacheSize", "33554432"},
          {"diskUsageThreshold", "0.98"},
          {"diskUsageWarnThreshold", "0.97"},
          {"logSizeLimit", "268435456"},
          {"journalMaxSizeMB", "512"},
          {"minUsableSizeForIndexFileCreation", "268435456"}};
}

Settings broker_settings(int port, int http_port, int zookeeper) {
  const std::string store = fmt::format("zk:127.0.0.1:{}", zookeeper);
  return {{"metadataStoreUrl", store},
          {"configurationMetadataStoreUrl", store},
          {"clusterName", cluster_name},
          {"bindAddress", "127.0.0.1"},
          {"advertisedAddress", "127.0.0.1"},
          {"brokerServicePort", fmt::format("{}", port)},
          {"webServicePort", fmt::format("{}", http_port)},
          {"managedLedgerCacheSizeMB", "128"},
          {"brokerDeleteInactiveTopicsEnabled", "false"},
          {"allowAutoTopicCreationType", "partitioned"},
          {"defaultNumPartitions", "1"},
          {"loadBalancerAutoBundleSplitEnabled", "false"},
          {"loadBalancerSheddingEnabled", "false"},
          {"loadBalancerOverrideBrokerNicSpeedGbps", "1"},
          {"brokerShutdownTimeoutMs", "5000"},
          {"webSocketServiceEnabled", "false"},
          {"defaultRetentionTimeInMinutes", "1440"},
          {"defaultRetentionSizeInMB", "-1"}};
}

std::string bookie_role(std::size_t index) { return fmt::format("pulsar-bookie-{}", index + 1); }
std::string broker_role(std::size_t index) { return fmt::format("pulsar-broker-{}", index + 1); }

}  // namespace

std::string apply_settings(std::string_view text, const Settings& settings) {
  std::string result;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = text.substr(at, end - at);
    std::string_view key = line.substr(0, line.find('='));
    while (key.ends_with(' ')) key.remove_suffix(1);
    if (key.empty() || line.find('=') == std::string_view::npos || !find_setting(settings, key)) {
      result.append(line).append("\n");
    }
    at = end + 1;
  }
  return result + "\n# Set by Flow.\n" + properties_text(settings);
}

Pulsar::~Pulsar() { stop(); }

void Pulsar::stop() {
  stop_processes("pulsar-broker", std::chrono::seconds(3), SIGTERM);
  stop_processes("pulsar-bookie", std::chrono::seconds(2), SIGTERM);
  stop_processes("pulsar-zookeeper", std::chrono::seconds(1), SIGTERM);
}

Result<std::unique_ptr<Pulsar>> Pulsar::start(PulsarOptions options) {
  Wait wait("pulsar", options.progress, options.ready_within);
  auto home = find_home(options.home);
  if (!home) return std::unexpected(home.error());
  auto java = find_java();
  if (!java) return std::unexpected(java.error());
  for (int attempt = 1;; ++attempt) {
    auto run = RunDirectory::create();  // A new one each time: half-written data is not reused.
    if (!run) return std::unexpected(run.error());
    std::unique_ptr<Pulsar> pulsar(new Pulsar(*run));
    auto ready = pulsar->start_once(options, Plan{*home, *java}, wait);
    if (ready) {
      pulsar->facts_["seconds_until_ready"] = wait.seconds();
      return pulsar;
    }
    const bool try_again = attempt < attempts && says_port_is_taken(ready.error().what);
    if (!try_again) return std::unexpected(pulsar->explained(ready.error()));
  }
}

Result<void> Pulsar::start_once(const PulsarOptions& options, const Plan& plan, Wait& wait) {
  const auto bookies = static_cast<std::size_t>(options.level.bookies);
  const auto brokers = static_cast<std::size_t>(options.level.brokers);
  auto picked = pick_ports(static_cast<int>(1 + 2 * bookies + 2 * brokers));
  if (!picked) return std::unexpected(picked.error());
  auto next = picked->begin();
  const auto take = [&next](std::size_t count) {
    const std::vector<std::uint16_t> some(next, next + static_cast<std::ptrdiff_t>(count));
    next += static_cast<std::ptrdiff_t>(count);
    return some;
  };
  ports_.zookeeper = take(1).front();
  ports_.bookies = take(bookies);
  ports_.bookie_https = take(bookies);
  ports_.brokers = take(brokers);
  ports_.broker_https = take(brokers);
  service_url_ = fmt::format("pulsar://127.0.0.1:{}", ports_.brokers.front());
  admin_url_ = fmt::format("http://127.0.0.1:{}", ports_.broker_https.front());
  facts_ = {{"platform", "pulsar"},
            {"version", version_of(plan.home)},
            {"service", service_url_},
            {"admin", admin_url_},
            {"bookies", bookies},
            {"brokers", brokers},
            {"commands", base::json::object()},
            {"settings_set", base::json::object()},
            {"differs_from_default", base::json::object()},
            {"defaults_from",
             fmt::format("conf/ of the distribution of Pulsar {}", version_of(plan.home))}};
  std::error_code ignored;
  fs::create_directories(run_->path() / "logs", ignored);
  if (auto done = start_zookeeper(plan, wait); !done) return done;
  if (auto done = initialize_metadata(plan, wait); !done) return done;
  if (auto done = start_bookies(options, plan, wait); !done) return done;
  if (auto done = start_brokers(options, plan); !done) return done;
  return wait_ready(options, wait);
}

void Pulsar::tell_settings(const std::string& role, const Settings& set, std::string_view shipped) {
  facts_["settings_set"].as_object()[role] = settings_object(set);
  facts_["differs_from_default"].as_object()[role] =
      differences_from(parse_properties(shipped), set);
}

Result<void> Pulsar::start_java(const Plan& plan, std::string role, std::vector<std::string> flags,
                                std::vector<std::string> main) {
  SpawnOptions spawn;
  spawn.name = std::move(role);
  spawn.command =
      java_command(plan.home, plan.java, spawn.name, run_->path(), std::move(flags), main);
  spawn.working_directory = plan.home;
  facts_["commands"].as_object()[spawn.name] = fmt::format("{}", fmt::join(spawn.command, " "));
  auto started = start_process(std::move(spawn));
  if (!started) return std::unexpected(started.error());
  return {};
}

namespace {

// ZooKeeper's files after Pulsar's own `initialize-cluster-metadata`: kept, since it costs a JVM.
fs::path kept_metadata(const fs::path& home) {
  const fs::path cache = cache_directory();
  if (home.parent_path() != cache) return {};  // Somebody's own distribution.
  return cache / (home.filename().string() + ".metadata");
}

// ZooKeeper fills its logs up to 64 MiB with zeros, as room to write into; a record ends in a 'B'.
void trim_logs(const fs::path& folder) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    if (!entry.path().filename().string().starts_with("log.")) continue;
    const std::string text = read_text_file(entry.path().string());
    const std::size_t last = text.find_last_not_of('\0');
    if (last != std::string::npos) fs::resize_file(entry.path(), last + 1, ignored);
  }
}

// What is in it until the brokers' addresses are known and written over the admin interface.
constexpr const char* placeholder_web = "http://127.0.0.1:8080";
constexpr const char* placeholder_service = "pulsar://127.0.0.1:6650";

}  // namespace

Result<void> Pulsar::start_zookeeper(const Plan& plan, Wait& wait) {
  const fs::path data = run_->path() / "zookeeper";
  const fs::path config = run_->path() / "config" / "zookeeper.conf";
  const Settings settings = {{"tickTime", "2000"},
                             {"dataDir", data.string()},
                             {"clientPort", fmt::format("{}", ports_.zookeeper)},
                             {"clientPortAddress", "127.0.0.1"},
                             {"maxClientCnxns", "0"},
                             {"admin.enableServer", "false"}};
  if (auto ok = write_text_file(config, properties_text(settings)); !ok) return ok;
  const std::string shipped = read_text_file((plan.home / "conf" / "zookeeper.conf").string());
  facts_["settings_set"].as_object()["pulsar-zookeeper"] = settings_object(settings);
  facts_["differs_from_default"].as_object()["pulsar-zookeeper"] =
      replaced_differences_from(parse_properties(shipped), settings);
  std::error_code error;
  fs::create_directories(data, error);
  const fs::path kept = kept_metadata(plan.home);
  if (!kept.empty() && fs::exists(kept, error)) {
    fs::copy(kept, data, fs::copy_options::recursive, error);
    if (error) return fail(Errc::io, "{}: {}", kept.string(), error.message());
  }
  auto flags = memory_flags(192, 64);
  flags.insert(flags.end(),
               {"-Dzookeeper.4lw.commands.whitelist=*", "-Dzookeeper.snapshot.trust.empty=true",
                "-Dzookeeper.tcpKeepAlive=true"});
  auto started = start_java(plan, "pulsar-zookeeper", flags,
                            {"org.apache.zookeeper.server.quorum.QuorumPeerMain", config.string()});
  if (!started) return started;
  return wait_zookeeper(wait);
}

Result<void> Pulsar::wait_zookeeper(Wait& wait) {
  return wait.until(
      "waiting for ZooKeeper", [this] { return accepts_connections(ports_.zookeeper); },
      [this] { return check_alive(); });
}

Result<void> Pulsar::initialize_metadata(const Plan& plan, Wait& wait) {
  const fs::path kept = kept_metadata(plan.home);
  std::error_code error;
  if (!kept.empty() && fs::exists(kept, error)) return {};
  const std::string store = fmt::format("zk:127.0.0.1:{}", ports_.zookeeper);
  SpawnOptions spawn;
  spawn.name = "initialize-cluster-metadata";
  spawn.command = java_command(
      plan.home, plan.java, spawn.name, run_->path(), memory_flags(256, 128),
      {"org.apache.pulsar.PulsarClusterMetadataSetup", "--cluster", cluster_name,
       "--metadata-store", store, "--configuration-metadata-store", store, "--web-service-url",
       placeholder_web, "--broker-service-url", placeholder_service});
  spawn.working_directory = plan.home;
  spawn.log_path = run_->path() / "logs" / "initialize-cluster-metadata.log";
  auto child = run_->spawn(std::move(spawn));
  if (!child) return std::unexpected(child.error());
  auto done = wait.until(
      "writing the metadata of a new cluster", [&] { return (*child)->exited(); },
      [this] { return check_alive(); });
  if (!done) return done;
  if ((*child)->exit_code() != 0) {
    return fail(Errc::io, "pulsar: initialize-cluster-metadata: {}:\n{}", (*child)->exit_text(),
                (*child)->log_tail(20));
  }
  if (kept.empty()) return {};
  const fs::path part = fmt::format("{}.{}", kept.string(), ::getpid());
  // ZooKeeper has answered every write, so its log on disk is whole; nobody else writes yet.
  fs::copy(run_->path() / "zookeeper", part, fs::copy_options::recursive, error);
  if (!error) trim_logs(part / "version-2");
  if (!error) fs::rename(part, kept, error);
  if (error) fs::remove_all(part, error);
  return {};
}

Result<void> Pulsar::start_bookies(const PulsarOptions& options, const Plan& plan, Wait& wait) {
  const std::string shipped = read_text_file((plan.home / "conf" / "bookkeeper.conf").string());
  for (std::size_t i = 0; i < ports_.bookies.size(); ++i) {
    // The first one lays the nodes of the auto-recovery out in ZooKeeper; of two that do so at the
    // same time one dies (BadVersion for /ledgers/underreplication/LAYOUT).
    if (i == 1) {
      if (auto ready = wait_bookie(0, wait); !ready) return ready;
    }
    const std::string role = bookie_role(i);
    auto settings = with_level(bookie_settings(run_->path() / role, ports_.bookies[i],
                                               ports_.bookie_https[i], ports_.zookeeper),
                               options.level.bookie, owned_bookie_keys, "bookie");
    if (!settings) return std::unexpected(settings.error());
    const fs::path file = run_->path() / "config" / (role + ".conf");
    if (auto ok = write_text_file(file, apply_settings(shipped, *settings)); !ok) return ok;
    tell_settings(role, *settings, shipped);
    auto started =
        start_java(plan, role, memory_flags(options.bookie_heap_mb, options.bookie_direct_mb),
                   {"org.apache.bookkeeper.server.Main", "--conf", file.string()});
    if (!started) return started;
  }
  return {};
}

Result<void> Pulsar::start_brokers(const PulsarOptions& options, const Plan& plan) {
  const std::string shipped = read_text_file((plan.home / "conf" / "broker.conf").string());
  for (std::size_t i = 0; i < ports_.brokers.size(); ++i) {
    const std::string role = broker_role(i);
    auto settings =
        with_level(broker_settings(ports_.brokers[i], ports_.broker_https[i], ports_.zookeeper),
                   options.level.broker, owned_broker_keys, "broker");
    if (!settings) return std::unexpected(settings.error());
    const fs::path file = run_->path() / "config" / (role + ".conf");
    if (auto ok = write_text_file(file, apply_settings(shipped, *settings)); !ok) return ok;
    tell_settings(role, *settings, shipped);
    auto flags = memory_flags(options.broker_heap_mb, options.broker_direct_mb);
    flags.push_back("-Dlog4j.shutdownHookEnabled=false");
    auto started =
        start_java(plan, role, flags,
                   {"org.apache.pulsar.PulsarBrokerStarter", "--broker-conf", file.string()});
    if (!started) return started;
  }
  return {};
}

Result<void> Pulsar::wait_bookie(std::size_t index, Wait& wait) {
  const auto port = ports_.bookie_https[index];
  HttpProbe probe(port, "/api/v1/bookie/is_ready");
  return wait.until(
      fmt::format("waiting for bookie {} of {}", index + 1, ports_.bookies.size()),
      [&] { return probe.is_good(); }, [this] { return check_alive(); },
      std::chrono::milliseconds(50));
}

Result<void> Pulsar::wait_broker(std::size_t index, Wait& wait) {
  HttpProbe probe(ports_.broker_https[index], "/admin/v2/brokers/health");
  return wait.until(
      fmt::format("waiting for broker {} of {} to store and read a message", index + 1,
                  ports_.brokers.size()),
      [&] { return probe.is_good(); }, [this] { return check_alive(); },
      std::chrono::milliseconds(50));
}

Result<void> Pulsar::wait_ready(const PulsarOptions& options, Wait& wait) {
  for (std::size_t i = 0; i < ports_.bookies.size(); ++i) {
    if (auto ready = wait_bookie(i, wait); !ready) return ready;
  }
  for (std::size_t i = 0; i < ports_.brokers.size(); ++i) {
    if (auto ready = wait_broker(i, wait); !ready) return ready;
  }
  return read_effective(options);
}

Result<void> Pulsar::restart(std::string_view role, base::Nanos within) {
  Wait wait("pulsar", {}, within);
  if (auto started = start_again(role); !started) return std::unexpected(started.error());
  for (std::size_t i = 0; i < ports_.bookies.size(); ++i) {
    if (role == bookie_role(i)) return wait_bookie(i, wait);
  }
  for (std::size_t i = 0; i < ports_.brokers.size(); ++i) {
    if (role == broker_role(i)) return wait_broker(i, wait);
  }
  return wait_zookeeper(wait);
}

Result<void> Pulsar::read_effective(const PulsarOptions& options) {
  base::json::object effective;
  for (std::size_t i = 0; i < ports_.bookie_https.size(); ++i) {
    const std::string role = bookie_role(i);
    auto reported = http_get_object(ports_.bookie_https[i], "/api/v1/config/server_config");
    if (!reported) return base::with_context(role, reported.error());
    if (auto ok = check_in_force(role, options.level.bookie, *reported); !ok) return ok;
    effective[role] = std::move(*reported);
  }
  for (std::size_t i = 0; i < ports_.broker_https.size(); ++i) {
    const std::string role = broker_role(i);
    auto reported =
        http_get_object(ports_.broker_https[i], "/admin/v2/brokers/configuration/runtime");
    if (!reported) return base::with_context(role, reported.error());
    if (auto ok = check_in_force(role, options.level.broker, *reported); !ok) return ok;
    effective[role] = std::move(*reported);
  }
  facts_["settings_effective"] = std::move(effective);
  // The kept metadata names no address; brokers find each other without it, tools may ask.
  net::HttpRequest update;
  update.method = "POST";
  update.target = fmt::format("/admin/v2/clusters/{}", cluster_name);
  update.headers.add("Content-Type", "application/json");
  update.body = base::json::serialize(
      base::json::object{{"serviceUrl", admin_url_}, {"brokerServiceUrl", service_url_}});
  auto updated =
      net::http_request_blocking(local_url(ports_.broker_https.front()), std::move(update),
                                 base::now() + std::chrono::seconds(10));
  if (!updated) return base::with_context("pulsar", updated.error());
  if (updated->status >= 300) {
    return fail(Errc::io, "pulsar: writing the cluster's addresses: status {}: {}", updated->status,
                updated->body);
  }
  return {};
}

}  // namespace flow::servers

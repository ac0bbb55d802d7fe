// SPDX-License-Identifier: Apache-2.0
#include "servers/kafka.hpp"

#include <array>
#include <random>
#include <unistd.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "servers/ports.hpp"
#include "servers/proc.hpp"
#include "servers/settings_text.hpp"
#include "servers/wait.hpp"

namespace flow::servers {
namespace {

namespace fs = std::filesystem;
using base::Errc;
using base::fail;
using base::Result;

constexpr int attempts = 3;  // When another process takes a port first.
constexpr const char* fetched_version = "4.3.1";

constexpr std::array owned_keys = {"process.roles",
                                   "node.id",
                                   "broker.id",
                                   "listeners",
                                   "log.dirs",
                                   "log.dir",
                                   "advertised.listeners",
                                   "metadata.log.dir",
                                   "controller.quorum.voters"};

struct Home {
  fs::path path;
  std::string version;
  bool is_fetched = false;
};

Result<Home> find_home(const fs::path& chosen) {
  Home home{chosen, "", chosen.empty()};
  if (home.is_fetched) home.path = cache_directory() / fmt::format("kafka-{}", fetched_version);
  if (home.is_fetched && !fs::exists(home.path / ".complete")) {
    return fail(Errc::config, "{}: Kafka has not been fetched; 'tools/fetch-servers kafka' does it",
                home.path.string());
  }
  constexpr std::string_view prefix = "kafka_2.13-";
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(home.path / "libs", error)) {
    if (entry.path().filename().string().starts_with(prefix)) home.path /= "libs";
    if (home.path.filename() == "libs") break;
  }
  if (home.path.filename() != "libs") home.path /= "lib";
  for (const auto& entry : fs::directory_iterator(home.path, error)) {
    const std::string name = entry.path().stem().string();
    if (name.starts_with(prefix) && entry.path().extension() == ".jar") {
      home.version = name.substr(prefix.size());
    }
  }
  if (!home.version.empty()) return home;
  return fail(Errc::config, "{}: there is no {}*.jar in it", home.path.string(), prefix);
}

// Kafka's Uuid: 16 random bytes in base64url without padding. The first one is never a dash, which
// a command line would read as a flag.
std::string random_uuid() {
  constexpr std::string_view letters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::random_device device;
  std::string text;
  for (int i = 0; i < 22; ++i) {
    const auto value = device() % (i == 0 ? 52 : i == 21 ? 4 : 64);
    text += letters[i == 21 ? value * 16 : value];  // The last one carries two bits.
  }
  return text;
}

std::string logging_text(std::string_view level) {
  return fmt::format(
      "status=warn\n"
      "appender.c.type=Console\nappender.c.name=c\nappender.c.target=SYSTEM_ERR\n"
      "appender.c.layout.type=PatternLayout\nappender.c.layout.pattern=[%d] %p %m (%c)%n\n"
      "rootLogger.level={}\nrootLogger.appenderRef.c.ref=c\n",
      level);
}

std::vector<std::string> node_command(const std::string& java, const Home& home, int heap_mb,
                                      const fs::path& run, int id) {
  return {java,
          fmt::format("-Xms{}m", heap_mb),
          fmt::format("-Xmx{}m", heap_mb),
          "-server",
          "-XX:+UseG1GC",
          "-XX:MaxGCPauseMillis=20",
          "-XX:InitiatingHeapOccupancyPercent=35",
          "-XX:+ExplicitGCInvokesConcurrent",
          "-XX:+ExitOnOutOfMemoryError",
          "-XX:+PerfDisableSharedMem",
          "-Xshare:auto",
          fmt::format("-Xlog:gc:file={}/logs/kafka-{}-gc.log", run.string(), id),
          "-Djava.awt.headless=true",
          fmt::format("-Dkafka.logs.dir={}/logs", run.string()),
          fmt::format("-Dlog4j2.configurationFile={}/config/log4j2.properties", run.string()),
          "-cp",
          home.path.string() + "/*",
          "kafka.Kafka",
          fmt::format("{}/config/kafka-{}.properties", run.string(), id)};
}

// The features a new cluster starts with, as Kafka's own `format` writes them: the same bytes for
// every cluster of a version, so they are kept in the cache and cost a JVM only once.
fs::path kept_features(const Home& home) {
  return home.is_fetched
             ? cache_directory() / fmt::format("kafka-{}.bootstrap.checkpoint", home.version)
             : fs::path();
}

Result<void> run_format(RunDirectory& run, const Home& home, const std::string& java,
                        const std::string& cluster, Wait& wait) {
  const std::string config = (run.path() / "config").string();
  auto child = run.spawn({
      .name = "kafka-format",
      .command = {java, "-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC",
                  fmt::format("-Dlog4j2.configurationFile={}/tools.properties", config), "-cp",
                  home.path.string() + "/*", "kafka.tools.StorageTool", "format", "-t", cluster,
                  "-c", config + "/kafka-1.properties"},
      .log_path = run.path() / "logs" / "kafka-format.log",
  });
  if (!child) return std::unexpected(child.error());
  auto done =
      wait.until("formatting", [&] { return (*child)->exited(); }, [] { return Result<void>(); });
  if (!done) return done;
  if ((*child)->exit_code() == 0) return {};
  return fail(Errc::io, "kafka.tools.StorageTool format: {}:\n{}", (*child)->exit_text(),
              (*child)->log_tail(20));
}

// Gives every node's directory what `format` would write into it.
Result<void> format(RunDirectory& run, const Home& home, const std::string& java, int nodes,
                    Wait& wait) {
  const std::string cluster = random_uuid();
  const fs::path kept = kept_features(home);
  fs::path features = kept;
  std::error_code error;
  if (kept.empty() || !fs::exists(kept, error)) {
    if (auto done = run_format(run, home, java, cluster, wait); !done) return done;
    features = run.path() / "kafka-1" / "bootstrap.checkpoint";
    if (!kept.empty()) {
      const fs::path part = fmt::format("{}.{}", kept.string(), ::getpid());
      fs::copy_file(features, part, fs::copy_options::overwrite_existing, error);
      if (!error) fs::rename(part, kept, error);
    }
  }
  for (int id = 1; id <= nodes; ++id) {
    const fs::path data = run.path() / fmt::format("kafka-{}", id);
    auto written =
        write_text_file(data / "meta.properties",
                        fmt::format("version=1\ncluster.id={}\nnode.id={}\ndirectory.id={}\n",
                                    cluster, id, random_uuid()));
    if (!written) return written;
    if (features.parent_path() == data) continue;
    fs::copy_file(features, data / "bootstrap.checkpoint", fs::copy_options::overwrite_existing,
                  error);
    if (error) return fail(Errc::io, "{}: {}", features.string(), error.message());
  }
  return {};
}

fs::path log_of(const RunDirectory& run, std::size_t index) {
  return run.path() / "logs" / fmt::format("kafka-{}.log", index + 1);
}

}  // namespace

Result<Settings> kafka_node_settings(const KafkaNodePlan& plan, const Settings& level) {
  const int copies = plan.nodes;
  const int in_sync = plan.nodes >= 3 ? 2 : 1;
  Settings settings = {
      {"num.recovery.threads.per.data.dir", "1"},
      {"auto.create.topics.enable", "false"},
      {"offsets.topic.num.partitions", "3"},
      {"offsets.topic.replication.factor", fmt::format("{}", copies)},
      {"transaction.state.log.num.partitions", "3"},
      {"transaction.state.log.replication.factor", fmt::format("{}", copies)},
      {"transaction.state.log.min.isr", fmt::format("{}", in_sync)},
      {"share.coordinator.state.topic.num.partitions", "3"},
      {"share.coordinator.state.topic.replication.factor", fmt::format("{}", copies)},
      {"share.coordinator.state.topic.min.isr", fmt::format("{}", in_sync)},
      {"group.initial.rebalance.delay.ms", "0"},
  };
  for (const auto& [key, value] : level) {
    if (std::ranges::find(owned_keys, key) != owned_keys.end()) {
      return fail(Errc::config,
                  "kafka broker setting {}={}: Flow sets {} itself; leave it out of the level", key,
                  value, key);
    }
    put_setting(settings, key, value);
  }
  const std::string listener = fmt::format("PLAINTEXT://127.0.0.1:{}", plan.port);
  settings.insert(
      settings.end(),
      {{"process.roles", "broker,controller"},
       {"node.id", fmt::format("{}", plan.id)},
       {"controller.quorum.voters", plan.voters},
       {"listeners", fmt::format("{},CONTROLLER://127.0.0.1:{}", listener, plan.controller_port)},
       {"advertised.listeners", listener},
       {"inter.broker.listener.name", "PLAINTEXT"},
       {"controller.listener.names", "CONTROLLER"},
       {"listener.security.protocol.map", "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT"},
       {"log.dirs", plan.data.string()}});
  return settings;
}

Settings parse_kafka_config_log(std::string_view log) {
  Settings settings;
  std::size_t at = log.find("KafkaConfig values:");
  if (at == std::string_view::npos) return settings;
  at = log.find('\n', at) + 1;
  while (at < log.size() && log[at] == '\t') {
    const std::size_t end = std::min(log.find('\n', at), log.size());
    const std::string_view line = log.substr(at + 1, end - at - 1);
    const std::size_t equals = line.find(" = ");
    if (equals != std::string_view::npos) {
      settings.emplace_back(line.substr(0, equals), line.substr(equals + 3));
    }
    at = end + 1;
  }
  return settings;
}

Kafka::~Kafka() { stop(); }

void Kafka::stop() {
  // Controlled shutdown may take minutes, and the last nodes of three have lost their quorum.
  stop_processes("kafka", std::chrono::seconds(3), SIGTERM);
}

Result<std::unique_ptr<Kafka>> Kafka::start(KafkaOptions options) {
  Wait wait("kafka", options.progress, options.ready_within);
  auto home = find_home(options.home);
  if (!home) return std::unexpected(home.error());
  auto java = find_java();
  if (!java) return std::unexpected(java.error());
  for (int attempt = 1;; ++attempt) {
    auto run = RunDirectory::create();  // A new one each time: half-written data is not reused.
    if (!run) return std::unexpected(run.error());
    std::unique_ptr<Kafka> kafka(new Kafka(*run));
    auto ready = kafka->start_once(options, home->path.parent_path(), *java, wait);
    if (ready) {
      kafka->facts_["seconds_until_ready"] = wait.seconds();
      return kafka;
    }
    const bool try_again = attempt < attempts && says_port_is_taken(ready.error().what);
    if (!try_again) return std::unexpected(ready.error());
  }
}

Result<void> Kafka::start_once(const KafkaOptions& options, const fs::path& /*home*/,
                               const std::string& java, Wait& wait) {
  auto home = find_home(options.home);
  if (!home) return std::unexpected(home.error());
  const int nodes = options.level.nodes;
  auto ports = pick_ports(2 * nodes);
  if (!ports) return std::unexpected(ports.error());
  ports_.assign(ports->begin(), ports->begin() + nodes);
  std::vector<std::string> voters, brokers;
  for (int i = 0; i < nodes; ++i) {
    const auto index = static_cast<std::size_t>(i);
    brokers.push_back(fmt::format("127.0.0.1:{}", ports_[index]));
    voters.push_back(
        fmt::format("{}@127.0.0.1:{}", i + 1, (*ports)[static_cast<std::size_t>(nodes) + index]));
  }
  bootstrap_ = fmt::format("{}", fmt::join(brokers, ","));
  const fs::path run = run_->path();
  base::json::object set, commands;
  std::vector<Settings> plans;
  for (int i = 0; i < nodes; ++i) {
    const auto index = static_cast<std::size_t>(i);
    auto settings =
        kafka_node_settings({.id = i + 1,
                             .nodes = nodes,
                             .port = ports_[index],
                             .controller_port = (*ports)[static_cast<std::size_t>(nodes) + index],
                             .voters = fmt::format("{}", fmt::join(voters, ",")),
                             .data = run / fmt::format("kafka-{}", i + 1)},
                            options.level.broker);
    if (!settings) return std::unexpected(settings.error());
    set[fmt::format("kafka-{}", i + 1)] = settings_object(*settings);
    auto written = write_text_file(run / "config" / fmt::format("kafka-{}.properties", i + 1),
                                   properties_text(*settings));
    if (!written) return written;
  }
  (void)write_text_file(run / "config" / "log4j2.properties", logging_text("info"));
  (void)write_text_file(run / "config" / "tools.properties", logging_text("warn"));
  std::error_code ignored;
  fs::create_directories(run / "logs", ignored);
  if (auto done = servers::format(*run_, *home, java, nodes, wait); !done) return done;
  for (int id = 1; id <= nodes; ++id) {
    SpawnOptions spawn;
    spawn.name = fmt::format("kafka-{}", id);
    spawn.command = node_command(java, *home, options.heap_mb, run, id);
    spawn.working_directory = run;
    commands[spawn.name] = fmt::format("{}", fmt::join(spawn.command, " "));
    if (auto started = start_process(std::move(spawn)); !started) {
      return std::unexpected(started.error());
    }
  }
  facts_ = {
      {"platform", "kafka"}, {"version", home->version},       {"service", bootstrap_},
      {"nodes", nodes},      {"settings_set", std::move(set)}, {"commands", std::move(commands)}};
  return wait_ready(options, wait);
}

Result<void> Kafka::wait_ready(const KafkaOptions& options, Wait& wait) {
  const auto alive = [this] { return check_alive(); };
  for (std::size_t i = 0; i < ports_.size(); ++i) {
    auto open = wait.until(
        fmt::format("waiting for node {} of {} to open its port", i + 1, ports_.size()),
        [&] { return accepts_connections(ports_[i]); }, alive);
    if (!open) return open;
  }
  const int nodes = static_cast<int>(ports_.size());
  const auto is_ready = [&] {
    if (options.broker_count) {
      const auto count = options.broker_count(bootstrap_);
      return count && *count == nodes;
    }
    for (std::size_t i = 0; i < ports_.size(); ++i) {
      const std::string log = read_text_file(log_of(*run_, i).string());
      if (log.find("Kafka Server started") == std::string::npos) return false;
    }
    return true;
  };
  auto ready = wait.until(
      fmt::format("waiting until its metadata lists {} broker{}", nodes, nodes == 1 ? "" : "s"),
      is_ready, alive, std::chrono::milliseconds(50));
  if (!ready) return ready;
  base::json::object effective;
  for (std::size_t i = 0; i < ports_.size(); ++i) {
    const std::string role = fmt::format("kafka-{}", i + 1);
    auto reported =
        settings_object(parse_kafka_config_log(read_text_file(log_of(*run_, i).string())));
    if (auto ok = check_in_force(role, options.level.broker, reported); !ok) return ok;
    effective[role] = std::move(reported);
  }
  facts_["settings_effective"] = std::move(effective);
  return {};
}

}  // namespace flow::servers

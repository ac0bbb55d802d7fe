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
#include "servers/vendor_defaults.hpp"
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

std::vector<std::string> node_command(const std::string& java, const fs::path& jars, int heap_mb,
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
          jars.string() + "/*",
          "kafka.Kafka",
          fmt::format("{}/config/kafka-{}.properties", run.string(), id)};
}

// A tool of Kafka's, which runs for a second or two.
std::vector<std::string> tool_command(const std::string& java, const fs::path& jars,
                                      const fs::path& run, const char* main) {
  return {java,
          "-Xmx256m",
          "-XX:TieredStopAtLevel=1",
          "-XX:+UseSerialGC",
          fmt::format("-Dlog4j2.configurationFile={}/config/tools.properties", run.string()),
          "-cp",
          jars.string() + "/*",
          main};
}

// Files whose names start with it are Kafka's own jar.
constexpr std::string_view jar_prefix = "kafka_2.13-";

// "4.3.1" of the jar in this folder; empty when there is none.
std::string version_in(const fs::path& jars) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(jars, error)) {
    const std::string name = entry.path().stem().string();
    if (name.starts_with(jar_prefix) && entry.path().extension() == ".jar") {
      return name.substr(jar_prefix.size());
    }
  }
  return {};
}

// What a node logs when it takes requests.
constexpr std::string_view started_words = "Kafka Server started";

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

Result<void> Kafka::restart(std::string_view role, base::Nanos within) {
  Wait wait("kafka", {}, within);
  const ChildProcess* before = find(role);
  const std::string log = before ? before->log_path().string() : "";
  const std::size_t logged = read_text_file(log).size();
  if (auto started = start_again(role); !started) return std::unexpected(started.error());
  return wait.until(
      fmt::format("waiting until {} has started again", role),
      [&] { return read_text_file(log).find(started_words, logged) != std::string::npos; },
      [this] { return check_alive(); }, std::chrono::milliseconds(50));
}

Result<std::unique_ptr<Kafka>> Kafka::start(KafkaOptions options) {
  Wait wait("kafka", options.progress, options.ready_within);
  auto home = find_home(options.home);
  if (!home) return std::unexpected(home.error());
  for (int attempt = 1;; ++attempt) {
    auto run = RunDirectory::create();  // A new one each time: half-written data is not reused.
    if (!run) return std::unexpected(run.error());
    std::unique_ptr<Kafka> kafka(new Kafka(*run));
    auto ready = kafka->start_once(options, *home, wait);
    if (ready) {
      kafka->facts_["seconds_until_ready"] = wait.seconds();
      kafka->compare_with_defaults(*home, wait);
      return kafka;
    }
    const bool try_again = attempt < attempts && says_port_is_taken(ready.error().what);
    if (!try_again) return std::unexpected(kafka->explained(ready.error()));
  }
}

Result<Kafka::Home> Kafka::find_home(const fs::path& chosen) {
  auto java = find_java();
  if (!java) return std::unexpected(java.error());
  Home home{.jars = chosen, .version = "", .java = *java, .is_fetched = chosen.empty()};
  if (home.is_fetched) {
    home.jars = cache_directory() / fmt::format("kafka-{}", fetched_version);
    if (!fs::exists(home.jars / ".complete")) {
      return fail(Errc::config,
                  "{}: Kafka has not been fetched; 'tools/fetch-servers kafka' does it",
                  home.jars.string());
    }
  }
  for (const char* folder : {"lib", "libs"}) {  // Ours; that of Apache's archive.
    home.version = version_in(home.jars / folder);
    if (home.version.empty()) continue;
    home.jars /= folder;
    return home;
  }
  return fail(Errc::config, "{}: there is no lib/{}*.jar in it", home.jars.string(), jar_prefix);
}

Result<void> Kafka::start_once(const KafkaOptions& options, const Home& home, Wait& wait) {
  facts_ = {{"platform", "kafka"}, {"version", home.version}, {"nodes", options.level.nodes}};
  if (auto done = configure(options); !done) return done;
  if (auto done = format(home, wait); !done) return done;
  base::json::object commands;
  for (std::size_t id = 1; id <= ports_.size(); ++id) {
    SpawnOptions spawn;
    spawn.name = fmt::format("kafka-{}", id);
    spawn.command =
        node_command(home.java, home.jars, options.heap_mb, run_->path(), static_cast<int>(id));
    spawn.working_directory = run_->path();
    commands[spawn.name] = fmt::format("{}", fmt::join(spawn.command, " "));
    if (auto started = start_process(std::move(spawn)); !started) {
      return std::unexpected(started.error());
    }
  }
  facts_["commands"] = std::move(commands);
  return wait_ready(options, wait);
}

// Picks ports and writes every node's configuration.
Result<void> Kafka::configure(const KafkaOptions& options) {
  const auto nodes = static_cast<std::size_t>(options.level.nodes);
  auto ports = pick_ports(2 * options.level.nodes);
  if (!ports) return std::unexpected(ports.error());
  ports_.assign(ports->begin(), ports->begin() + options.level.nodes);
  std::vector<std::string> voters, brokers;
  for (std::size_t i = 0; i < nodes; ++i) {
    brokers.push_back(fmt::format("127.0.0.1:{}", ports_[i]));
    voters.push_back(fmt::format("{}@127.0.0.1:{}", i + 1, (*ports)[nodes + i]));
  }
  bootstrap_ = fmt::format("{}", fmt::join(brokers, ","));
  const fs::path config = run_->path() / "config";
  base::json::object set;
  for (std::size_t i = 0; i < nodes; ++i) {
    const std::string role = fmt::format("kafka-{}", i + 1);
    auto settings = kafka_node_settings({.id = static_cast<int>(i + 1),
                                         .nodes = options.level.nodes,
                                         .port = ports_[i],
                                         .controller_port = (*ports)[nodes + i],
                                         .voters = fmt::format("{}", fmt::join(voters, ",")),
                                         .data = run_->path() / role},
                                        options.level.broker);
    if (!settings) return std::unexpected(settings.error());
    set[role] = settings_object(*settings);
    set_[role] = *settings;
    auto written = write_text_file(config / (role + ".properties"), properties_text(*settings));
    if (!written) return written;
  }
  facts_["service"] = bootstrap_;
  facts_["settings_set"] = std::move(set);
  if (auto ok = write_text_file(config / "log4j2.properties", logging_text("info")); !ok) return ok;
  std::error_code error;
  fs::create_directories(run_->path() / "logs", error);
  return write_text_file(config / "tools.properties", logging_text("warn"));
}

Result<void> Kafka::run_format(const Home& home, const std::string& cluster, Wait& wait) {
  const std::string config = (run_->path() / "config").string();
  SpawnOptions spawn;
  spawn.name = "kafka-format";
  spawn.command = tool_command(home.java, home.jars, run_->path(), "kafka.tools.StorageTool");
  spawn.command.insert(spawn.command.end(),
                       {"format", "-t", cluster, "-c", config + "/kafka-1.properties"});
  spawn.log_path = run_->path() / "logs" / "kafka-format.log";
  auto child = run_->spawn(std::move(spawn));
  if (!child) return std::unexpected(child.error());
  auto done =
      wait.until("formatting", [&] { return (*child)->exited(); }, [] { return Result<void>(); });
  if (!done) return done;
  if ((*child)->exit_code() == 0) return {};
  return fail(Errc::io, "kafka.tools.StorageTool format: {}:\n{}", (*child)->exit_text(),
              (*child)->log_tail(20));
}

// Gives every node's directory what Kafka's own `format` would write into it. The features that a
// new cluster starts with are the same bytes for every cluster of a version: they are kept in the
// cache and cost a JVM only once.
Result<void> Kafka::format(const Home& home, Wait& wait) {
  const std::string cluster = random_uuid();
  fs::path features =
      cache_directory() / fmt::format("kafka-{}.bootstrap.checkpoint", home.version);
  std::error_code error;
  if (!home.is_fetched || !fs::exists(features, error)) {
    if (auto done = run_format(home, cluster, wait); !done) return done;
    const fs::path made = run_->path() / "kafka-1" / "bootstrap.checkpoint";
    if (home.is_fetched) {
      const fs::path part = fmt::format("{}.{}", features.string(), ::getpid());
      fs::copy_file(made, part, fs::copy_options::overwrite_existing, error);
      if (!error) fs::rename(part, features, error);
    }
    features = made;
  }
  for (std::size_t id = 1; id <= ports_.size(); ++id) {
    const fs::path data = run_->path() / fmt::format("kafka-{}", id);
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
      if (log.find(started_words) == std::string::npos) return false;
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

// A node's own answer, by Kafka's own tool. The defaults are the same for every cluster of a
// version: they are kept in the cache and cost a JVM only once.
Result<Settings> Kafka::ask_for_defaults(const Home& home, Wait& wait) {
  const fs::path kept = cache_directory() / fmt::format("kafka-{}.defaults", home.version);
  std::error_code error;
  if (home.is_fetched && fs::exists(kept, error)) {
    return parse_properties(read_text_file(kept.string()));
  }
  const fs::path log = run_->path() / "logs" / "kafka-configs.log";
  SpawnOptions spawn;
  spawn.name = "kafka-configs";
  spawn.command = tool_command(home.java, home.jars, run_->path(), "kafka.admin.ConfigCommand");
  spawn.command.insert(spawn.command.end(),
                       {"--bootstrap-server", bootstrap_, "--entity-type", "brokers",
                        "--entity-name", "1", "--describe", "--all"});
  spawn.log_path = log;
  auto child = run_->spawn(std::move(spawn));
  if (!child) return std::unexpected(child.error());
  auto done = wait.until(
      "asking it for its defaults", [&] { return (*child)->exited(); },
      [this] { return check_alive(); });
  if (!done) return std::unexpected(done.error());
  Settings defaults = parse_kafka_defaults(read_text_file(log.string()));
  if ((*child)->exit_code() != 0 || defaults.empty()) {
    return fail(Errc::io, "kafka.admin.ConfigCommand --describe: {}", (*child)->exit_text());
  }
  const fs::path part = fmt::format("{}.{}", kept.string(), ::getpid());
  if (home.is_fetched && write_text_file(part, properties_text(defaults))) {
    fs::rename(part, kept, error);
  }
  return defaults;
}

// For the reader of a result; a Kafka that does not tell its defaults is measured all the same.
void Kafka::compare_with_defaults(const Home& home, Wait& wait) {
  const auto defaults = ask_for_defaults(home, wait);
  base::json::object differences;
  for (const auto& [role, set] : set_) {
    differences[role] = differences_from(defaults.value_or(Settings{}), set);
  }
  facts_["differs_from_default"] = std::move(differences);
  facts_["defaults_from"] =
      defaults ? fmt::format("kafka-configs --describe --all of Kafka {}", home.version)
               : "not known: " + defaults.error().what;
}

}  // namespace flow::servers

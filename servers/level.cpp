// SPDX-License-Identifier: Apache-2.0
#include "servers/level.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/yaml.hpp"
#include "servers/proc.hpp"

namespace flow::servers {
namespace {

namespace fs = std::filesystem;
using base::Errc;
using base::fail;
using base::Result;
using base::YamlMap;

using Keys = std::vector<std::string_view>;

// What a level has to say something about. The drivers and servers know more keys; a level may give
// those too, and they refuse what they do not know.
const Keys kafka_broker_keys = {"default.replication.factor", "min.insync.replicas",
                                "unclean.leader.election.enable", "log.flush.interval.messages"};
const Keys kafka_topic_keys = {"replication_factor", "min_insync_replicas", "flush_messages"};
const Keys kafka_producer_keys = {"acks",
                                  "idempotence",
                                  "linger_ms",
                                  "batch_bytes_max",
                                  "batch_messages_max",
                                  "compression",
                                  "in_flight_max",
                                  "delivery_timeout_ms",
                                  "queue_messages_max"};
const Keys pulsar_bookie_keys = {"journalWriteData", "journalSyncData", "journalMaxGroupWaitMSec",
                                 "journalPageCacheFlushIntervalMSec"};
const Keys pulsar_broker_keys = {"managedLedgerDefaultEnsembleSize",
                                 "managedLedgerDefaultWriteQuorum",
                                 "managedLedgerDefaultAckQuorum"};
const Keys pulsar_topic_keys = {"ensemble", "write_quorum", "ack_quorum"};
const Keys pulsar_producer_keys = {"linger_ms",   "batch_bytes_max",    "batch_messages_max",
                                   "compression", "queue_messages_max", "send_timeout_ms"};

// Reads the sections of a level and keeps the first error.
class LevelReader {
 public:
  explicit LevelReader(std::string name) : name_(std::move(name)) {}

  Settings section(YamlMap& map, std::string_view path, std::string_view key,
                   const Keys& required) {
    map.require(key);
    Settings settings = map.settings(key);
    for (const auto wanted : required) {
      const bool is_there = std::ranges::any_of(
          settings, [&](const auto& setting) { return setting.first == wanted; });
      if (is_there || !map.has(key)) continue;
      keep(base::Error{Errc::config,
                       fmt::format("{}: /{}/{}/{}: this key is missing; a level leaves none of {} "
                                   "to a default",
                                   name_, path, key, wanted, fmt::join(required, ", "))});
    }
    return settings;
  }

  void whole_number(YamlMap& map, std::string_view key, int& out, int lowest = 1, int highest = 9) {
    map.require(key);
    std::int64_t value = out;
    map.whole_number(key, value, lowest, highest);
    out = static_cast<int>(value);
  }

  void sentence(YamlMap& map, std::string_view key, std::string& out) {
    map.require(key);
    map.text(key, out);
    if (map.has(key) && out.empty()) {
      keep(base::Error{Errc::config, map.where(key) + ": expected a sentence, found nothing"});
    }
  }

  void keep(const base::Error& error) {
    if (!error_) error_ = error;
  }
  void finish(YamlMap& map) {
    if (auto done = map.finish(); !done) keep(done.error());
  }
  const std::optional<base::Error>& error() const { return error_; }

 private:
  std::string name_;
  std::optional<base::Error> error_;
};

void read_kafka(LevelReader& reader, YamlMap& map, KafkaLevel& kafka) {
  reader.whole_number(map, "nodes", kafka.nodes);
  kafka.broker = reader.section(map, "kafka", "broker", kafka_broker_keys);
  kafka.topic = reader.section(map, "kafka", "topic", kafka_topic_keys);
  kafka.producer = reader.section(map, "kafka", "producer", kafka_producer_keys);
  kafka.consumer = reader.section(map, "kafka", "consumer", {});
  reader.finish(map);
}

void read_pulsar(LevelReader& reader, YamlMap& map, PulsarLevel& pulsar) {
  reader.whole_number(map, "bookies", pulsar.bookies);
  reader.whole_number(map, "brokers", pulsar.brokers);
  pulsar.bookie = reader.section(map, "pulsar", "bookie", pulsar_bookie_keys);
  pulsar.broker = reader.section(map, "pulsar", "broker", pulsar_broker_keys);
  pulsar.topic = reader.section(map, "pulsar", "topic", pulsar_topic_keys);
  pulsar.producer = reader.section(map, "pulsar", "producer", pulsar_producer_keys);
  pulsar.consumer = reader.section(map, "pulsar", "consumer", {});
  reader.finish(map);
}

void read_pinot(LevelReader& reader, YamlMap& map, PinotLevel& pinot) {
  for (const auto& [key, out] : {std::pair{"zookeeper_heap_mb", &pinot.zookeeper_heap_mb},
                                 {"controller_heap_mb", &pinot.controller_heap_mb},
                                 {"broker_heap_mb", &pinot.broker_heap_mb},
                                 {"server_heap_mb", &pinot.server_heap_mb},
                                 {"server_direct_mb", &pinot.server_direct_mb}}) {
    reader.whole_number(map, key, *out, 32, 1 << 20);
  }
  pinot.controller = map.settings("controller");
  pinot.broker = map.settings("broker");
  pinot.server = map.settings("server");
  reader.finish(map);
}

std::string value_of(const Settings& settings, std::string_view key) {
  for (const auto& [name, value] : settings) {
    if (name == key) return value;
  }
  return {};
}

int number_of(const Settings& settings, std::string_view key) {
  const std::string text = value_of(settings, key);
  int value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

// A level that asks for more copies than it has nodes would start and then refuse every topic.
Result<void> check_copies(const Level& level, const std::string& name) {
  struct Rule {
    const char* path;
    int value;
    const char* bound_name;
    int bound;
  };
  const Settings& kafka = level.kafka.topic;
  const Settings& pulsar = level.pulsar.topic;
  const Rule rules[] = {
      {"/kafka/topic/replication_factor", number_of(kafka, "replication_factor"), "/kafka/nodes",
       level.kafka.nodes},
      {"/kafka/topic/min_insync_replicas", number_of(kafka, "min_insync_replicas"),
       "replication_factor", number_of(kafka, "replication_factor")},
      {"/kafka/broker/default.replication.factor",
       number_of(level.kafka.broker, "default.replication.factor"), "/kafka/nodes",
       level.kafka.nodes},
      {"/pulsar/topic/ensemble", number_of(pulsar, "ensemble"), "/pulsar/bookies",
       level.pulsar.bookies},
      {"/pulsar/topic/write_quorum", number_of(pulsar, "write_quorum"), "ensemble",
       number_of(pulsar, "ensemble")},
      {"/pulsar/topic/ack_quorum", number_of(pulsar, "ack_quorum"), "write_quorum",
       number_of(pulsar, "write_quorum")},
      {"/pulsar/broker/managedLedgerDefaultEnsembleSize",
       number_of(level.pulsar.broker, "managedLedgerDefaultEnsembleSize"), "/pulsar/bookies",
       level.pulsar.bookies},
  };
  for (const auto& rule : rules) {
    if (rule.value >= 1 && rule.value <= rule.bound) continue;
    return fail(Errc::config, "{}: {}: expected a number from 1 to {} ({}), found {}", name,
                rule.path, rule.bound, rule.bound_name, rule.value);
  }
  return {};
}

base::json::object to_object(const Settings& settings) {
  base::json::object object;
  for (const auto& [key, value] : settings) object[key] = value;
  return object;
}

// "kafka.producer" and the like.
std::vector<std::pair<std::string_view, Settings*>> groups_of(Level& level) {
  return {{"kafka.broker", &level.kafka.broker},      {"kafka.topic", &level.kafka.topic},
          {"kafka.producer", &level.kafka.producer},  {"kafka.consumer", &level.kafka.consumer},
          {"pulsar.bookie", &level.pulsar.bookie},    {"pulsar.broker", &level.pulsar.broker},
          {"pulsar.topic", &level.pulsar.topic},      {"pulsar.producer", &level.pulsar.producer},
          {"pulsar.consumer", &level.pulsar.consumer}};
}

bool is_path(const std::string& text) {
  return text.find('/') != std::string::npos || text.ends_with(".yaml") || text.ends_with(".yml");
}

}  // namespace

fs::path levels_directory() {
  if (const char* chosen = std::getenv("FLOW_LEVELS"); chosen && *chosen) return chosen;
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  const fs::path installed = program.parent_path() / ".." / "share" / "flow" / "levels";
  if (!error && fs::is_directory(installed, error)) return installed.lexically_normal();
  return fs::path(FLOW_SOURCE_DIR) / "levels";
}

std::vector<std::string> known_levels() {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(levels_directory(), error)) {
    if (entry.path().extension() == ".yaml") names.push_back(entry.path().stem().string());
  }
  std::ranges::sort(names);
  return names;
}

Result<Level> load_level(const std::string& name_or_path) {
  fs::path file = name_or_path;
  if (!is_path(name_or_path)) {
    file = levels_directory() / (name_or_path + ".yaml");
    if (!fs::exists(file)) {
      return fail(Errc::config, "level '{}': there is none of this name; known levels: {}",
                  name_or_path, fmt::join(known_levels(), ", "));
    }
  }
  std::error_code error;
  if (!fs::is_regular_file(file, error)) {
    return fail(Errc::config, "{}: there is no such level file; known levels: {}", file.string(),
                fmt::join(known_levels(), ", "));
  }
  auto level = parse_level(read_text_file(file.string()), file.string());
  if (!level) return level;
  if (level->name != file.stem()) {
    return fail(Errc::config, "{}: /name: expected '{}' as the file is called, found '{}'",
                file.string(), file.stem().string(), level->name);
  }
  level->file = file;
  return level;
}

Result<Level> parse_level(std::string_view text, const std::string& name) {
  auto map = base::load_yaml(text, name);
  if (!map) return std::unexpected(map.error());
  Level level;
  LevelReader reader(name);
  reader.sentence(*map, "name", level.name);
  reader.sentence(*map, "promises", level.promises);
  reader.sentence(*map, "does_not_promise", level.does_not_promise);
  map->require("like_for_like");
  map->boolean("like_for_like", level.like_for_like);
  reader.sentence(*map, "like_for_like_reason", level.like_for_like_reason);
  map->require("kafka");
  map->require("pulsar");
  map->require("pinot");
  if (auto kafka = map->map("kafka")) read_kafka(reader, *kafka, level.kafka);
  if (auto pulsar = map->map("pulsar")) read_pulsar(reader, *pulsar, level.pulsar);
  if (auto pinot = map->map("pinot")) read_pinot(reader, *pinot, level.pinot);
  reader.finish(*map);
  if (reader.error()) return std::unexpected(*reader.error());
  if (auto checked = check_copies(level, name); !checked) return std::unexpected(checked.error());
  return level;
}

Result<void> put_setting(Level& level, std::string_view path, const std::string& value) {
  const auto groups = groups_of(level);
  for (const auto& [name, settings] : groups) {
    if (!path.starts_with(fmt::format("{}.", name))) continue;
    const std::string key(path.substr(name.size() + 1));
    const auto at =
        std::ranges::find_if(*settings, [&](const auto& setting) { return setting.first == key; });
    if (at != settings->end()) {
      at->second = value;
      return check_copies(level, level.name);
    }
    if (!key.empty() && (name.ends_with("broker") || name.ends_with("bookie"))) {
      settings->emplace_back(key, value);
      return {};
    }
    std::vector<std::string> keys;
    for (const auto& setting : *settings) keys.push_back(setting.first);
    return fail(Errc::config, "setting {}: level {} has no such one; {} has {}", path, level.name,
                name, fmt::join(keys, ", "));
  }
  std::vector<std::string_view> names;
  for (const auto& group : groups) names.push_back(group.first);
  return fail(Errc::config, "setting {}: expected one of {}, then a dot and a name", path,
              fmt::join(names, ", "));
}

bool can_change_promise(std::string_view path) {
  if (!path.starts_with("kafka.") && !path.starts_with("pulsar.")) {
    return can_change_promise(fmt::format("kafka.{}", path)) ||
           can_change_promise(fmt::format("pulsar.{}", path));
  }
  for (const auto* group : {"kafka.topic.", "pulsar.topic.", "pulsar.bookie.journal",
                            "kafka.broker.log.flush.", "pulsar.broker.managedLedgerDefault"}) {
    if (path.starts_with(group)) return true;
  }
  for (const auto* setting :
       {"kafka.producer.acks", "kafka.producer.idempotence", "kafka.broker.min.insync.replicas",
        "kafka.broker.default.replication.factor", "kafka.broker.unclean.leader.election.enable"}) {
    if (path == setting) return true;
  }
  return false;
}

std::string replication_note(const Level& level, std::string_view platform) {
  if (platform == "kafka") {
    const int copies = number_of(level.kafka.topic, "replication_factor");
    if (level.kafka.nodes == 1) return "one node, nothing replicated";
    if (copies == 1) return fmt::format("{} nodes, nothing replicated", level.kafka.nodes);
    const std::string acks = value_of(level.kafka.producer, "acks");
    return fmt::format("{} nodes, {} copies; {}", level.kafka.nodes, copies,
                       acks == "all"
                           ? fmt::format("every copy in sync acknowledges, at least {}",
                                         value_of(level.kafka.topic, "min_insync_replicas"))
                       : acks == "1" ? "the leader alone acknowledges"
                                     : "nobody acknowledges");
  }
  const int copies = number_of(level.pulsar.topic, "write_quorum");
  if (level.pulsar.bookies == 1) return "one node, nothing replicated";
  if (copies == 1) return fmt::format("{} bookies, nothing replicated", level.pulsar.bookies);
  const int acks = number_of(level.pulsar.topic, "ack_quorum");
  return fmt::format("{} bookies, {} copies; {} acknowledge", level.pulsar.bookies, copies,
                     acks == copies ? "all of them" : fmt::format("the fastest {}", acks));
}

base::json::object to_json(const Level& level) {
  base::json::object kafka = {{"nodes", level.kafka.nodes},
                              {"broker", to_object(level.kafka.broker)},
                              {"topic", to_object(level.kafka.topic)},
                              {"producer", to_object(level.kafka.producer)},
                              {"consumer", to_object(level.kafka.consumer)}};
  base::json::object pulsar = {{"bookies", level.pulsar.bookies},
                               {"brokers", level.pulsar.brokers},
                               {"bookie", to_object(level.pulsar.bookie)},
                               {"broker", to_object(level.pulsar.broker)},
                               {"topic", to_object(level.pulsar.topic)},
                               {"producer", to_object(level.pulsar.producer)},
                               {"consumer", to_object(level.pulsar.consumer)}};
  base::json::object pinot = {{"zookeeper_heap_mb", level.pinot.zookeeper_heap_mb},
                              {"controller_heap_mb", level.pinot.controller_heap_mb},
                              {"broker_heap_mb", level.pinot.broker_heap_mb},
                              {"server_heap_mb", level.pinot.server_heap_mb},
                              {"server_direct_mb", level.pinot.server_direct_mb},
                              {"controller", to_object(level.pinot.controller)},
                              {"broker", to_object(level.pinot.broker)},
                              {"server", to_object(level.pinot.server)}};
  base::json::object replication = {{"kafka", replication_note(level, "kafka")},
                                    {"pulsar", replication_note(level, "pulsar")}};
  return {{"name", level.name},
          {"promises", level.promises},
          {"does_not_promise", level.does_not_promise},
          {"like_for_like", level.like_for_like},
          {"like_for_like_reason", level.like_for_like_reason},
          {"replication", std::move(replication)},
          {"kafka", std::move(kafka)},
          {"pulsar", std::move(pulsar)},
          {"pinot", std::move(pinot)}};
}

}  // namespace flow::servers

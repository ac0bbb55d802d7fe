// Durability levels as data (levels/*.yaml): what each platform is asked to promise, every setting
// of broker, storage, topic and client written out on both platforms, and the memory of Pinot.
// Strict: a key that is missing is as wrong as one that nobody knows, because a default left to
// chance is no level.
// Thread: any; plain values.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.hpp"
#include "base/result.hpp"

namespace flow::servers {

using Settings = std::vector<std::pair<std::string, std::string>>;  // In order, as written.

struct KafkaLevel {
  int nodes = 1;    // Each is broker and controller.
  Settings broker;  // Kafka's own names: "min.insync.replicas".
  Settings topic;   // The driver's names, as are the next two: "flush_messages".
  Settings producer;
  Settings consumer;
};

struct PulsarLevel {
  int bookies = 1;
  int brokers = 1;
  Settings bookie;  // BookKeeper's own names: "journalSyncData".
  Settings broker;  // Pulsar's own names: "managedLedgerDefaultAckQuorum".
  Settings topic;   // The driver's names, as are the next two: "ack_quorum".
  Settings producer;
  Settings consumer;
};

// What reads the events of either platform: no promise of durability, but its memory decides what
// it can be asked.
struct PinotLevel {
  int zookeeper_heap_mb = 64;
  int controller_heap_mb = 256;
  int broker_heap_mb = 256;
  int server_heap_mb = 1024;
  int server_direct_mb = 512;
  Settings
      controller;  // Pinot's own names, as are the next two: "controller.task.frequencyPeriod".
  Settings broker;
  Settings server;
};

struct Level {
  std::string name;
  std::filesystem::path file;
  std::string promises;          // One sentence.
  std::string does_not_promise;  // One sentence.
  bool like_for_like = false;    // Do the two platforms promise the same?
  std::string like_for_like_reason;
  KafkaLevel kafka;
  PulsarLevel pulsar;
  PinotLevel pinot;
};

// A name ("fsync-1") of a file in the levels folder, or a path ("./my-level.yaml"). Errc::config
// names the known levels for a name that is none.
base::Result<Level> load_level(const std::string& name_or_path);

// The same from text; `name` stands in errors.
base::Result<Level> parse_level(std::string_view text, const std::string& name);

// Folder of levels/*.yaml: $FLOW_LEVELS, <binary>/../share/flow/levels, else that of the sources.
std::filesystem::path levels_directory();
std::vector<std::string> known_levels();  // Sorted names.

// Replaces one setting of a level, named as in its file: "kafka.producer.linger_ms",
// "pulsar.bookie.journalSyncData". Errc::config for a path that leads nowhere, with what would. A
// broker's or bookie's own settings may be new; a driver's must be known to the level already.
base::Result<void> put_setting(Level& level, std::string_view path, const std::string& value);

// Whether a setting (as above, or without the platform) can change what an acknowledgement means.
bool can_change_promise(std::string_view path);

// What is not replicated, or how often it is: "one node, nothing replicated", "2 of 3 replicas
// acknowledge". `platform` is "kafka" or "pulsar".
std::string replication_note(const Level& level, std::string_view platform);

// For result files: name, promises, does_not_promise, like_for_like, like_for_like_reason,
// replication {kafka, pulsar}, and every setting of both platforms and of Pinot.
base::json::object to_json(const Level& level);

}  // namespace flow::servers

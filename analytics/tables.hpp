// Pinot's schemas and table configurations for the shop's topics: pure, from options to JSON. What
// a column means and why it is there: docs/reference/analytics-tables.md.
// Thread: any; plain values.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "analytics/pinot_version.hpp"
#include "base/clock.hpp"
#include "base/json.hpp"
#include "base/result.hpp"

namespace flow::analytics {

struct TableOptions {
  std::string platform;  // "kafka" or "pulsar"
  std::string service;   // Kafka: "host:port,…". Pulsar: "pulsar://host:port".
  PinotVersion version = {};
  std::vector<std::string> topics = {"users", "products", "orders"};
  std::optional<std::string> prefix = {};  // Of the tables' names; absent: "kafka_" or "pulsar_".
  int replicas = 1;
  // A consuming segment is committed when its server has this many rows of the table, over all its
  // partitions, or after this time. A commit stops its partition for up to a second.
  std::int64_t flush_rows = 50'000'000;
  std::chrono::seconds flush_after = std::chrono::hours(6);
  // The longest wait of a fetch. Short is bad: Pinot sleeps 100 ms after each empty fetch.
  std::chrono::milliseconds fetch_timeout = std::chrono::milliseconds(1000);
  // Added to the stream's configuration, or instead of what Flow sets: TLS, tokens, limits.
  std::vector<std::pair<std::string, std::string>> stream_settings = {};
};

struct TableDefinition {
  std::string name;   // "kafka_orders"
  std::string topic;  // "orders"
  base::json::object schema;
  base::json::object table;
};

// Errc::config for a platform, topic, prefix or number that cannot be.
base::Result<std::vector<TableDefinition>> make_tables(const TableOptions& options);

base::json::object to_json(const std::vector<TableDefinition>& tables);

// How Pinot reads the stream, in words for a report: "Pinot's own Kafka plugin (kafka20)".
std::string stream_words(std::string_view platform, const PinotVersion& version);

}  // namespace flow::analytics

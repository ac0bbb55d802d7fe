// SPDX-License-Identifier: Apache-2.0
#include "analytics/tables.hpp"

#include <algorithm>

namespace flow::analytics {
namespace {

using base::Errc;
using base::fail;
using base::Result;
namespace json = base::json;

// ------------------------------------------------------------------------------ schemas

// Longer texts would be cut without a word: Pinot's own bound is 512 characters.
constexpr int text_chars_max = 65'536;

enum class Dictionary : std::uint8_t { yes, no };  // no: where nearly every row has a new value.

class SchemaBuilder {
 public:
  explicit SchemaBuilder(std::string name) : name_(std::move(name)) {}

  void dimension(std::string_view name, std::string_view type, Dictionary dictionary,
                 json::value if_missing = nullptr) {
    json::object field{{"name", name}, {"dataType", type}};
    if (type == "STRING") field["maxLength"] = text_chars_max;
    if (!if_missing.is_null()) field["defaultNullValue"] = std::move(if_missing);
    dimensions_.push_back(std::move(field));
    note(name, dictionary);
  }
  void list(std::string_view name, std::string_view type, std::string_view transform) {
    dimensions_.push_back(
        json::object{{"name", name}, {"dataType", type}, {"singleValueField", false}});
    note(name, Dictionary::yes);
    transforms_.push_back({{"columnName", name}, {"transformFunction", transform}});
  }
  // As the body has it, a DOUBLE, and exact in hundredths.
  void money(std::string_view name, std::string_view cents_name) {
    metrics_.push_back({{"name", name}, {"dataType", "DOUBLE"}});
    metrics_.push_back({{"name", cents_name}, {"dataType", "LONG"}});
    note(name, Dictionary::no);
    note(cents_name, Dictionary::no);
    transforms_.push_back(
        {{"columnName", cents_name},
         {"transformFunction", fmt::format("roundDecimal(times({}, 100))", name)}});
  }
  void time(std::string_view name, std::string_view type) {
    times_.push_back({{"name", name},
                      {"dataType", type},
                      {"format", "1:MILLISECONDS:EPOCH"},
                      {"granularity", "1:MILLISECONDS"}});
    note(name, Dictionary::no);
  }
  // What every table has: the times of the entity, the stamp in the body, the moment of ingestion.
  void common() {
    dimension("flowEvent", "STRING", Dictionary::no, "");
    dimension("flowIntended", "LONG", Dictionary::no, 0);
    time("createdAt", "TIMESTAMP");
    time("updatedAt", "TIMESTAMP");
    time("flowIngestedMs", "LONG");
    transforms_.push_back({{"columnName", "flowIngestedMs"}, {"transformFunction", "now()"}});
  }

  json::object schema() const {
    json::object schema{{"schemaName", name_}, {"dimensionFieldSpecs", dimensions_}};
    if (!metrics_.empty()) schema["metricFieldSpecs"] = metrics_;
    schema["dateTimeFieldSpecs"] = times_;
    return schema;
  }
  const json::array& transforms() const { return transforms_; }
  const json::array& without_dictionary() const { return without_dictionary_; }

 private:
  void note(std::string_view name, Dictionary dictionary) {
    if (dictionary == Dictionary::no) without_dictionary_.emplace_back(name);
  }

  std::string name_;
  json::array dimensions_, metrics_, times_, transforms_, without_dictionary_;
};

void add_columns(SchemaBuilder& columns, std::string_view topic) {
  constexpr auto yes = Dictionary::yes;
  constexpr auto no = Dictionary::no;
  if (topic == "users") {
    columns.dimension("id", "LONG", no);
    for (const auto* name : {"email", "firstName", "lastName"}) {
      columns.dimension(name, "STRING", no, "");
    }
  } else if (topic == "products") {
    columns.dimension("id", "LONG", yes);
    for (const auto* name : {"name", "currency", "category", "description"}) {
      columns.dimension(name, "STRING", yes, "");
    }
    columns.money("price", "priceCents");
  } else {
    columns.dimension("id", "LONG", no);
    columns.dimension("userId", "LONG", no);
    columns.dimension("currency", "STRING", yes, "");
    columns.dimension("currentStatus", "INT", yes);
    // As STRING with several values Pinot 0.11 drops every order of more than one item: it cannot
    // put an object into a value of a list.
    columns.dimension("orderItems", "JSON", no);
    columns.list("itemProductIds", "LONG",
                 "jsonPathArrayDefaultEmpty(orderItems, '$[*].productId')");
    columns.list("itemQuantities", "INT", "jsonPathArrayDefaultEmpty(orderItems, '$[*].quantity')");
    columns.money("totalAmount", "totalAmountCents");
  }
  columns.common();
}

// ------------------------------------------------------------------------------ streams

// In one fetch, the same on every stream.
constexpr int fetch_messages_max = 2000;

// The one place that knows what differs by Pinot's version.
struct StreamDialect {
  std::string_view words;
  std::string_view factory;
  std::string_view service_key;    // Behind "stream.<platform>.".
  std::string_view fetch_max_key;  // Empty: the plugin has no such setting.
};

StreamDialect dialect_of(std::string_view platform, const PinotVersion& version) {
  if (platform == "kafka" && version < PinotVersion{1, 5, 0}) {
    return {"Pinot's own Kafka plugin (kafka20)",
            "org.apache.pinot.plugin.stream.kafka20.KafkaConsumerFactory", "broker.list",
            "max.poll.records"};
  }
  if (platform == "kafka") {
    return {"Pinot's own Kafka plugin (kafka30)",
            "org.apache.pinot.plugin.stream.kafka30.KafkaConsumerFactory", "broker.list",
            "max.poll.records"};
  }
  if (version.major == 0) {
    return {"Flow's Pulsar plugin", "flow.pinot.pulsar.PulsarStreamFactory", "service.url",
            "stream.pulsar.fetch.max.messages"};
  }
  return {"Pinot's own Pulsar plugin",
          "org.apache.pinot.plugin.stream.pulsar.PulsarConsumerFactory", "bootstrap.servers", ""};
}

std::string topic_name(std::string_view platform, std::string_view topic) {
  return platform == "pulsar" ? fmt::format("persistent://public/default/{}", topic)
                              : std::string(topic);
}

json::object stream_of(const TableOptions& options, std::string_view topic) {
  const auto dialect = dialect_of(options.platform, options.version);
  const auto key = [&](std::string_view name) {
    return fmt::format("stream.{}.{}", options.platform, name);
  };
  json::object stream{{"streamType", options.platform}};
  stream[key("topic.name")] = topic_name(options.platform, topic);
  stream[key(dialect.service_key)] = options.service;
  stream[key("consumer.type")] = "lowlevel";
  stream[key("consumer.factory.class.name")] = dialect.factory;
  stream[key("decoder.class.name")] = "org.apache.pinot.plugin.inputformat.json.JSONMessageDecoder";
  stream[key("consumer.prop.auto.offset.reset")] = "smallest";
  stream[key("fetch.timeout.millis")] = fmt::to_string(options.fetch_timeout.count());
  if (!dialect.fetch_max_key.empty()) {
    stream[dialect.fetch_max_key] = fmt::to_string(fetch_messages_max);
  }
  stream["realtime.segment.flush.threshold.rows"] = fmt::to_string(options.flush_rows);
  stream["realtime.segment.flush.threshold.time"] = fmt::format("{}s", options.flush_after.count());
  for (const auto& [name, value] : options.stream_settings) stream[name] = value;
  return stream;
}

json::object table_of(const TableOptions& options, std::string_view topic, const std::string& name,
                      const SchemaBuilder& columns) {
  const std::string replicas = fmt::to_string(options.replicas);
  return {
      {"tableName", name},
      {"tableType", "REALTIME"},
      {"tenants", json::object{}},
      {"segmentsConfig", json::object{{"timeColumnName", "createdAt"},
                                      {"replication", replicas},
                                      {"replicasPerPartition", replicas}}},
      {"tableIndexConfig", json::object{{"loadMode", "MMAP"},
                                        {"nullHandlingEnabled", true},
                                        {"noDictionaryColumns", columns.without_dictionary()}}},
      {"ingestionConfig",
       json::object{{"transformConfigs", columns.transforms()},
                    {"streamIngestionConfig",
                     json::object{{"streamConfigMaps", json::array{stream_of(options, topic)}}}}}},
      {"metadata", json::object{}}};
}

// ------------------------------------------------------------------------------ checks

bool is_name(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

Result<void> check(const TableOptions& options, const std::string& prefix) {
  if (options.platform != "kafka" && options.platform != "pulsar") {
    return fail(Errc::config, "platform '{}': expected kafka or pulsar", options.platform);
  }
  if (options.service.empty()) {
    return fail(Errc::config, "tables: the address of {} is missing", options.platform);
  }
  // Pinot's segments are named table__partition__number__time.
  if (!is_name(prefix) || prefix.contains("__")) {
    return fail(Errc::config,
                "table prefix '{}': expected letters, digits and _, and no two _ in a row", prefix);
  }
  if (options.topics.empty()) return fail(Errc::config, "topics: expected one at least");
  for (const auto& topic : options.topics) {
    if (topic != "users" && topic != "products" && topic != "orders") {
      return fail(Errc::config, "topic '{}': expected users, products or orders", topic);
    }
    if (std::ranges::count(options.topics, topic) > 1) {
      return fail(Errc::config, "topic '{}': it is named twice", topic);
    }
  }
  if (options.replicas < 1 || options.flush_rows < 1 || options.flush_after.count() < 1 ||
      options.fetch_timeout.count() < 1) {
    return fail(Errc::config, "tables: replicas, rows and times of 1 or more are expected");
  }
  return {};
}

}  // namespace

Result<std::vector<TableDefinition>> make_tables(const TableOptions& options) {
  const std::string prefix = options.prefix.value_or(options.platform + "_");
  if (auto ok = check(options, prefix); !ok) return std::unexpected(ok.error());
  std::vector<TableDefinition> tables;
  for (const auto& topic : options.topics) {
    const std::string name = prefix + topic;
    SchemaBuilder columns(name);
    add_columns(columns, topic);
    tables.push_back({.name = name,
                      .topic = topic,
                      .schema = columns.schema(),
                      .table = table_of(options, topic, name, columns)});
  }
  return tables;
}

json::object to_json(const std::vector<TableDefinition>& tables) {
  json::array list;
  for (const auto& table : tables) {
    list.push_back({{"name", table.name},
                    {"topic", table.topic},
                    {"schema", table.schema},
                    {"table", table.table}});
  }
  return {{"tables", std::move(list)}};
}

std::string stream_words(std::string_view platform, const PinotVersion& version) {
  return std::string(dialect_of(platform, version).words);
}

}  // namespace flow::analytics

// The generated tables against files, which are what
//   flow pinot create --dry-run --pinot-version V --kafka 127.0.0.1:9092   (or --pulsar …)
// printed when the tables were tried on a real Pinot (0.11.0) or on its ingestion code (1.4.0).
// SPDX-License-Identifier: Apache-2.0
#include "analytics/tables.hpp"

#include <fstream>
#include <set>
#include <sstream>

#include <gmock/gmock.h>

namespace flow::analytics {
namespace {

using base::Errc;
using ::testing::HasSubstr;
namespace json = base::json;

TableOptions options_of(std::string platform, PinotVersion version = {}) {
  TableOptions options;
  options.service = platform == "kafka" ? "127.0.0.1:9092" : "pulsar://127.0.0.1:6650";
  options.platform = std::move(platform);
  options.version = version;
  return options;
}

std::string golden(const std::string& name) {
  std::ifstream file(FLOW_SOURCE_DIR "/analytics/tests/golden/" + name);
  EXPECT_TRUE(file) << name;
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string made(const TableOptions& options) {
  const auto tables = make_tables(options);
  EXPECT_TRUE(tables) << tables.error().what;
  return tables ? base::pretty_json(to_json(*tables)) : "";
}

// Empty when equal: a whole file in a failure would hide the line that counts.
std::string first_difference(const std::string& made, const std::string& wanted) {
  std::istringstream a(made), b(wanted);
  std::string line_a, line_b;
  for (int number = 1;; ++number) {
    const bool has_a = static_cast<bool>(std::getline(a, line_a));
    const bool has_b = static_cast<bool>(std::getline(b, line_b));
    if (!has_a && !has_b) return "";
    if (has_a == has_b && line_a == line_b) continue;
    return fmt::format("line {}: made '{}', the file has '{}'", number, has_a ? line_a : "<end>",
                       has_b ? line_b : "<end>");
  }
}

const json::object& stream_of(const TableDefinition& table) {
  return table.table.at("ingestionConfig")
      .at("streamIngestionConfig")
      .at("streamConfigMaps")
      .at(0)
      .get_object();
}

TEST(Tables, AreThoseOfTheFiles) {
  EXPECT_EQ(first_difference(made(options_of("kafka")), golden("kafka_0.11.0.json")), "");
  EXPECT_EQ(first_difference(made(options_of("pulsar")), golden("pulsar_0.11.0.json")), "");
  EXPECT_EQ(first_difference(made(options_of("kafka", {1, 5, 0})), golden("kafka_1.5.0.json")), "");
  EXPECT_EQ(first_difference(made(options_of("pulsar", {1, 4, 0})), golden("pulsar_1.4.0.json")),
            "");
}

TEST(Tables, DifferByPlatformInTheirStreamAndNameOnly) {
  const auto kafka = make_tables(options_of("kafka")).value();
  const auto pulsar = make_tables(options_of("pulsar")).value();
  ASSERT_EQ(kafka.size(), pulsar.size());

  for (std::size_t i = 0; i < kafka.size(); ++i) {
    auto a = kafka[i].schema, b = pulsar[i].schema;
    a.erase("schemaName");
    b.erase("schemaName");
    EXPECT_EQ(a, b);
    EXPECT_EQ(kafka[i].table.at("tableIndexConfig"), pulsar[i].table.at("tableIndexConfig"));
    EXPECT_EQ(kafka[i].table.at("ingestionConfig").at("transformConfigs"),
              pulsar[i].table.at("ingestionConfig").at("transformConfigs"));
  }
}

// Every column that a table has, whatever its kind.
std::set<std::string> columns_of(const json::object& schema) {
  std::set<std::string> names;
  for (const char* kind : {"dimensionFieldSpecs", "metricFieldSpecs", "dateTimeFieldSpecs"}) {
    const auto* fields = schema.if_contains(kind);
    if (!fields) continue;
    for (const auto& field : fields->get_array()) {
      const auto added = names.emplace(field.at("name").get_string());
      EXPECT_TRUE(added.second) << "twice: " << *added.first;
    }
  }
  return names;
}

TEST(Tables, NameOnlyColumnsOfTheirSchema) {
  const auto tables = make_tables(options_of("kafka")).value();
  for (const auto& table : tables) {
    const auto columns = columns_of(table.schema);
    const auto& index = table.table.at("tableIndexConfig");
    for (const auto& name : index.at("noDictionaryColumns").get_array()) {
      EXPECT_TRUE(columns.contains(std::string(name.get_string()))) << name;
    }
    for (const auto& each : table.table.at("ingestionConfig").at("transformConfigs").get_array()) {
      EXPECT_TRUE(columns.contains(std::string(each.at("columnName").get_string()))) << each;
    }
    for (const char* name :
         {"createdAt", "updatedAt", "flowEvent", "flowIntended", "flowIngestedMs"}) {
      EXPECT_TRUE(columns.contains(name)) << table.name << " " << name;
    }
    EXPECT_EQ(table.table.at("segmentsConfig").at("timeColumnName"), "createdAt");
    EXPECT_EQ(table.schema.at("schemaName"), table.table.at("tableName"));
  }
}

TEST(Tables, TakeWhatTheOptionsSay) {
  TableOptions options = options_of("kafka");
  options.topics = {"orders"};
  options.prefix = "mine_";
  options.replicas = 2;
  options.flush_rows = 5000;
  options.flush_after = std::chrono::minutes(90);
  options.fetch_timeout = std::chrono::milliseconds(250);
  options.stream_settings = {{"security.protocol", "SSL"}, {"max.poll.records", "10"}};

  const auto tables = make_tables(options).value();

  ASSERT_EQ(tables.size(), 1u);
  EXPECT_EQ(tables[0].name, "mine_orders");
  EXPECT_EQ(tables[0].topic, "orders");
  EXPECT_EQ(tables[0].table.at("segmentsConfig").at("replication"), "2");
  EXPECT_EQ(tables[0].table.at("segmentsConfig").at("replicasPerPartition"), "2");
  const auto& stream = stream_of(tables[0]);
  EXPECT_EQ(stream.at("realtime.segment.flush.threshold.rows"), "5000");
  EXPECT_EQ(stream.at("realtime.segment.flush.threshold.time"), "5400s");
  EXPECT_EQ(stream.at("stream.kafka.fetch.timeout.millis"), "250");
  EXPECT_EQ(stream.at("security.protocol"), "SSL");
  EXPECT_EQ(stream.at("max.poll.records"), "10");
}

TEST(Tables, MayHaveNoPrefix) {
  TableOptions options = options_of("pulsar");
  options.prefix = "";

  EXPECT_EQ(make_tables(options).value()[0].name, "users");
}

TEST(Tables, RefuseWhatCannotBe) {
  const auto refuse = [](auto change, const char* words) {
    TableOptions options = options_of("kafka");
    change(options);
    const auto tables = make_tables(options);
    ASSERT_FALSE(tables) << words;
    EXPECT_EQ(tables.error().code, Errc::config);
    EXPECT_THAT(tables.error().what, HasSubstr(words));
  };
  refuse([](auto& o) { o.platform = "fake"; }, "platform 'fake'");
  refuse([](auto& o) { o.service = ""; }, "address");
  refuse([](auto& o) { o.prefix = "a__"; }, "prefix 'a__'");
  refuse([](auto& o) { o.prefix = "a b"; }, "prefix 'a b'");
  refuse([](auto& o) { o.topics = {"orders", "carts"}; }, "topic 'carts'");
  refuse([](auto& o) { o.topics = {}; }, "topics");
  refuse([](auto& o) { o.topics = {"orders", "orders"}; }, "twice");
  refuse([](auto& o) { o.replicas = 0; }, "1 or more");
  refuse([](auto& o) { o.flush_rows = -1; }, "1 or more");
}

TEST(Tables, SayWhichPluginReadsTheStream) {
  EXPECT_EQ(stream_words("kafka", {0, 11, 0}), "Pinot's own Kafka plugin (kafka20)");
  EXPECT_EQ(stream_words("kafka", {1, 5, 0}), "Pinot's own Kafka plugin (kafka30)");
  EXPECT_EQ(stream_words("pulsar", {0, 11, 0}), "Flow's Pulsar plugin");
  EXPECT_EQ(stream_words("pulsar", {1, 3, 0}), "Pinot's own Pulsar plugin");
}

}  // namespace
}  // namespace flow::analytics

// What is written into the servers' configuration files, and what they say is in force.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "servers/kafka.hpp"
#include "servers/pulsar.hpp"
#include "servers/settings_text.hpp"
#include "servers/wait.hpp"

namespace flow::servers {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;

const KafkaNodePlan plan = {.id = 2,
                            .nodes = 3,
                            .port = 9092,
                            .controller_port = 9093,
                            .voters = "1@127.0.0.1:1,2@127.0.0.1:9093,3@127.0.0.1:3",
                            .data = "/x/kafka-2"};

std::string value_of(const Settings& settings, std::string_view key) {
  const auto* value = find_setting(settings, key);
  return value ? *value : "";
}

TEST(KafkaSettings, LevelReplacesOwnSettingsAndIsWrittenOnce) {
  const auto settings = kafka_node_settings(
      plan, {{"min.insync.replicas", "2"}, {"offsets.topic.num.partitions", "7"}});

  ASSERT_TRUE(settings);
  EXPECT_EQ(value_of(*settings, "min.insync.replicas"), "2");
  EXPECT_EQ(value_of(*settings, "offsets.topic.num.partitions"), "7");
  EXPECT_EQ(value_of(*settings, "node.id"), "2");
  EXPECT_EQ(value_of(*settings, "listeners"),
            "PLAINTEXT://127.0.0.1:9092,CONTROLLER://127.0.0.1:9093");
  EXPECT_EQ(value_of(*settings, "transaction.state.log.min.isr"), "2");
  std::set<std::string> keys;
  for (const auto& [key, value] : *settings) EXPECT_TRUE(keys.insert(key).second) << key;
}

TEST(KafkaSettings, RefusesALevelThatMovesANode) {
  for (const char* key : {"listeners", "log.dirs", "node.id", "controller.quorum.voters"}) {
    const auto settings = kafka_node_settings(plan, {{key, "x"}});
    ASSERT_FALSE(settings) << key;
    EXPECT_EQ(settings.error().code, base::Errc::config);
    EXPECT_THAT(settings.error().what, HasSubstr(key));
  }
}

TEST(KafkaConfigLog, ReadsTheNodesOwnListAndNothingElse) {
  const auto settings = parse_kafka_config_log(
      "[2026] INFO starting\n[2026] INFO KafkaConfig values: \n\tadvertised.listeners = A://1:2\n"
      "\tlog.dirs = /x\n\tempty.one = \n\tssl.cipher.suites = []\n (kafka.Config)\n\tnot = this\n");

  EXPECT_THAT(settings, ElementsAre(Pair("advertised.listeners", "A://1:2"), Pair("log.dirs", "/x"),
                                    Pair("empty.one", ""), Pair("ssl.cipher.suites", "[]")));
  EXPECT_TRUE(parse_kafka_config_log("").empty());
  EXPECT_TRUE(parse_kafka_config_log("KafkaConfig values:").empty());
}

// BookKeeper reads a key that occurs twice as a list, and a line glued to another one not at all.
TEST(PulsarSettings, EveryKeyOccursOnceOnALineOfItsOwn) {
  const std::string text = apply_settings(
      "# bookiePort=1 is the port\nbookiePort=3181\nother=1\nbookiePort = 3182\nlast=no newline",
      {{"bookiePort", "5"}, {"journalSyncData", "true"}});

  EXPECT_THAT(text, HasSubstr("# bookiePort=1 is the port\n"));
  EXPECT_THAT(text, HasSubstr("\nother=1\n"));
  EXPECT_THAT(text, HasSubstr("last=no newline\n"));
  EXPECT_THAT(text, HasSubstr("\nbookiePort=5\njournalSyncData=true\n"));
  EXPECT_THAT(text, Not(HasSubstr("3181")));
  EXPECT_THAT(text, Not(HasSubstr("3182")));
}

TEST(SettingsInForce, AnotherValueOrNoneIsAnError) {
  const Settings wanted = {{"journalSyncData", "true"}, {"flushInterval", "60000"}};

  EXPECT_TRUE(check_in_force("b", wanted, {{"journalSyncData", "true"}, {"flushInterval", 60000}}));
  const auto other =
      check_in_force("b", wanted, {{"journalSyncData", "false"}, {"flushInterval", "60000"}});
  ASSERT_FALSE(other);
  EXPECT_THAT(other.error().what, HasSubstr("journalSyncData=true, the server reports false"));
  const auto none = check_in_force("b", wanted, {{"journalSyncData", "true"}});
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().what, HasSubstr("no such setting"));
}

TEST(Settings, PutReplacesInPlace) {
  Settings settings = {{"a", "1"}, {"b", "2"}};

  put_setting(settings, "a", "3");
  put_setting(settings, "c", "4");

  EXPECT_EQ(properties_text(settings), "a=3\nb=2\nc=4\n");
}

TEST(PortClash, IsKnownFromTheLogsOfAllThreeServers) {
  EXPECT_TRUE(says_port_is_taken("java.net.BindException: Address already in use"));
  EXPECT_TRUE(says_port_is_taken("could not bind IPv4 address \"127.0.0.1\""));
  EXPECT_FALSE(says_port_is_taken("ConfigException: Invalid value abc"));
}

}  // namespace
}  // namespace flow::servers

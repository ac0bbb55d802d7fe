// SPDX-License-Identifier: Apache-2.0
#include "servers/level.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "servers/proc.hpp"

namespace flow::servers {
namespace {

using ::testing::HasSubstr;
using ::testing::IsSupersetOf;

std::string shipped(const std::string& name) {
  return read_text_file((levels_directory() / (name + ".yaml")).string());
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(Level, EveryShippedFileIsValid) {
  EXPECT_THAT(known_levels(), IsSupersetOf({"default", "fsync-1", "page-cache-1", "strong"}));
  for (const auto& name : known_levels()) {
    SCOPED_TRACE(name);
    const auto level = load_level(name);
    ASSERT_TRUE(level) << level.error().what;
    EXPECT_EQ(level->name, name);
    EXPECT_FALSE(level->promises.empty());
  }
}

TEST(Level, SaysWhichLevelsThereAreWhenANameIsWrong) {
  const auto level = load_level("fsync1");

  ASSERT_FALSE(level);
  EXPECT_EQ(level.error().code, base::Errc::config);
  EXPECT_THAT(level.error().what, HasSubstr("fsync1"));
  EXPECT_THAT(level.error().what, HasSubstr("fsync-1, fsync-2"));
}

TEST(Level, RefusesALevelThatLeavesASettingToChance) {
  for (const std::string key :
       {"acks: all", "flush_messages: 1", "journalSyncData: true", "ack_quorum: 1",
        "managedLedgerDefaultAckQuorum: 1", "compression: lz4"}) {
    SCOPED_TRACE(key);
    const auto level =
        parse_level(replaced(shipped("fsync-1"), "\n    " + key, "\n    # " + key), "x.yaml");
    ASSERT_FALSE(level);
    EXPECT_THAT(level.error().what, HasSubstr(key.substr(0, key.find(':'))));
    EXPECT_THAT(level.error().what, HasSubstr("this key is missing"));
  }
}

TEST(Level, RefusesUnknownAndRepeatedKeys) {
  const auto unknown = parse_level(shipped("fsync-1") + "surprise: 1\n", "x.yaml");
  const auto repeated = parse_level(
      replaced(shipped("fsync-1"), "    acks: all\n", "    acks: all\n    acks: 1\n"), "x.yaml");

  ASSERT_FALSE(unknown);
  EXPECT_THAT(unknown.error().what, HasSubstr("/surprise: unknown key"));
  ASSERT_FALSE(repeated);
  EXPECT_THAT(repeated.error().what, HasSubstr("occurs twice"));
}

TEST(Level, RefusesMoreCopiesThanNodes) {
  const auto kafka = parse_level(
      replaced(shipped("fsync-1"), "replication_factor: 1", "replication_factor: 3"), "x.yaml");
  const auto pulsar =
      parse_level(replaced(shipped("strong"), "ack_quorum: 2", "ack_quorum: 4"), "x.yaml");

  ASSERT_FALSE(kafka);
  EXPECT_THAT(kafka.error().what, HasSubstr("/kafka/topic/replication_factor"));
  EXPECT_THAT(kafka.error().what, HasSubstr("from 1 to 1"));
  ASSERT_FALSE(pulsar);
  EXPECT_THAT(pulsar.error().what, HasSubstr("/pulsar/topic/ack_quorum"));
}

TEST(Level, GivesPinotItsMemoryAndMayGiveItsRolesSettings) {
  const auto plain = load_level("fsync-1");
  ASSERT_TRUE(plain) << plain.error().what;
  EXPECT_EQ(plain->pinot.server_heap_mb, 1024);
  EXPECT_TRUE(plain->pinot.server.empty());

  const auto more = parse_level(
      replaced(shipped("fsync-1"), "  server_heap_mb: 1024",
               "  server: {pinot.server.query.executor.timeout: 5000}\n  server_heap_mb: 2048"),
      "x.yaml");

  ASSERT_TRUE(more) << more.error().what;
  EXPECT_EQ(more->pinot.server_heap_mb, 2048);
  const auto json = to_json(*more);
  EXPECT_EQ(json.at("pinot").at("server_heap_mb").as_int64(), 2048);
  EXPECT_EQ(json.at("pinot").at("server").at("pinot.server.query.executor.timeout").as_string(),
            "5000");
}

TEST(Level, RefusesAPinotWithoutItsMemory) {
  for (const std::string key :
       {"zookeeper_heap_mb: 64", "controller_heap_mb: 256", "broker_heap_mb: 256",
        "server_heap_mb: 1024", "server_direct_mb: 512"}) {
    SCOPED_TRACE(key);
    const std::string name = key.substr(0, key.find(':'));
    const auto missing =
        parse_level(replaced(shipped("fsync-1"), "\n  " + key, "\n  # " + key), "x.yaml");
    const auto tiny = parse_level(replaced(shipped("fsync-1"), key, name + ": 1"), "x.yaml");
    ASSERT_FALSE(missing);
    EXPECT_THAT(missing.error().what, HasSubstr("/pinot/" + name));
    ASSERT_FALSE(tiny);
    EXPECT_THAT(tiny.error().what, HasSubstr("/pinot/" + name));
  }
  const auto no_section =
      parse_level(replaced(shipped("fsync-1"), "\npinot:", "\npinet:"), "x.yaml");
  ASSERT_FALSE(no_section);
  EXPECT_THAT(no_section.error().what, HasSubstr("pin"));
}

TEST(Level, SaysWhatIsNotReplicated) {
  const auto one = load_level("fsync-1");
  const auto strong = load_level("strong");
  const auto weak = load_level("weak");
  ASSERT_TRUE(one && strong && weak);

  EXPECT_EQ(replication_note(*one, "kafka"), "one node, nothing replicated");
  EXPECT_EQ(replication_note(*one, "pulsar"), "one node, nothing replicated");
  EXPECT_EQ(replication_note(*strong, "kafka"),
            "3 nodes, 3 copies; every copy in sync acknowledges, at least 2");
  EXPECT_EQ(replication_note(*strong, "pulsar"), "3 bookies, 3 copies; the fastest 2 acknowledge");
  EXPECT_EQ(replication_note(*weak, "kafka"), "3 nodes, 3 copies; the leader alone acknowledges");
}

// The whole point of a matched pair: the client of one platform has no advantage over the other's.
TEST(Level, MatchedPairsHaveEqualClientSettings) {
  for (const char* name : {"fsync-1", "page-cache-1", "fsync-2", "page-cache-2", "strong"}) {
    SCOPED_TRACE(name);
    const auto level = load_level(name);
    ASSERT_TRUE(level);
    ASSERT_TRUE(level->like_for_like);
    for (const auto& [key, value] : level->kafka.producer) {
      for (const auto& [other, other_value] : level->pulsar.producer) {
        if (key == other) {
          EXPECT_EQ(value, other_value) << key;
        }
      }
    }
  }
}

TEST(Level, DefaultIsNotLikeForLikeAndSaysWhy) {
  const auto level = load_level("default");
  ASSERT_TRUE(level);

  EXPECT_FALSE(level->like_for_like);
  EXPECT_THAT(level->like_for_like_reason, HasSubstr("Kafka acknowledges from the page cache"));
  EXPECT_EQ(level->pulsar.bookies, 2);
  EXPECT_EQ(to_json(*level).at("replication").at("kafka").as_string(),
            "one node, nothing replicated");
}

}  // namespace
}  // namespace flow::servers

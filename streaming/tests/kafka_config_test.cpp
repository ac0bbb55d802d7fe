// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>

#include "streaming/kafka/config.hpp"
#include "streaming/kafka/outcome.hpp"

namespace flow::streaming::kafka {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Pair;

base::Result<ParsedConfig> parse(Settings producer, Settings consumer = {}, Settings topic = {}) {
  return parse_config({.bootstrap = "127.0.0.1:9092",
                       .producer = std::move(producer),
                       .consumer = std::move(consumer),
                       .topic = std::move(topic)});
}

void expect_mistake(const base::Result<ParsedConfig>& parsed, const std::string& words) {
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().code, base::Errc::config);
  EXPECT_THAT(parsed.error().what, HasSubstr(words));
}

TEST(KafkaConfig, StartsFromTheJavaClientsDefaults) {
  const auto parsed = parse({});
  ASSERT_TRUE(parsed);

  const Settings properties = producer_properties(*parsed);

  EXPECT_THAT(properties, Contains(Pair("acks", "all")));
  EXPECT_THAT(properties, Contains(Pair("enable.idempotence", "true")));
  EXPECT_THAT(properties, Contains(Pair("linger.ms", "5")));
  EXPECT_THAT(properties, Contains(Pair("batch.size", "16384")));
  EXPECT_THAT(properties, Contains(Pair("max.in.flight.requests.per.connection", "5")));
  EXPECT_THAT(properties, Contains(Pair("socket.nagle.disable", "true")));
}

TEST(KafkaConfig, HandsEveryKeyToLibrdkafka) {
  const auto parsed = parse({{"acks", "1"},
                             {"idempotence", "false"},
                             {"linger_ms", "1"},
                             {"batch_bytes_max", "4096"},
                             {"compression", "zstd"},
                             {"in_flight_max", "9"},
                             {"delivery_timeout_ms", "1234"},
                             {"rdkafka.security.protocol", "plaintext"}},
                            {{"fetch_wait_ms", "10"}, {"check_crcs", "false"}});
  ASSERT_TRUE(parsed) << parsed.error().what;

  const Settings producer = producer_properties(*parsed);
  const Settings consumer = consumer_properties(*parsed);

  EXPECT_THAT(producer, Contains(Pair("acks", "1")));
  EXPECT_THAT(producer, Contains(Pair("linger.ms", "1")));
  EXPECT_THAT(producer, Contains(Pair("batch.size", "4096")));
  EXPECT_THAT(producer, Contains(Pair("compression.type", "zstd")));
  EXPECT_THAT(producer, Contains(Pair("delivery.timeout.ms", "1234")));
  EXPECT_THAT(producer, Contains(Pair("security.protocol", "plaintext")));
  EXPECT_THAT(consumer, Contains(Pair("fetch.wait.max.ms", "10")));
  EXPECT_THAT(consumer, Contains(Pair("check.crcs", "false")));
}

TEST(KafkaConfig, GivesATopicItsLevelsSettings) {
  const auto parsed = parse({}, {},
                            {{"replication_factor", "3"},
                             {"min_insync_replicas", "2"},
                             {"flush_messages", "1"},
                             {"topic.segment.bytes", "1048576"}});
  ASSERT_TRUE(parsed) << parsed.error().what;

  const Settings properties = topic_properties(*parsed);

  EXPECT_THAT(properties, Contains(Pair("min.insync.replicas", "2")));
  EXPECT_THAT(properties, Contains(Pair("flush.messages", "1")));
  EXPECT_THAT(properties, Contains(Pair("segment.bytes", "1048576")));
  EXPECT_EQ(parsed->topic.replication_factor, 3U);
}

TEST(KafkaConfig, NamesWhatIsWrongAndWhatWasExpected) {
  expect_mistake(parse({{"linger", "5"}}), "kafka producer setting linger=5: unknown");
  expect_mistake(parse({{"linger_ms", "5"}, {"linger_ms", "6"}}), "linger_ms: given twice");
  expect_mistake(parse({{"linger_ms", "5ms"}}), "expected a whole number from 0 to 900000");
  expect_mistake(parse({{"linger_ms", "-1"}}), "expected a whole number from 0 to 900000");
  expect_mistake(parse({{"acks", "2"}}), "acks=2: expected one of 0, 1, all");
  expect_mistake(parse({{"idempotence", "yes"}}), "expected true or false");
  expect_mistake(parse({}, {{"check_crc", "true"}}), "kafka consumer setting check_crc=true");
  expect_mistake(parse({}, {}, {{"replicas", "3"}}), "kafka topic setting replicas=3: unknown");
}

TEST(KafkaConfig, RefusesSettingsThatContradictEachOther) {
  expect_mistake(parse({{"acks", "1"}}), "idempotence=true: needs acks=all");
  expect_mistake(parse({{"in_flight_max", "6"}}), "in_flight_max of at most 5");
  expect_mistake(parse({{"linger_ms", "100"}, {"delivery_timeout_ms", "50"}}),
                 "must not exceed delivery_timeout_ms=50");
  expect_mistake(parse({}, {}, {{"min_insync_replicas", "2"}}), "exceeds replication_factor=1");
}

TEST(KafkaConfig, RefusesToPassOnWhatItSetsItself) {
  expect_mistake(parse({{"rdkafka.linger.ms", "5"}}), "is set by Flow");
  expect_mistake(parse({}, {{"rdkafka.group.id", "g"}}), "is set by Flow");
}

TEST(KafkaConfig, NeedsAPortInTheAddress) {
  const auto parsed =
      parse_config({.bootstrap = "localhost", .producer = {}, .consumer = {}, .topic = {}});

  expect_mistake(parsed, "kafka");
}

TEST(KafkaOutcome, SaysWhatIsKnownAndNoMore) {
  constexpr int not_persisted = RD_KAFKA_MSG_STATUS_NOT_PERSISTED;
  constexpr int possibly = RD_KAFKA_MSG_STATUS_POSSIBLY_PERSISTED;

  EXPECT_EQ(outcome_of(RD_KAFKA_RESP_ERR_NO_ERROR, possibly), Outcome::acked);
  EXPECT_EQ(outcome_of(RD_KAFKA_RESP_ERR__MSG_TIMED_OUT, not_persisted), Outcome::timed_out);
  EXPECT_EQ(outcome_of(RD_KAFKA_RESP_ERR__MSG_TIMED_OUT, possibly), Outcome::timed_out);
  EXPECT_EQ(outcome_of(RD_KAFKA_RESP_ERR__PURGE_QUEUE, not_persisted), Outcome::lost);
  EXPECT_EQ(outcome_of(RD_KAFKA_RESP_ERR__PURGE_INFLIGHT, possibly), Outcome::lost);
  EXPECT_EQ(outcome_of(RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, possibly), Outcome::rejected);
  EXPECT_EQ(outcome_of(RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, not_persisted), Outcome::rejected);
  EXPECT_EQ(outcome_of(RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND, possibly),
            Outcome::lost);
  EXPECT_EQ(outcome_of(RD_KAFKA_RESP_ERR__TRANSPORT, possibly), Outcome::lost);
}

}  // namespace
}  // namespace flow::streaming::kafka

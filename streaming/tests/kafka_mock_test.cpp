// The Kafka driver against librdkafka's mock cluster.
// SPDX-License-Identifier: Apache-2.0
#include "streaming/tests/kafka_mock.hpp"

#include <atomic>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "streaming/kafka/driver.hpp"
#include "streaming/partitioner.hpp"
#include "streaming/tests/driver_fixture.hpp"

namespace flow::streaming {
namespace {

using testing::in;
using testing::MockKafka;
using testing::OnThread;
using namespace std::chrono_literals;
using ::testing::HasSubstr;

OnThread::Make kafka_driver(const MockKafka& mock, Settings producer = {}) {
  return [&mock, producer](net::IoThread& io) {
    auto driver = kafka::make_driver(
        io, {.bootstrap = mock.bootstrap(), .producer = producer, .consumer = {}, .topic = {}});
    FLOW_CHECK(driver);
    return std::move(*driver);
  };
}

base::Stamp stamp_of(std::uint64_t request) {
  return {.trial = 7,
          .request = request,
          .parent = 11,
          .intended = base::UnixNanos{1'000'000},
          .other_state = "vendor=x"};
}

TEST(KafkaDriver, DecidesEveryAcceptedTicketExactlyOnce) {
  MockKafka mock(3);
  mock.create("orders", 6);
  OnThread kafka(kafka_driver(mock, {{"linger_ms", "1"}}));
  ASSERT_TRUE(kafka.open_producer({"orders"}));
  constexpr std::size_t records = 5'000;

  kafka.io().run([&] {
    for (std::size_t i = 0; i < records; ++i) {
      const std::string key = std::to_string(i % 50);
      const Message message{TopicId{0}, key, base::as_bytes("{\"id\":1}"), stamp_of(i + 1)};
      ASSERT_EQ(kafka.producer().try_publish(Ticket{i}, message), Admission::accepted);
    }
  });
  const auto drained = kafka.drain(20s);

  ASSERT_TRUE(drained) << drained.error().what;
  EXPECT_TRUE(kafka.decisions.is_exactly_once(records));
  EXPECT_EQ(kafka.decisions.count(Outcome::acked), records);
  EXPECT_EQ(kafka.io().run([&] { return kafka.producer().queued(); }), 0U);
}

TEST(KafkaDriver, KeepsKeyPayloadHeadersAndPartition) {
  MockKafka mock;
  mock.create("orders", 6);
  OnThread kafka(kafka_driver(mock));
  ASSERT_TRUE(kafka.open_producer({"orders"}));
  ASSERT_TRUE(kafka.open_consumer({"orders"}));
  const std::vector<std::int32_t> java = {3, 2, 5, 1, 0, 4, 3};  // Keys "1" to "7".

  for (std::uint64_t i = 0; i < java.size(); ++i) {
    const std::string key = std::to_string(i + 1);
    ASSERT_EQ(kafka.publish(i, key, "payload " + key, stamp_of(i + 1)), Admission::accepted);
  }
  ASSERT_TRUE(kafka.drain(10s));
  const auto read = kafka.read_to_end(10s);

  ASSERT_TRUE(read) << read.error().what;
  EXPECT_TRUE(*read);
  ASSERT_EQ(kafka.seen.records.size(), java.size());
  for (const auto& record : kafka.seen.records) {
    const auto i = static_cast<std::size_t>(std::stoi(record.key) - 1);
    EXPECT_EQ(record.payload, "payload " + record.key);
    EXPECT_EQ(record.partition, java[i]);
    EXPECT_EQ(kafka.decisions.by_ticket[i].at(0).partition, java[i]);
    ASSERT_TRUE(record.stamp);
    EXPECT_EQ(*record.stamp, stamp_of(i + 1));
    EXPECT_GE(record.seen_at.time_since_epoch().count(), 1);
  }
}

TEST(KafkaDriver, SpreadsRecordsWithoutKeyOverAllPartitionsInTurn) {
  MockKafka mock;
  mock.create("orders", 6);
  OnThread kafka(kafka_driver(mock));
  ASSERT_TRUE(kafka.open_producer({"orders"}));
  ASSERT_TRUE(kafka.open_consumer({"orders"}));

  for (std::uint64_t i = 0; i < 12; ++i) ASSERT_EQ(kafka.publish(i, "", "x"), Admission::accepted);
  ASSERT_TRUE(kafka.drain(10s));
  ASSERT_TRUE(kafka.read_to_end(10s).value());

  std::vector<int> per_partition(6);
  for (const auto& record : kafka.seen.records) {
    ++per_partition[static_cast<std::size_t>(record.partition)];
    EXPECT_EQ(record.key, "");
    EXPECT_FALSE(record.stamp);
  }
  EXPECT_EQ(per_partition, std::vector<int>(6, 2));
}

TEST(KafkaDriver, RefusesAtItsBoundAndHonoursReservedPlaces) {
  MockKafka mock;
  mock.create("orders", 1);
  OnThread kafka(kafka_driver(mock, {{"queue_messages_max", "3"}}));
  ASSERT_TRUE(kafka.open_producer({"orders"}));

  kafka.io().run([&] {  // In one turn of the thread: no outcome comes in between.
    Producer& producer = kafka.producer();
    const Message message{TopicId{0}, "1", base::as_bytes("x"), {}};
    EXPECT_TRUE(producer.reserve());
    EXPECT_EQ(producer.try_publish(Ticket{0}, message), Admission::accepted);
    EXPECT_EQ(producer.try_publish(Ticket{1}, message), Admission::accepted);
    EXPECT_EQ(producer.try_publish(Ticket{99}, message), Admission::queue_full);
    EXPECT_FALSE(producer.reserve());
    EXPECT_EQ(producer.try_publish(Ticket{2}, message, /*reserved=*/true), Admission::accepted);
  });
  ASSERT_TRUE(kafka.drain(20s));

  EXPECT_TRUE(kafka.decisions.is_exactly_once(3));
  EXPECT_TRUE(kafka.io().run([&] { return kafka.producer().reserve(); }));
  kafka.io().run([&] { kafka.producer().release(); });
}

TEST(KafkaDriver, BoundsTheQueueInBytesToo) {
  MockKafka mock;
  mock.create("orders", 1);
  OnThread kafka(kafka_driver(mock, {{"queue_kbytes_max", "2"}}));
  ASSERT_TRUE(kafka.open_producer({"orders"}));
  const std::string payload(1500, 'x');

  kafka.io().run([&] {  // In one turn of the thread: no outcome comes in between.
    const Message message{TopicId{0}, "1", base::as_bytes(payload), {}};
    EXPECT_EQ(kafka.producer().try_publish(Ticket{0}, message), Admission::accepted);
    EXPECT_EQ(kafka.producer().try_publish(Ticket{1}, message), Admission::accepted);
    EXPECT_EQ(kafka.producer().try_publish(Ticket{2}, message), Admission::queue_full);
  });
  ASSERT_TRUE(kafka.drain(20s));
  EXPECT_EQ(kafka.publish(2, "1", payload), Admission::accepted);

  ASSERT_TRUE(kafka.drain(20s));
  EXPECT_TRUE(kafka.decisions.is_exactly_once(3));
}

TEST(KafkaDriver, AcceptsAMessageThatIsTooLargeAndThenRejectsIt) {
  MockKafka mock;
  mock.create("orders", 1);
  OnThread kafka(kafka_driver(mock, {{"message_bytes_max", "1000"}}));
  ASSERT_TRUE(kafka.open_producer({"orders"}));
  bool decided_inside_the_call = true;

  kafka.io().run([&] {
    const std::string payload(5'000, 'x');
    const Message message{TopicId{0}, "1", base::as_bytes(payload), stamp_of(1)};
    EXPECT_EQ(kafka.producer().try_publish(Ticket{0}, message), Admission::accepted);
    decided_inside_the_call = kafka.decisions.total != 0;
  });
  ASSERT_TRUE(kafka.drain(10s));

  EXPECT_FALSE(decided_inside_the_call);
  ASSERT_TRUE(kafka.decisions.is_exactly_once(1));
  EXPECT_EQ(kafka.decisions.count(Outcome::rejected), 1U);
}

TEST(KafkaDriver, CallsABrokersNoRejected) {
  MockKafka mock;
  mock.create("orders", 1);
  OnThread kafka(kafka_driver(mock, {{"idempotence", "false"}}));
  ASSERT_TRUE(kafka.open_producer({"orders"}));
  mock.fail_next(testing::produce_request, {RD_KAFKA_RESP_ERR_INVALID_RECORD});

  ASSERT_EQ(kafka.publish(0, "1", "x"), Admission::accepted);
  ASSERT_TRUE(kafka.drain(10s));
  ASSERT_EQ(kafka.publish(1, "1", "x"), Admission::accepted);
  ASSERT_TRUE(kafka.drain(10s));

  EXPECT_EQ(kafka.decisions.by_ticket[0].at(0).outcome, Outcome::rejected);
  EXPECT_EQ(kafka.decisions.by_ticket[1].at(0).outcome, Outcome::acked);
}

TEST(KafkaDriver, RetriesWhatPassesAndStaysExactlyOnce) {
  MockKafka mock;
  mock.create("orders", 1);
  OnThread kafka(kafka_driver(mock));
  ASSERT_TRUE(kafka.open_producer({"orders"}));
  mock.fail_next(testing::produce_request,
                 {RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, RD_KAFKA_RESP_ERR__TRANSPORT,
                  RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS});

  for (std::uint64_t i = 0; i < 100; ++i) {
    ASSERT_EQ(kafka.publish(i, "1", "x"), Admission::accepted);
  }
  ASSERT_TRUE(kafka.drain(20s));

  EXPECT_TRUE(kafka.decisions.is_exactly_once(100));
  EXPECT_EQ(kafka.decisions.count(Outcome::acked), 100U);
}

TEST(KafkaDriver, TimesOutWhatABrokerThatIsDownNeverAnswers) {
  MockKafka mock;
  mock.create("orders", 1);
  OnThread kafka(kafka_driver(mock, {{"delivery_timeout_ms", "1000"}}));
  ASSERT_TRUE(kafka.open_producer({"orders"}));
  mock.set_down();

  for (std::uint64_t i = 0; i < 20; ++i) {
    ASSERT_EQ(kafka.publish(i, "1", "x"), Admission::accepted);
  }
  const auto drained = kafka.drain(15s);

  ASSERT_TRUE(drained) << drained.error().what;
  EXPECT_TRUE(kafka.decisions.is_exactly_once(20));
  EXPECT_EQ(kafka.decisions.count(Outcome::timed_out), 20U);
}

TEST(KafkaDriver, FailsADrainAtItsDeadlineAndDecidesTheRestAsLost) {
  MockKafka mock;
  mock.create("orders", 1);
  OnThread kafka(kafka_driver(mock));
  ASSERT_TRUE(kafka.open_producer({"orders"}));
  mock.set_answer_delay(20'000);
  for (std::uint64_t i = 0; i < 10; ++i) {
    ASSERT_EQ(kafka.publish(i, "1", "x"), Admission::accepted);
  }

  const auto before = base::now();
  const auto drained = kafka.drain(200ms);
  const auto took = base::now() - before;
  EXPECT_EQ(kafka.decisions.total, 0U);
  kafka.io().run([&] { kafka.producer().stop(); });

  ASSERT_FALSE(drained);
  EXPECT_EQ(drained.error().code, base::Errc::timed_out);
  EXPECT_THAT(drained.error().what, HasSubstr("10 publishes still open"));
  EXPECT_LT(took, 10s);
  EXPECT_TRUE(kafka.decisions.is_exactly_once(10));
  EXPECT_EQ(kafka.decisions.count(Outcome::lost), 10U);
}

TEST(KafkaDriver, SendsALingeringBatchWhenItDrains) {
  MockKafka mock;
  mock.create("orders", 1);
  OnThread kafka(kafka_driver(mock, {{"linger_ms", "20000"}}));
  ASSERT_TRUE(kafka.open_producer({"orders"}));

  ASSERT_EQ(kafka.publish(0, "1", "x"), Admission::accepted);
  const auto before = base::now();
  ASSERT_TRUE(kafka.drain(15s));

  EXPECT_LT(base::now() - before, 5s);
  EXPECT_EQ(kafka.decisions.count(Outcome::acked), 1U);
}

// A stall of the broker shows as late acknowledgements with their own times, and nothing is lost.
TEST(KafkaDriver, ShowsAStalledBrokerAsLatency) {
  MockKafka mock;
  mock.create("orders", 1);
  OnThread kafka(kafka_driver(mock));
  ASSERT_TRUE(kafka.open_producer({"orders"}));
  ASSERT_EQ(kafka.publish(0, "1", "x"), Admission::accepted);
  ASSERT_TRUE(kafka.drain(10s));
  mock.set_answer_delay(500);

  const auto published = base::now();
  ASSERT_EQ(kafka.publish(1, "1", "x"), Admission::accepted);
  ASSERT_TRUE(kafka.drain(10s));

  EXPECT_GE(kafka.decisions.by_ticket[1].at(0).decided_at - published, 500ms);
  EXPECT_LT(kafka.decisions.by_ticket[1].at(0).decided_at - published, 5s);
}

// A wake-up that got lost would leave a ticket open: many small rounds, each waiting for its own.
TEST(KafkaDriver, LosesNoWakeUp) {
  MockKafka mock;
  mock.create("orders", 1);
  OnThread kafka(kafka_driver(mock, {{"linger_ms", "0"}}));
  ASSERT_TRUE(kafka.open_producer({"orders"}));

  for (std::uint64_t i = 0; i < 2'000; ++i) {
    ASSERT_EQ(kafka.publish(i, "1", "x"), Admission::accepted);
    ASSERT_TRUE(kafka.wait_for([&] { return kafka.decisions.total == i + 1; }, 5s)) << i;
  }
}

TEST(KafkaDriver, LetsTheSinkPublishAgainFromItsDelivery) {
  MockKafka mock;
  mock.create("orders", 1);
  OnThread kafka(kafka_driver(mock, {{"queue_messages_max", "1"}, {"linger_ms", "0"}}));
  ASSERT_TRUE(kafka.open_producer({"orders"}));
  std::uint64_t next = 1;
  kafka.decisions.then = [&] {
    if (next == 100) return;
    const Message message{TopicId{0}, "1", base::as_bytes("x"), {}};
    EXPECT_EQ(kafka.producer().try_publish(Ticket{next}, message), Admission::accepted);
    ++next;
  };

  ASSERT_EQ(kafka.publish(0, "1", "x"), Admission::accepted);

  EXPECT_TRUE(kafka.wait_for([&] { return kafka.decisions.total == 100; }));
  EXPECT_TRUE(kafka.decisions.is_exactly_once(100));
}

TEST(KafkaDriver, ReadsEveryPartitionInOrderWhileItGrows) {
  MockKafka mock(3);
  mock.create("users", 2);
  mock.create("orders", 6);
  OnThread kafka(kafka_driver(mock, {{"linger_ms", "0"}}));
  ASSERT_TRUE(kafka.open_producer({"users", "orders"}));
  ASSERT_TRUE(kafka.open_consumer({"users", "orders"}));
  constexpr std::uint64_t records = 2'000;

  for (std::uint64_t i = 0; i < records; ++i) {
    const TopicId topic{static_cast<std::uint16_t>(i % 2)};
    ASSERT_EQ(kafka.publish(i, std::to_string(i % 20), std::to_string(i), stamp_of(i + 1), topic),
              Admission::accepted);
  }
  ASSERT_TRUE(kafka.drain(20s));
  const auto read = kafka.read_to_end(20s);

  ASSERT_TRUE(read && *read);
  EXPECT_EQ(kafka.consumer().records_seen(), records);
  std::map<std::pair<TopicId, std::int32_t>, std::uint64_t> next_offset;
  std::set<std::uint64_t> requests;
  for (const auto& record : kafka.seen.records) {
    const auto place = std::pair(record.topic, record.partition);
    EXPECT_EQ(record.position.entry, next_offset[place]++);
    const std::int32_t partitions = record.topic == TopicId{0} ? 2 : 6;
    EXPECT_EQ(record.partition, partition_of(record.key, partitions));
    requests.insert(record.stamp->request);
  }
  EXPECT_EQ(requests.size(), records);
  EXPECT_TRUE(kafka.seen.errors.empty());
}

TEST(KafkaDriver, SaysFalseWhenTheDeadlinePassesBeforeTheEnd) {
  MockKafka mock;
  mock.create("orders", 1);
  OnThread kafka(kafka_driver(mock));
  ASSERT_TRUE(kafka.open_producer({"orders"}));
  ASSERT_EQ(kafka.publish(0, "1", "x"), Admission::accepted);
  ASSERT_TRUE(kafka.drain(10s));
  ASSERT_TRUE(kafka.open_consumer({"orders"}));
  mock.set_down();

  const auto before = base::now();
  const auto read = kafka.read_to_end(700ms);

  ASSERT_TRUE(read);
  EXPECT_FALSE(*read);
  EXPECT_LT(base::now() - before, 15s);
}

TEST(KafkaDriver, GoesOnReadingAfterTheConnectionBroke) {
  MockKafka mock;
  mock.create("orders", 1);
  OnThread kafka(kafka_driver(mock));
  ASSERT_TRUE(kafka.open_producer({"orders"}));
  ASSERT_TRUE(kafka.open_consumer({"orders"}));
  ASSERT_EQ(kafka.publish(0, "1", "before"), Admission::accepted);
  ASSERT_TRUE(kafka.drain(10s));
  ASSERT_TRUE(kafka.read_to_end(10s).value());

  mock.set_down();
  mock.set_up();
  ASSERT_EQ(kafka.publish(1, "1", "after"), Admission::accepted);
  ASSERT_TRUE(kafka.drain(20s));

  EXPECT_TRUE(kafka.read_to_end(20s).value());
  ASSERT_EQ(kafka.seen.records.size(), 2U);
  EXPECT_EQ(kafka.seen.records[1].payload, "after");
  EXPECT_TRUE(kafka.seen.errors.empty());
}

TEST(KafkaDriver, CountsBrokersByTheClustersMetadata) {
  MockKafka mock(3);
  OnThread kafka(kafka_driver(mock));
  auto admin = kafka.driver().open_admin();
  ASSERT_TRUE(admin);

  const auto brokers = kafka.io().run_task((*admin)->broker_count(in(10s)));

  ASSERT_TRUE(brokers) << brokers.error().what;
  EXPECT_EQ(*brokers, 3);
}

TEST(KafkaDriver, NamesATopicThatIsNotThere) {
  MockKafka mock;
  OnThread kafka(kafka_driver(mock));
  mock.create("orders", 1);  // The mock makes a topic that is asked for, so this one denies itself.
  mock.set_topic_error("orders", RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);

  const auto opened = kafka.open_producer({"orders"}, 5s);

  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, base::Errc::refused);
  EXPECT_THAT(opened.error().what, HasSubstr("topic orders: "));
}

TEST(KafkaDriver, FailsWithASentenceWhenNoBrokerIsThere) {
  net::IoThread io("test-kafka");
  auto driver = kafka::make_driver(
      io, {.bootstrap = "127.0.0.1:1", .producer = {}, .consumer = {}, .topic = {}});
  ASSERT_TRUE(driver);
  testing::Decisions decisions;

  const auto before = base::now();
  const auto opened = io.run_task((*driver)->open_producer({"orders"}, decisions, in(3s)));

  ASSERT_FALSE(opened);
  EXPECT_LT(base::now() - before, 15s);
  EXPECT_EQ(opened.error().code, base::Errc::timed_out);
  EXPECT_THAT(opened.error().what, HasSubstr("127.0.0.1:1"));
  EXPECT_THAT(opened.error().what, HasSubstr("refused"));
}

// The IoThread stays free while librdkafka waits for a broker that is not there.
TEST(KafkaDriver, NeverBlocksItsThread) {
  net::IoThread io("test-kafka");
  auto driver = kafka::make_driver(
      io, {.bootstrap = "127.0.0.1:1", .producer = {}, .consumer = {}, .topic = {}});
  testing::Decisions decisions;
  std::atomic<bool> has_ended = false;
  std::thread opening([&] {
    EXPECT_FALSE(io.run_task((*driver)->open_producer({"orders"}, decisions, in(3s))));
    has_ended = true;
  });

  int turns = 0;  // Of the thread meanwhile; about one if it is blocked.
  while (!has_ended) {
    io.run([] {});
    ++turns;
    std::this_thread::sleep_for(5ms);
  }
  opening.join();

  EXPECT_GE(turns, 10);
}

}  // namespace
}  // namespace flow::streaming

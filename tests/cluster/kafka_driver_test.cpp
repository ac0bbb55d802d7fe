// The Kafka driver against three real brokers; what it wrote is read back by another client (kcat).
// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <set>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/clock.hpp"
#include "servers/kafka.hpp"
#include "streaming/audit/auditor.hpp"
#include "streaming/audit/ledger.hpp"
#include "streaming/kafka/driver.hpp"
#include "streaming/tests/driver_fixture.hpp"

namespace flow {
namespace {

using streaming::Admission;
using streaming::Outcome;
using streaming::Settings;
using streaming::Ticket;
using streaming::TopicId;
using streaming::testing::in;
using streaming::testing::OnThread;
using namespace std::chrono_literals;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

const Settings strong_topic = {
    {"replication_factor", "3"}, {"min_insync_replicas", "2"}, {"flush_messages", "1"}};

std::string output_of(const std::string& command) {
  std::string text;
  std::FILE* pipe = ::popen(command.c_str(), "r");
  char chunk[4096];
  while (const std::size_t got = std::fread(chunk, 1, sizeof chunk, pipe)) text.append(chunk, got);
  ::pclose(pipe);
  return text;
}

class KafkaDriverCluster : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    auto level = servers::load_level("strong");
    ASSERT_TRUE(level) << level.error().what;
    servers::KafkaOptions options;
    options.level = level->kafka;
    options.ready_within = 90s;
    auto started = servers::Kafka::start(std::move(options));
    ASSERT_TRUE(started) << started.error().what;
    cluster_ = std::move(*started);
  }
  static void TearDownTestSuite() { cluster_.reset(); }

  void SetUp() override { ASSERT_TRUE(cluster_); }
  void TearDown() override {
    if (HasFailure() && cluster_) std::cerr << cluster_->log_tail(15);
  }

  static std::unique_ptr<streaming::Driver> driver(net::IoThread& io, const Settings& producer = {},
                                                   const Settings& topic = strong_topic) {
    auto made = streaming::kafka::make_driver(io, {.bootstrap = cluster_->bootstrap(),
                                                   .producer = producer,
                                                   .consumer = {},
                                                   .topic = topic,
                                                   .client_id = "flow-test"});
    FLOW_CHECK(made);
    return std::move(*made);
  }
  static OnThread::Make with(Settings producer = {}, Settings topic = strong_topic) {
    return [=](net::IoThread& io) { return driver(io, producer, topic); };
  }

  // A topic of its own for each test.
  std::string create_topic(OnThread& kafka, int partitions = 6) {
    const auto* info = ::testing::UnitTest::GetInstance()->current_test_info();
    const std::string name = std::string("t-") + info->name();
    auto admin = kafka.driver().open_admin();
    const auto made = kafka.io().run_task((*admin)->create_topics({{name, partitions}}, in(60s)));
    EXPECT_TRUE(made) << made.error().what;
    return name;
  }

  static inline std::unique_ptr<servers::Kafka> cluster_;
};

base::Stamp stamp_of(std::uint64_t request) {
  return {.trial = 7,
          .request = request,
          .parent = 11,
          .intended = base::UnixNanos{1'500'000'000},
          .other_state = ""};
}

TEST_F(KafkaDriverCluster, CreatesTopicsAsTheLevelAsksAndTellsWhatIsInForce) {
  OnThread kafka(with());
  auto admin = kafka.driver().open_admin();
  ASSERT_TRUE(admin) << admin.error().what;

  const auto brokers = kafka.io().run_task((*admin)->broker_count(in(30s)));
  const std::string topic = create_topic(kafka);
  const auto settings = kafka.io().run_task((*admin)->describe_topic(topic, in(30s)));
  const auto again = kafka.io().run_task((*admin)->create_topics({{topic, 6}}, in(30s)));

  ASSERT_TRUE(brokers) << brokers.error().what;
  EXPECT_EQ(*brokers, 3);
  ASSERT_TRUE(settings) << settings.error().what;
  EXPECT_THAT(*settings, Contains(Pair("partitions", "6")));
  EXPECT_THAT(*settings, Contains(Pair("replication_factor", "3")));
  EXPECT_THAT(*settings, Contains(Pair("min.insync.replicas", "2")));
  EXPECT_THAT(*settings, Contains(Pair("flush.messages", "1")));
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, base::Errc::refused);
  EXPECT_THAT(again.error().what, HasSubstr(topic));

  const auto gone = kafka.io().run_task((*admin)->delete_topics({topic}, in(30s)));
  ASSERT_TRUE(gone) << gone.error().what;
  const auto missing = kafka.io().run_task((*admin)->delete_topics({"never-made"}, in(30s)));
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, base::Errc::refused);
}

TEST_F(KafkaDriverCluster, AnotherClientReadsTheSameKeyHeadersAndPartition) {
  OnThread kafka(with());
  const std::string topic = create_topic(kafka);
  ASSERT_TRUE(kafka.open_producer({topic}));
  for (std::uint64_t i = 1; i <= 7; ++i) {
    ASSERT_EQ(kafka.publish(i - 1, std::to_string(i), "value " + std::to_string(i), stamp_of(i)),
              Admission::accepted);
  }
  ASSERT_TRUE(kafka.drain(30s));
  ASSERT_EQ(kafka.decisions.count(Outcome::acked), 7U);

  const std::string text = output_of("timeout 30 kcat -b " + cluster_->bootstrap() + " -t " +
                                     topic + " -C -e -q -f 'p=%p k=%k h=%h %s\\n'");

  const std::vector<int> java = {3, 2, 5, 1, 0, 4, 3};
  for (std::size_t i = 1; i <= 7; ++i) {
    EXPECT_THAT(text, HasSubstr(fmt::format(
                          "p={} k={} h=traceparent=00-0000000000000007{:016x}-000000000000000b-01,"
                          "tracestate=flow=1500000000 value {}\n",
                          java[i - 1], i, i, i)));
  }
}

TEST_F(KafkaDriverCluster, ReadsWithoutAGroupAndLeavesNothingOnTheBroker) {
  OnThread kafka(with());
  const std::string topic = create_topic(kafka);
  ASSERT_TRUE(kafka.open_producer({topic}));
  ASSERT_TRUE(kafka.open_consumer({topic}));
  constexpr std::uint64_t records = 5'000;
  for (std::uint64_t i = 0; i < records; ++i) {
    ASSERT_EQ(kafka.publish(i, std::to_string(i % 97), "x", stamp_of(i + 1)), Admission::accepted);
  }
  ASSERT_TRUE(kafka.drain(60s));

  const auto before = base::now();
  const auto read = kafka.read_to_end(30s);

  ASSERT_TRUE(read && *read);
  EXPECT_LT(base::now() - before, 20s);
  EXPECT_EQ(kafka.consumer().records_seen(), records);
  const std::string topics = output_of("timeout 30 kcat -L -b " + cluster_->bootstrap());
  EXPECT_THAT(topics, HasSubstr(topic));
  EXPECT_THAT(topics, ::testing::Not(HasSubstr("__consumer_offsets")));
}

TEST_F(KafkaDriverCluster, TellsWhenItsTopicIsGone) {
  OnThread kafka(with());
  const std::string topic = create_topic(kafka);
  ASSERT_TRUE(kafka.open_consumer({topic}));
  ASSERT_TRUE(kafka.read_to_end(60s).value());

  auto admin = kafka.driver().open_admin();
  ASSERT_TRUE(kafka.io().run_task((*admin)->delete_topics({topic}, in(30s))));

  ASSERT_TRUE(kafka.wait_for([&] { return !kafka.seen.errors.empty(); }, 60s));
  EXPECT_THAT(kafka.seen.errors[0].what, HasSubstr(topic));
}

TEST_F(KafkaDriverCluster, RejectsWhatTheBrokerFindsTooLarge) {
  Settings small = strong_topic;
  small.emplace_back("topic.max.message.bytes", "2000");
  OnThread kafka(with({{"compression", "none"}}, small));
  const std::string topic = create_topic(kafka);
  ASSERT_TRUE(kafka.open_producer({topic}));

  ASSERT_EQ(kafka.publish(0, "1", std::string(5'000, 'x')), Admission::accepted);
  ASSERT_EQ(kafka.publish(1, "2", "fits"), Admission::accepted);
  ASSERT_TRUE(kafka.drain(30s));

  EXPECT_EQ(kafka.decisions.by_ticket[0].at(0).outcome, Outcome::rejected);
  EXPECT_EQ(kafka.decisions.by_ticket[1].at(0).outcome, Outcome::acked);
}

// Publishes and remembers each attempt as the shop would.
struct Attempts final : streaming::DeliverySink {
  void on_delivery(Ticket ticket, const streaming::Delivery& delivery) override {
    auto& attempt = records[static_cast<std::size_t>(ticket)];
    attempt.end = static_cast<streaming::audit::AttemptEnd>(delivery.outcome);
    attempt.partition = static_cast<std::int16_t>(delivery.partition);
    ++decided;
  }
  std::vector<streaming::audit::AttemptRecord> records;
  std::size_t decided = 0;
};

// The whole path of the audit: attempts, a node that dies by SIGKILL in between, reading back by
// the auditor, the ledger. What three replicas acked survives one of them.
TEST_F(KafkaDriverCluster, KeepsEveryAckedRecordWhenANodeIsKilled) {
  OnThread kafka(with({{"delivery_timeout_ms", "60000"}}));
  const std::string topic = create_topic(kafka);
  constexpr std::uint64_t records = 6'000;
  Attempts attempts;
  auto producer = kafka.io().run_task(kafka.driver().open_producer({topic}, attempts, in(30s)));
  ASSERT_TRUE(producer) << producer.error().what;
  const auto anchor = base::ClockAnchor::take();
  const std::string path = std::filesystem::temp_directory_path() / "flow-kafka-driver.records";
  auto auditor = streaming::audit::Auditor::create({7, anchor, path});
  ASSERT_TRUE(auditor);
  auto consumer = kafka.io().run_task(kafka.driver().open_consumer({topic}, **auditor, in(30s)));
  ASSERT_TRUE(consumer) << consumer.error().what;

  for (std::uint64_t i = 0; i < records; ++i) {
    if (i == records / 2) {
      ASSERT_TRUE(cluster_->kill("kafka-3"));
    }
    const std::string key = std::to_string(i % 10);
    kafka.io().run([&] {
      streaming::audit::AttemptRecord attempt{};
      attempt.trial = 7;
      attempt.request = i + 1;
      attempt.published = base::count(anchor.to_unix(base::now()));
      attempt.key_hash = streaming::audit::key_hash(key);
      attempts.records.push_back(attempt);
      const streaming::Message message{TopicId{0}, key, base::as_bytes("{}"), stamp_of(i + 1)};
      ASSERT_EQ((*producer)->try_publish(Ticket{i}, message), Admission::accepted);
    });
  }
  const auto drained = kafka.io().run_task((*producer)->drain(in(90s)));
  const auto read = kafka.io().run_task((*consumer)->read_to_end(in(60s)));
  const auto second = (*auditor)->write_second(kafka.io());
  kafka.io().run([&] {
    producer->reset();
    consumer->reset();
  });

  ASSERT_TRUE(drained) << drained.error().what;
  ASSERT_TRUE(read && *read);
  ASSERT_TRUE(second) << second.error().what;
  EXPECT_EQ(attempts.decided, records);
  const auto reads = streaming::audit::read_records<streaming::audit::ReadRecord>(path);
  std::filesystem::remove(path);
  ASSERT_TRUE(reads) << reads.error().what;
  const std::vector<streaming::audit::PhaseRange> phases = {{"measured", 1, records + 1}};
  const auto ledger = streaming::audit::make_ledger(7, phases, {}, attempts.records, *reads);
  const auto& measured = *ledger.find("measured");
  EXPECT_EQ(measured.audit.missing, 0U);
  EXPECT_EQ(measured.audit.duplicated, 0U);  // Idempotent.
  EXPECT_EQ(measured.audit.reordered, 0U);
  EXPECT_EQ(measured.audit.misplaced, 0U);
  EXPECT_EQ(measured.events.acked, records);
  EXPECT_EQ(measured.audit.seen_once, records);
  for (const auto& sum : streaming::audit::conservation(ledger)) {
    if (!sum.name.starts_with("intended")) {
      EXPECT_TRUE(sum.holds()) << sum.name;
    }
  }
}

}  // namespace
}  // namespace flow

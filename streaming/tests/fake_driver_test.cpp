// The in-process broker: it keeps the door's promises, and breaks them when the script says so.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "streaming/fake/driver.hpp"
#include "streaming/partitioner.hpp"
#include "streaming/tests/driver_fixture.hpp"

namespace flow::streaming {
namespace {

using fake::Fate;
using testing::OnThread;
using namespace std::chrono_literals;
using ::testing::ElementsAre;

OnThread::Make fake_driver(fake::FakeConfig config = {}) {
  config.topics = {{"orders", 6}};
  return [config](net::IoThread& io) { return fake::make_driver(io, config); };
}

std::vector<std::string> payloads(const OnThread& fake) {
  std::vector<std::string> all;
  for (const auto& record : fake.seen.records) all.push_back(record.payload);
  return all;
}

TEST(FakeDriver, AcksEveryPublishAndStoresItOnce) {
  OnThread fake(fake_driver());
  ASSERT_TRUE(fake.open_producer({"orders"}));
  ASSERT_TRUE(fake.open_consumer({"orders"}));

  for (std::uint64_t i = 0; i < 1'000; ++i) {
    const base::Stamp stamp{
        .trial = 7, .request = i + 1, .parent = 1, .intended = {}, .other_state = ""};
    ASSERT_EQ(fake.publish(i, std::to_string(i % 7), "x", stamp), Admission::accepted);
  }
  ASSERT_TRUE(fake.drain(20s));
  ASSERT_TRUE(fake.read_to_end(20s).value());

  EXPECT_TRUE(fake.decisions.is_exactly_once(1'000));
  EXPECT_EQ(fake.decisions.count(Outcome::acked), 1'000U);
  ASSERT_EQ(fake.seen.records.size(), 1'000U);
  for (const auto& record : fake.seen.records) {
    EXPECT_EQ(record.partition, partition_of(record.key, 6));
    EXPECT_TRUE(record.stamp);
  }
}

TEST(FakeDriver, NeverDecidesInsideTheCall) {
  OnThread fake(fake_driver());
  ASSERT_TRUE(fake.open_producer({"orders"}));

  const std::size_t decided = fake.io().run([&] {
    const Message message{TopicId{0}, "1", base::as_bytes("x"), {}};
    EXPECT_EQ(fake.producer().try_publish(Ticket{0}, message), Admission::accepted);
    return fake.decisions.total;
  });

  EXPECT_EQ(decided, 0U);
  EXPECT_TRUE(fake.drain(20s));
}

TEST(FakeDriver, FollowsItsScript) {
  fake::FakeConfig config;
  const std::vector<Fate> script = {{Outcome::acked, 0ns, 1},     {Outcome::rejected, 0ns, 0},
                                    {Outcome::timed_out, 0ns, 1}, {Outcome::lost, 0ns, 0},
                                    {Outcome::acked, 0ns, 0},     {Outcome::acked, 0ns, 2}};
  config.fate = [script](std::uint64_t n) { return script.at(n); };
  OnThread fake(fake_driver(config));
  ASSERT_TRUE(fake.open_producer({"orders"}));
  ASSERT_TRUE(fake.open_consumer({"orders"}));

  for (std::uint64_t i = 0; i < script.size(); ++i) {
    ASSERT_EQ(fake.publish(i, "1", std::to_string(i)), Admission::accepted);
  }
  ASSERT_TRUE(fake.drain(20s));
  ASSERT_TRUE(fake.read_to_end(20s).value());

  ASSERT_TRUE(fake.decisions.is_exactly_once(script.size()));
  for (std::uint64_t i = 0; i < script.size(); ++i) {
    EXPECT_EQ(fake.decisions.by_ticket[i][0].outcome, script[i].outcome) << i;
  }
  EXPECT_THAT(payloads(fake), ElementsAre("0", "2", "5", "5"));
}

TEST(FakeDriver, StoresInTheOrderOfItsDelays) {
  fake::FakeConfig config;
  config.fate = [](std::uint64_t n) { return Fate{Outcome::acked, n == 0 ? 200ms : 1ms, 1}; };
  OnThread fake(fake_driver(config));
  ASSERT_TRUE(fake.open_producer({"orders"}));
  ASSERT_TRUE(fake.open_consumer({"orders"}));

  const auto published = base::now();
  fake.io().run([&] {  // In one turn of the thread: nearly at the same time.
    const Message slow{TopicId{0}, "1", base::as_bytes("slow"), {}};
    const Message quick{TopicId{0}, "1", base::as_bytes("quick"), {}};
    EXPECT_EQ(fake.producer().try_publish(Ticket{0}, slow), Admission::accepted);
    EXPECT_EQ(fake.producer().try_publish(Ticket{1}, quick), Admission::accepted);
  });
  ASSERT_TRUE(fake.drain(20s));
  ASSERT_TRUE(fake.read_to_end(20s).value());

  EXPECT_THAT(payloads(fake), ElementsAre("quick", "slow"));
  EXPECT_GE(fake.decisions.by_ticket[0][0].decided_at - published, 200ms);
}

TEST(FakeDriver, RefusesAtItsBoundAndHonoursReservedPlaces) {
  fake::FakeConfig config;
  config.queue_messages_max = 2;
  OnThread fake(fake_driver(config));
  ASSERT_TRUE(fake.open_producer({"orders"}));

  fake.io().run([&] {  // In one turn of the thread: no outcome comes in between.
    Producer& producer = fake.producer();
    const Message message{TopicId{0}, "1", base::as_bytes("x"), {}};
    EXPECT_TRUE(producer.reserve());
    EXPECT_EQ(producer.try_publish(Ticket{0}, message), Admission::accepted);
    EXPECT_EQ(producer.try_publish(Ticket{9}, message), Admission::queue_full);
    EXPECT_FALSE(producer.reserve());
    EXPECT_EQ(producer.try_publish(Ticket{1}, message, /*reserved=*/true), Admission::accepted);
  });

  ASSERT_TRUE(fake.drain(20s));
  EXPECT_TRUE(fake.decisions.is_exactly_once(2));
}

TEST(FakeDriver, FailsADrainAtItsDeadlineAndDecidesTheRestAsLost) {
  fake::FakeConfig config;
  config.fate = [](std::uint64_t) { return Fate{Outcome::acked, 60s, 1}; };
  OnThread fake(fake_driver(config));
  ASSERT_TRUE(fake.open_producer({"orders"}));
  for (std::uint64_t i = 0; i < 5; ++i) ASSERT_EQ(fake.publish(i, "1", "x"), Admission::accepted);

  const auto drained = fake.drain(50ms);
  fake.io().run([&] { fake.producer().stop(); });

  ASSERT_FALSE(drained);
  EXPECT_EQ(drained.error().code, base::Errc::timed_out);
  EXPECT_EQ(fake.decisions.count(Outcome::lost), 5U);
  EXPECT_TRUE(fake.decisions.is_exactly_once(5));
}

TEST(FakeDriver, RejectsWhenItsDiskIsFullOrTheMessageTooLarge) {
  fake::FakeConfig config;
  config.stored_bytes_max = 10;
  config.message_bytes_max = 9;
  OnThread fake(fake_driver(config));
  ASSERT_TRUE(fake.open_producer({"orders"}));

  ASSERT_EQ(fake.publish(0, "1", "0123456789"), Admission::accepted);  // Too large.
  ASSERT_EQ(fake.publish(1, "1", "01234567"), Admission::accepted);  // Fits: 9 bytes with its key.
  ASSERT_EQ(fake.publish(2, "1", "x"), Admission::accepted);         // The disk is full.
  ASSERT_TRUE(fake.drain(20s));

  EXPECT_EQ(fake.decisions.by_ticket[0][0].outcome, Outcome::rejected);
  EXPECT_EQ(fake.decisions.by_ticket[1][0].outcome, Outcome::acked);
  EXPECT_EQ(fake.decisions.by_ticket[2][0].outcome, Outcome::rejected);
}

TEST(FakeDriver, TellsAReaderThatItsTopicIsGone) {
  OnThread fake(fake_driver());
  ASSERT_TRUE(fake.open_producer({"orders"}));
  ASSERT_TRUE(fake.open_consumer({"orders"}));
  auto admin = fake.driver().open_admin();

  ASSERT_EQ(fake.publish(0, "1", "x"), Admission::accepted);
  ASSERT_TRUE(fake.drain(20s));
  ASSERT_TRUE(fake.read_to_end(20s).value());
  ASSERT_TRUE(fake.io().run_task((*admin)->delete_topics({"orders"}, testing::in(20s))));
  const auto read = fake.read_to_end(1s);

  EXPECT_FALSE(read.value());
  EXPECT_EQ(fake.seen.errors.size(), 1U);
}

TEST(FakeDriver, NeedsItsTopics) {
  OnThread fake(fake_driver());

  const auto opened = fake.open_producer({"orders", "users"});

  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().what, "fake broker: topic users: not there");
}

TEST(FakeDriver, TakesAScriptFromSettings) {
  const auto config = fake::config_from({{"reject_every", "3"}, {"duplicate_every", "2"}});
  ASSERT_TRUE(config);

  EXPECT_EQ(config->fate(0).copies, 1);
  EXPECT_EQ(config->fate(1).copies, 2);
  EXPECT_EQ(config->fate(2).outcome, Outcome::rejected);
  EXPECT_FALSE(fake::config_from({{"reject_evry", "3"}}));
}

}  // namespace
}  // namespace flow::streaming

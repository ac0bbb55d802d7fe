// Consumers in scripted dialogues on a virtual clock: permits, damaged entries, reconnects.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "base/random.hpp"
#include "streaming/pulsar/tests/virtual_world.hpp"

namespace flow::streaming::pulsar::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class PulsarConsumer : public ::testing::Test {
 protected:
  FakeBroker broker;
  VirtualWorld world{broker};
  Deliveries deliveries;
  Records records;
  ConsumerConfig config;
  std::shared_ptr<TopicConsumer> consumer;
  std::optional<std::optional<base::Error>> opened;
  std::shared_ptr<TopicProducer> producer;
  std::vector<std::string> published;

  void SetUp() override {
    broker.topics[topic_name] = 1;
    ProducerConfig producer_config;
    producer = std::make_shared<TopicProducer>(world.client, producer_config, deliveries);
    producer->open({topic_name}, [](const auto& error) { EXPECT_FALSE(error); });
    world.settle();
  }
  void TearDown() override {
    producer->stop();
    if (consumer) consumer->stop();
    EXPECT_THAT(broker.client_errors(), IsEmpty());
  }
  void publish_batch(int count) {
    for (int i = 0; i < count; ++i) {
      published.push_back(std::to_string(published.size()));
      Message message = message_of("key", published.back());
      message.stamp = {
          .trial = 1, .request = published.size(), .parent = 2, .intended = {}, .other_state = {}};
      EXPECT_EQ(producer->try_publish(Ticket{published.size()}, message, false),
                Admission::accepted);
    }
    producer->flush();
    world.settle();
  }
  void open() {
    consumer = std::make_shared<TopicConsumer>(world.client, config, records);
    consumer->open({topic_name}, [this](const auto& error) { opened = error; });
    world.settle();
  }
  bool read_to_end(base::Nanos limit = 60s) {
    bool is_told = false;
    consumer->read_to_end([&] { is_told = true; });
    return world.run_until([&] { return is_told; }, limit) && consumer->is_at_end();
  }
};

TEST_F(PulsarConsumer, ReadsFromTheEarliestRecordToTheEnd) {
  publish_batch(3);
  publish_batch(1);
  open();
  ASSERT_TRUE(opened && !*opened);

  EXPECT_TRUE(read_to_end());
  EXPECT_EQ(records.payloads(), published);
  EXPECT_EQ(consumer->records_seen(), 4U);
  EXPECT_EQ(records.all[1].key, "key");
  EXPECT_EQ(records.all[1].position, (Position{10, 0, 1}));
  ASSERT_TRUE(records.all[1].stamp);
  EXPECT_EQ(records.all[1].stamp->request, 2U);

  publish_batch(2);
  EXPECT_TRUE(read_to_end());
  EXPECT_EQ(records.payloads(), published);
}

TEST_F(PulsarConsumer, AnEmptyTopicIsAtItsEnd) {
  open();
  EXPECT_TRUE(read_to_end());
  EXPECT_THAT(records.all, IsEmpty());
}

TEST_F(PulsarConsumer, ReadsEveryPartition) {
  broker.topics["persistent://public/default/wide"] = 3;
  for (int p = 0; p < 3; ++p) {
    Bytes scratch;
    BatchBuilder batch;
    batch.append("k", {}, base::as_bytes("x"), 0);
    const SendFrame frame = encode_batch({.producer_id = 1, .producer_name = "p"}, batch, scratch);
    const std::size_t command = base::load_be32(frame.bytes.data() + 4);
    broker.append(
        fmt::format("persistent://public/default/wide-partition-{}", p),
        Bytes(frame.bytes.begin() + 8 + static_cast<std::ptrdiff_t>(command), frame.bytes.end()));
  }
  consumer = std::make_shared<TopicConsumer>(world.client, config, records);
  consumer->open({"persistent://public/default/wide"}, [](const auto&) {});
  world.settle();
  EXPECT_TRUE(read_to_end());
  EXPECT_EQ(records.all.size(), 3U);
}

// What the broker may send is always the queue, or at least the half that is not yet returned.
TEST_F(PulsarConsumer, ConservesPermitsOverBatches) {
  config.receiver_queue = 10;
  open();
  base::SplitMix64 random(3);
  for (int i = 0; i < 200; ++i) {
    publish_batch(1 + static_cast<int>(random.next_below(7)));
    EXPECT_GT(broker.permits(partition_name), 10 - 5);
    EXPECT_LE(broker.permits(partition_name), 10);
  }
  EXPECT_EQ(records.payloads(), published);
  EXPECT_GT(broker.count_of(command::ack), 0);
}

TEST_F(PulsarConsumer, TheSmallestQueueDoesNotStall) {
  config.receiver_queue = 1;
  open();
  for (int i = 0; i < 20; ++i) publish_batch(3);
  EXPECT_EQ(records.payloads(), published);
}

TEST_F(PulsarConsumer, GoesOnAfterAHangUpWithoutGapOrDuplicate) {
  config.receiver_queue = 4;
  open();
  for (int i = 0; i < 30; ++i) {
    publish_batch(3);
    if (i % 3 == 0) broker.hang_up_all();
    if (i % 3 == 1) broker.unload(partition_name);
    if (i % 7 == 0) world.run_for(1s);
  }
  world.run_for(10s);
  EXPECT_TRUE(read_to_end());

  const auto stored = broker.payloads(partition_name);
  EXPECT_EQ(records.payloads(), stored);  // The log as it is, resent batches included.
  EXPECT_GT(world.client.counters().records_filtered, 0U);
  EXPECT_EQ(first_appearances(stored), published);
}

TEST_F(PulsarConsumer, AsksForTheEndAgainWhenTheAnswerIsLost) {
  publish_batch(2);
  open();
  broker.on_command = [n = 0](int, int type) mutable {
    const bool is_first = type == command::get_last_message_id && n++ == 0;
    return is_first ? FakeBroker::Verdict::hang_up : FakeBroker::Verdict::proceed;
  };
  EXPECT_TRUE(read_to_end());
  EXPECT_EQ(records.payloads(), published);

  broker.on_command = [n = 0](int, int type) mutable {
    const bool is_first = type == command::get_last_message_id && n++ == 0;
    return is_first ? FakeBroker::Verdict::swallow : FakeBroker::Verdict::proceed;
  };
  EXPECT_TRUE(read_to_end());
  EXPECT_EQ(records.payloads(), published);
}

TEST_F(PulsarConsumer, ReadsADamagedEntryOnceMore) {
  publish_batch(2);
  broker.damage = [n = 0](Bytes& rest) mutable {
    if (n++ == 0) rest.back() ^= std::byte{1};
  };
  open();
  EXPECT_TRUE(read_to_end());
  EXPECT_EQ(records.payloads(), published);
  EXPECT_EQ(world.client.counters().entries_damaged, 1U);
  EXPECT_THAT(records.errors, IsEmpty());
}

TEST_F(PulsarConsumer, TellsOfAnEntryThatStaysDamaged) {
  publish_batch(2);
  publish_batch(1);
  open();
  broker.damage = [](Bytes& rest) { rest.back() ^= std::byte{1}; };
  publish_batch(1);
  EXPECT_FALSE(read_to_end());

  ASSERT_EQ(records.errors.size(), 1U);
  EXPECT_THAT(records.errors[0].what, HasSubstr("checksum"));
  EXPECT_THAT(records.errors[0].what, HasSubstr("entry 10:"));
  EXPECT_EQ(records.all.size(), 3U);
}

TEST_F(PulsarConsumer, TellsOfATopicThatIsGone) {
  open();
  broker.lookup_error = [](const std::string&) { return server_error::topic_not_found; };
  broker.unload(partition_name);
  world.run_for(10s);
  ASSERT_EQ(records.errors.size(), 1U);
  EXPECT_THAT(records.errors[0].what, HasSubstr("TopicNotFound"));
}

TEST_F(PulsarConsumer, MayBeStoppedFromItsRecords) {
  publish_batch(5);
  records.on_each = [&] {
    if (records.all.size() == 3) consumer->stop();
  };
  open();
  world.run_for(10s);
  EXPECT_EQ(records.all.size(), 3U);
  EXPECT_EQ(broker.live_consumers(), 0U);
}

TEST_F(PulsarConsumer, MayBeDestroyedFromItsRecords) {
  publish_batch(5);
  records.on_each = [&] {
    if (records.all.size() != 2) return;
    consumer->stop();
    consumer.reset();
  };
  open();
  world.run_for(10s);
  EXPECT_EQ(records.all.size(), 2U);
}

// Opening and reading, broken at each step once.
TEST_F(PulsarConsumer, RecoversFromAFailureAtEveryStep) {
  publish_batch(4);
  publish_batch(4);
  int steps_in_all = 0;
  for (const bool is_silent : {false, true}) {
    for (int broken = -1; broken < std::max(steps_in_all, 1); ++broken) {
      SCOPED_TRACE(fmt::format("step {} broken {}", broken, is_silent ? "silently" : "loudly"));
      VirtualWorld own(broker);
      own.break_at = broken;
      own.breaks_silently = is_silent;
      Records sink;
      ConsumerConfig small;
      small.receiver_queue = 2;
      auto machine = std::make_shared<TopicConsumer>(own.client, small, sink);
      bool is_open = false;
      machine->open({topic_name}, [&](const auto& error) { is_open = !error; });
      ASSERT_TRUE(own.run_until([&] { return is_open; }, 200s));
      bool is_told = false;
      machine->read_to_end([&] { is_told = true; });
      EXPECT_TRUE(own.run_until([&] { return is_told; }, 200s));
      EXPECT_EQ(sink.payloads(), published);
      EXPECT_THAT(sink.errors, IsEmpty());
      machine->stop();
      own.settle();
      own.client.close_all();
      if (broken < 0) steps_in_all = own.steps;
    }
  }
  EXPECT_GT(steps_in_all, 10);
}

}  // namespace
}  // namespace flow::streaming::pulsar::testing

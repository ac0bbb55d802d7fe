// Producers in scripted dialogues on a virtual clock: batches, receipts, refusals, unloads, and a
// failure at every step.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "base/random.hpp"
#include "streaming/pulsar/tests/virtual_world.hpp"

namespace flow::streaming::pulsar::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class PulsarProducer : public ::testing::Test {
 protected:
  FakeBroker broker;
  VirtualWorld world{broker};
  Deliveries deliveries;
  ProducerConfig config;
  std::shared_ptr<TopicProducer> producer;
  std::optional<std::optional<base::Error>> opened;
  std::uint64_t next_ticket = 0;

  void SetUp() override {
    broker.topics[topic_name] = 1;
    config.compression = Compression::none;
    config.send_timeout = 0ms;
  }
  void TearDown() override { EXPECT_THAT(broker.client_errors(), IsEmpty()); }

  void open() {
    producer = std::make_shared<TopicProducer>(world.client, config, deliveries);
    producer->open({topic_name}, [this](const auto& error) { opened = error; });
  }
  void open_now() {
    open();
    world.settle();
    ASSERT_TRUE(opened && !*opened);
  }
  // Publishes "<ticket>" and answers what became of it.
  Admission publish(bool reserved = false) {
    const std::string text = std::to_string(next_ticket);
    return producer->try_publish(Ticket{next_ticket++}, message_of("k", text), reserved);
  }
  // One batch of `count`.
  void publish_batch(int count) {
    for (int i = 0; i < count; ++i) EXPECT_EQ(publish(), Admission::accepted);
    producer->flush();
  }
  std::vector<std::string> expected_payloads() const {
    std::vector<std::string> all;
    for (std::uint64_t i = 0; i < next_ticket; ++i) all.push_back(std::to_string(i));
    return all;
  }
  std::vector<std::size_t> batch_sizes() {
    std::vector<std::size_t> sizes;
    for (const auto& entry : broker.log(partition_name)) sizes.push_back(entry.messages.size());
    return sizes;
  }
};

TEST_F(PulsarProducer, DeliversWhatTheBrokerHasStored) {
  open_now();
  publish_batch(3);
  EXPECT_THAT(deliveries.decided, IsEmpty());  // Never from inside try_publish().
  EXPECT_EQ(producer->queued(), 3U);
  world.settle();

  EXPECT_EQ(deliveries.count(Outcome::acked), 3U);
  EXPECT_EQ(deliveries.decided.at(0).partition, 0);
  EXPECT_EQ(producer->queued(), 0U);
  EXPECT_EQ(broker.payloads(partition_name), expected_payloads());
  EXPECT_EQ(broker.log(partition_name)[0].messages[0].key, "k");
}

TEST_F(PulsarProducer, SealsABatchByDelayCountAndBytes) {
  config.batch_messages_max = 4;
  config.batch_bytes_max = 1000;
  config.linger = 5ms;
  open_now();

  publish();
  world.run_for(4ms);
  EXPECT_EQ(broker.count_of(command::send), 0);
  publish();
  world.run_for(2ms);  // 6 ms after the first.
  EXPECT_THAT(batch_sizes(), ElementsAre(2U));

  for (int i = 0; i < 5; ++i) publish();
  world.settle();
  EXPECT_THAT(batch_sizes(), ElementsAre(2U, 4U));
  world.run_for(5ms);
  EXPECT_THAT(batch_sizes(), ElementsAre(2U, 4U, 1U));

  const std::string big(600, 'x');
  for (int i = 0; i < 3; ++i) {
    const auto ticket = Ticket{next_ticket++};
    EXPECT_EQ(producer->try_publish(ticket, message_of("k", big), false), Admission::accepted);
  }
  world.settle();  // One more would not fit: sent before it is added.
  EXPECT_THAT(batch_sizes(), ElementsAre(2U, 4U, 1U, 1U, 1U));
  world.run_for(5ms);
  EXPECT_EQ(batch_sizes().size(), 6U);
  EXPECT_EQ(deliveries.count(Outcome::acked), next_ticket);
}

TEST_F(PulsarProducer, PutsEveryKeyOnItsPartition) {
  broker.topics[topic_name] = 6;
  open_now();
  for (const auto* key : {"1", "2", "3", "4", "5", "6", "7"}) {
    const auto ticket = Ticket{next_ticket++};
    EXPECT_EQ(producer->try_publish(ticket, message_of(key, key), false), Admission::accepted);
  }
  producer->flush();
  world.settle();

  const auto at = [&](int i) {
    return broker.payloads(fmt::format("{}-partition-{}", topic_name, i));
  };
  EXPECT_THAT(at(3), ElementsAre("1", "7"));
  EXPECT_THAT(at(2), ElementsAre("2"));
  EXPECT_THAT(at(5), ElementsAre("3"));
  EXPECT_THAT(at(1), ElementsAre("4"));
  EXPECT_THAT(at(0), ElementsAre("5"));
  EXPECT_THAT(at(4), ElementsAre("6"));
  EXPECT_EQ(deliveries.decided.at(0).partition, 3);
}

TEST_F(PulsarProducer, SpreadsMessagesWithoutKeyBatchByBatch) {
  broker.topics[topic_name] = 2;
  open_now();
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 3; ++i) {
      const auto ticket = Ticket{next_ticket++};
      EXPECT_EQ(producer->try_publish(ticket, message_of("", "x"), false), Admission::accepted);
    }
    producer->flush();
  }
  world.settle();
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(broker.payloads(fmt::format("{}-partition-{}", topic_name, i)).size(), 3U);
  }
}

TEST_F(PulsarProducer, PublishesToATopicWithoutPartitions) {
  broker.topics[topic_name] = 0;
  open_now();
  publish_batch(2);
  world.settle();
  EXPECT_EQ(broker.payloads(topic_name).size(), 2U);
  EXPECT_EQ(deliveries.count(Outcome::acked), 2U);
}

TEST_F(PulsarProducer, IsFullAtItsBoundAndReservedPlacesAreKept) {
  config.queue_messages_max = 3;
  open_now();
  broker.holds_receipts = true;

  EXPECT_TRUE(producer->reserve());
  EXPECT_EQ(publish(), Admission::accepted);
  EXPECT_EQ(publish(), Admission::accepted);
  EXPECT_FALSE(producer->reserve());
  EXPECT_EQ(producer->try_publish(Ticket{99}, message_of("k", "x"), false), Admission::queue_full);
  EXPECT_EQ(publish(true), Admission::accepted);
  EXPECT_EQ(producer->queued(), 3U);
  world.run_for(10ms);
  EXPECT_EQ(broker.payloads(partition_name).size(), 3U);

  broker.release_receipts();
  world.settle();
  EXPECT_EQ(producer->queued(), 0U);
  EXPECT_TRUE(producer->reserve());
  producer->release();
  EXPECT_EQ(producer->queued(), 0U);
}

TEST_F(PulsarProducer, IsFullAtItsBytes) {
  config.queue_bytes_max = 100;
  open_now();
  broker.holds_receipts = true;
  const std::string text(60, 'x');
  EXPECT_EQ(producer->try_publish(Ticket{0}, message_of("k", text), false), Admission::accepted);
  EXPECT_EQ(producer->try_publish(Ticket{1}, message_of("k", text), false), Admission::queue_full);
  world.run_for(2ms);
  broker.release_receipts();
  world.settle();
  EXPECT_EQ(producer->try_publish(Ticket{2}, message_of("k", text), false), Admission::accepted);
}

TEST_F(PulsarProducer, RejectsAMessageAboveTheBrokersBoundAndOnlyThat) {
  broker.message_bytes_max = 1000;
  open_now();
  const auto size_fits = [&](std::size_t size) {
    const std::uint64_t ticket = next_ticket++;
    const std::string text(size, 'x');
    EXPECT_EQ(producer->try_publish(Ticket{ticket}, message_of("k", text), false),
              Admission::accepted);
    EXPECT_FALSE(deliveries.decided.contains(ticket));
    producer->flush();
    world.settle();
    return deliveries.decided.at(ticket).outcome == Outcome::acked;
  };
  EXPECT_TRUE(size_fits(900));
  EXPECT_FALSE(size_fits(1000));
  std::size_t largest = 900;
  while (size_fits(largest + 1)) ++largest;
  EXPECT_LT(largest, 1000U);
  EXPECT_TRUE(size_fits(largest));
  EXPECT_EQ(world.client.counters().connections_lost, 0U);
}

TEST_F(PulsarProducer, ABatchThatFitsOnlyCompressedIsSent) {
  broker.message_bytes_max = 1000;
  config.compression = Compression::lz4;
  open_now();
  const std::string text(5000, 'x');
  EXPECT_EQ(producer->try_publish(Ticket{0}, message_of("k", text), false), Admission::accepted);
  world.run_for(2ms);
  EXPECT_EQ(deliveries.count(Outcome::acked), 1U);
}

// --- Receipts ---

TEST_F(PulsarProducer, IgnoresAReceiptForWhatIsDecided) {
  open_now();
  broker.holds_receipts = true;
  publish_batch(1);
  publish_batch(1);
  world.settle();
  broker.release_receipts();
  broker.send_all(receipt_frame(0, 0, 0));  // Again.
  world.settle();

  EXPECT_EQ(deliveries.count(Outcome::acked), 2U);
  EXPECT_EQ(world.client.counters().connections_lost, 0U);
}

TEST_F(PulsarProducer, AReceiptAheadOfTheQueueStartsAgainFromWhatIsKnown) {
  open_now();
  broker.lose_receipt = [n = 0](const StoredEntry&) mutable { return n++ == 0; };
  publish_batch(2);
  publish_batch(2);  // Its receipt comes first: 2..3 while 0..1 is the head.
  world.settle();
  EXPECT_EQ(world.client.counters().receipts_mismatched, 1U);
  world.run_for(1s);

  EXPECT_EQ(deliveries.count(Outcome::acked), 4U);
  EXPECT_EQ(first_appearances(broker.payloads(partition_name)), expected_payloads());
}

TEST_F(PulsarProducer, AReceiptForPartOfABatchStartsAgain) {
  open_now();
  broker.on_command = [&, done = false](int connection, int type) mutable {
    if (type != command::send || std::exchange(done, true)) return FakeBroker::Verdict::proceed;
    for (std::uint64_t id = 0; id < 5; ++id) broker.send(connection, receipt_frame(id, 0, 1));
    return FakeBroker::Verdict::swallow;
  };
  publish_batch(3);
  world.settle();
  EXPECT_EQ(deliveries.count(Outcome::acked), 0U);
  world.run_for(1s);
  EXPECT_EQ(world.client.counters().receipts_mismatched, 1U);
  EXPECT_EQ(deliveries.count(Outcome::acked), 3U);
}

TEST_F(PulsarProducer, CountsWhatTheBrokerDropsAsADuplicate) {
  open_now();
  broker.on_command = [&](int connection, int type) {
    if (type != command::send) return FakeBroker::Verdict::proceed;
    for (std::uint64_t id = 0; id < 5; ++id) {
      broker.send(connection, receipt_frame(id, 0, 0, no_id, no_id));
    }
    return FakeBroker::Verdict::swallow;
  };
  publish_batch(1);
  world.settle();
  EXPECT_EQ(deliveries.count(Outcome::acked), 1U);
  EXPECT_EQ(world.client.counters().receipts_not_stored, 1U);
}

// --- Refusals ---

TEST_F(PulsarProducer, NotAllowedRejectsThatBatchAndGoesOn) {
  open_now();
  broker.holds_receipts = true;
  broker.send_error = [](const StoredEntry& entry) {
    return entry.messages.front().payload == "2" ? server_error::not_allowed : -1;
  };
  publish_batch(2);
  publish_batch(2);
  publish_batch(2);
  world.settle();
  EXPECT_EQ(deliveries.count(Outcome::rejected), 2U);  // Told before the receipt of the first.
  EXPECT_EQ(deliveries.decided.at(2).outcome, Outcome::rejected);
  broker.release_receipts();
  world.settle();

  EXPECT_EQ(deliveries.count(Outcome::acked), 4U);
  EXPECT_EQ(world.client.counters().connections_lost, 0U);
}

TEST_F(PulsarProducer, OtherErrorsReconnectAndSendAgain) {
  for (const int error :
       {server_error::persistence, server_error::checksum, server_error::unknown, 77}) {
    SCOPED_TRACE(error);
    if (!producer) open_now();
    const std::uint64_t before = next_ticket;
    broker.send_error = [error, n = 0](const StoredEntry&) mutable {
      return n++ == 0 ? error : -1;
    };
    publish_batch(2);
    publish_batch(1);
    world.settle();
    world.run_for(1s);
    EXPECT_EQ(deliveries.count(Outcome::acked), before + 3);
  }
  EXPECT_EQ(first_appearances(broker.payloads(partition_name)), expected_payloads());
  EXPECT_EQ(world.client.counters().connections_lost, 4U);
}

TEST_F(PulsarProducer, ATerminatedTopicRejectsFromThereOn) {
  open_now();
  broker.send_error = [](const StoredEntry& entry) {
    return entry.messages.front().payload == "1" ? server_error::topic_terminated : -1;
  };
  publish_batch(1);
  publish_batch(1);
  publish_batch(1);
  world.settle();
  publish();
  world.settle();

  EXPECT_EQ(deliveries.decided.at(0).outcome, Outcome::acked);
  EXPECT_EQ(deliveries.count(Outcome::rejected), 3U);
  world.run_for(60s);
  EXPECT_EQ(broker.count_of(command::producer), 1);  // It does not come back.
}

TEST_F(PulsarProducer, AFencedProducerHasLostWhatWasOpen) {
  open_now();
  broker.send_error = [](const StoredEntry&) { return server_error::producer_fenced; };
  publish_batch(2);
  world.settle();
  EXPECT_EQ(deliveries.count(Outcome::lost), 2U);
  publish();
  world.settle();
  EXPECT_EQ(deliveries.decided.at(2).outcome, Outcome::rejected);
}

// --- Time ---

TEST_F(PulsarProducer, TimesOutOnlyWhatIsTooOld) {
  config.send_timeout = 30'000ms;
  open_now();
  broker.holds_receipts = true;
  publish_batch(2);
  world.run_for(20s);
  publish_batch(1);
  world.run_for(9900ms);
  EXPECT_THAT(deliveries.decided, IsEmpty());
  world.run_for(200ms);
  EXPECT_EQ(deliveries.count(Outcome::timed_out), 2U);
  broker.release_receipts();  // The late ones are ignored, the punctual one counts.
  world.settle();

  EXPECT_EQ(deliveries.count(Outcome::acked), 1U);
  EXPECT_EQ(world.client.counters().receipts_ignored, 1U);
  EXPECT_EQ(world.client.counters().connections_lost, 0U);
  EXPECT_EQ(producer->queued(), 0U);
}

TEST_F(PulsarProducer, TimesOutWhileThereIsNoBroker) {
  config.send_timeout = 1000ms;
  open_now();
  broker.hang_up_all();
  world.refuses_connections = true;
  world.settle();
  publish_batch(2);
  world.run_for(1100ms);
  EXPECT_EQ(deliveries.count(Outcome::timed_out), 2U);

  world.refuses_connections = false;
  world.run_for(10s);
  publish_batch(1);
  world.settle();
  EXPECT_EQ(deliveries.count(Outcome::acked), 1U);
  EXPECT_THAT(broker.payloads(partition_name), ElementsAre("2"));
}

TEST_F(PulsarProducer, StopLosesWhatIsOpenOnceAndAtOnce) {
  open_now();
  broker.holds_receipts = true;
  publish_batch(2);
  world.settle();
  publish();  // In an open batch.
  producer->stop();

  EXPECT_EQ(deliveries.count(Outcome::lost), 3U);
  EXPECT_EQ(producer->queued(), 0U);
  broker.release_receipts();
  world.run_for(60s);
  EXPECT_EQ(deliveries.decided.size(), 3U);
  EXPECT_EQ(broker.live_producers(), 0U);
  producer.reset();
}

TEST_F(PulsarProducer, MayBeStoppedAndFedFromItsDeliveries) {
  open_now();
  deliveries.on_each = [&](Ticket ticket) {
    if (static_cast<std::uint64_t>(ticket) == 0) {
      EXPECT_EQ(publish(), Admission::accepted);
    }
    if (static_cast<std::uint64_t>(ticket) == 1) producer->stop();
  };
  publish();
  world.run_for(10ms);
  EXPECT_EQ(deliveries.count(Outcome::acked), 2U);
}

// --- Connections ---

TEST_F(PulsarProducer, AnUnloadLosesNothingAndSendsTheSameBytesAgain) {
  open_now();
  broker.lose_receipt = [](const StoredEntry&) { return true; };
  publish_batch(2);
  publish_batch(3);
  world.settle();
  const auto first_time = broker.send_frames;
  broker.lose_receipt = nullptr;
  broker.unload(partition_name);
  publish_batch(1);  // Sent before the client hears of it: ignored by the broker.
  world.settle();
  publish_batch(1);  // While nobody serves the topic.
  world.run_for(1s);

  ASSERT_EQ(broker.send_frames.size(), 7U);
  EXPECT_EQ(broker.send_frames[3], first_time[0]);  // Byte for byte, in order, before new ones.
  EXPECT_EQ(broker.send_frames[4], first_time[1]);
  EXPECT_EQ(broker.send_frames[5], broker.send_frames[2]);
  EXPECT_EQ(first_appearances(broker.payloads(partition_name)), expected_payloads());
  EXPECT_EQ(deliveries.count(Outcome::acked), next_ticket);
  EXPECT_EQ(world.client.counters().connections_lost, 0U);
}

TEST_F(PulsarProducer, ComesBackUnderItsNameWithAHigherEpoch) {
  open_now();
  for (int i = 0; i < 3; ++i) {
    broker.unload(partition_name);
    world.run_for(6s);
  }
  broker.hang_up_all();
  world.run_for(6s);
  EXPECT_THAT(broker.names_seen, ElementsAre("", "fake-0", "fake-0", "fake-0", "fake-0"));
  EXPECT_THAT(broker.epochs_seen, ElementsAre(0U, 1U, 2U, 3U, 4U));
}

TEST_F(PulsarProducer, GoesWhereTheBrokerSentItWithoutALookup) {
  open_now();
  const int lookups = broker.count_of(command::lookup);
  broker.unload(partition_name, "pulsar://other:6650");
  world.run_for(1ms);
  EXPECT_EQ(world.opened.back(), (net::HostPort{"other", 6650}));
  EXPECT_EQ(broker.count_of(command::lookup), lookups);
  publish_batch(1);
  world.settle();
  EXPECT_EQ(deliveries.count(Outcome::acked), 1U);
}

TEST_F(PulsarProducer, LooksUpWhenTheAssignedBrokerDoesNotAnswer) {
  open_now();
  world.refuses_connections = true;
  broker.unload(partition_name, "pulsar://other:6650");
  world.run_for(1ms);
  const int lookups = broker.count_of(command::lookup);
  world.refuses_connections = false;
  world.run_for(1s);
  EXPECT_EQ(broker.count_of(command::lookup), lookups + 1);
  publish_batch(1);
  world.settle();
  EXPECT_EQ(deliveries.count(Outcome::acked), 1U);
}

TEST_F(PulsarProducer, ABusyNameIsRetriedOnlyAfterAReconnect) {
  open_now();
  broker.hang_up_all();
  broker.producer_error = [n = 0](const std::string&) mutable {
    return n++ < 2 ? server_error::producer_busy : -1;
  };
  publish_batch(1);
  world.run_for(5s);
  EXPECT_EQ(broker.count_of(command::producer), 4);
  EXPECT_EQ(deliveries.count(Outcome::acked), 1U);
}

TEST_F(PulsarProducer, ABusyNameAtFirstIsAnError) {
  broker.producer_error = [](const std::string&) { return server_error::producer_busy; };
  open();
  world.settle();
  ASSERT_TRUE(opened && *opened);
  EXPECT_THAT((*opened)->what, HasSubstr("ProducerBusy"));
  producer->stop();
}

TEST_F(PulsarProducer, WaitsForAnAnswerThatSaysReady) {
  broker.producer_is_ready_later = true;
  open();
  world.run_for(120s);  // No deadline runs.
  EXPECT_FALSE(opened);
  broker.make_producers_ready();
  world.settle();
  EXPECT_TRUE(opened && !*opened);
  publish_batch(1);
  world.settle();
  EXPECT_EQ(deliveries.count(Outcome::acked), 1U);
}

TEST_F(PulsarProducer, ClosesAProducerWhoseCreationWasNotAnswered) {
  broker.on_command = [n = 0](int, int type) mutable {
    const bool is_first = type == command::producer && n++ == 0;
    return is_first ? FakeBroker::Verdict::swallow : FakeBroker::Verdict::proceed;
  };
  open();
  EXPECT_TRUE(world.run_until([&] { return opened.has_value(); }, 60s));
  EXPECT_EQ(broker.count_of(command::close_producer), 1);
}

TEST_F(PulsarProducer, AMissingTopicIsAnErrorAtOnce) {
  broker.topics.clear();
  open();
  world.settle();
  ASSERT_TRUE(opened && *opened);
  EXPECT_EQ((*opened)->code, base::Errc::refused);
  EXPECT_THAT((*opened)->what, HasSubstr("TopicNotFound"));
}

TEST_F(PulsarProducer, OpensWhenTheBrokerBecomesReady) {
  broker.lookup_error = [n = 0](const std::string&) mutable {
    return n++ < 5 ? server_error::service_not_ready : -1;
  };
  open();
  world.settle();
  EXPECT_FALSE(opened);
  EXPECT_THAT(producer->last_failure()->error.what, HasSubstr("ServiceNotReady"));
  EXPECT_TRUE(world.run_until([&] { return opened.has_value(); }, 10s));
  EXPECT_FALSE(*opened);
}

// A whole dialogue, connect to receipts, broken at each of its steps once: everything is stored in
// order and acked exactly once, whichever step it was, broken loudly or silently.
TEST_F(PulsarProducer, RecoversFromAFailureAtEveryStep) {
  int steps_in_all = 0;
  for (const bool is_silent : {false, true}) {
    for (int broken = -1; broken < std::max(steps_in_all, 1); ++broken) {
      SCOPED_TRACE(fmt::format("step {} broken {}", broken, is_silent ? "silently" : "loudly"));
      FakeBroker fresh;
      fresh.topics[topic_name] = 2;
      VirtualWorld own(fresh);
      own.break_at = broken;
      own.breaks_silently = is_silent;
      Deliveries sink;
      auto machine = std::make_shared<TopicProducer>(own.client, config, sink);
      bool is_open = false;
      machine->open({topic_name}, [&](const auto& error) { is_open = !error; });
      ASSERT_TRUE(own.run_until([&] { return is_open; }, 200s));
      for (std::uint64_t i = 0; i < 12; ++i) {
        const auto text = std::to_string(i);
        EXPECT_EQ(machine->try_publish(Ticket{i}, message_of(i % 2 ? "1" : "2", text), false),
                  Admission::accepted);
        if (i % 4 == 3) machine->flush();
        if (i % 4 == 1) own.run_for(10ms);
      }
      EXPECT_TRUE(own.run_until([&] { return machine->undecided() == 0; }, 200s));
      EXPECT_EQ(sink.count(Outcome::acked), 12U);
      for (int p = 0; p < 2; ++p) {
        const auto stored =
            first_appearances(fresh.payloads(fmt::format("{}-partition-{}", topic_name, p)));
        EXPECT_EQ(stored.size(), 6U);
        EXPECT_TRUE(std::ranges::is_sorted(stored, {}, [](const auto& s) { return std::stoi(s); }));
      }
      EXPECT_THAT(fresh.client_errors(), IsEmpty());
      machine->stop();
      if (broken < 0) steps_in_all = own.steps;
    }
  }
  EXPECT_GT(steps_in_all, 15);
}

// Random sends, unloads, hang-ups, lost receipts and waits.
TEST_F(PulsarProducer, KeepsOrderAndLosesNothingUnderRandomFaults) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    SCOPED_TRACE(seed);
    base::SplitMix64 random(seed);
    FakeBroker fresh;
    fresh.topics[topic_name] = 1;
    VirtualWorld own(fresh);
    Deliveries sink;
    ProducerConfig lossy = config;
    lossy.compression = seed % 2 ? Compression::lz4 : Compression::none;
    auto machine = std::make_shared<TopicProducer>(own.client, lossy, sink);
    bool is_open = false;
    machine->open({topic_name}, [&](const auto& error) { is_open = !error; });
    ASSERT_TRUE(own.run_until([&] { return is_open; }));
    std::uint64_t sent = 0;
    for (int action = 0; action < 300; ++action) {
      switch (random.next_below(12)) {
        case 0:
          fresh.unload(partition_name);
          break;
        case 1:
          fresh.hang_up_all();
          break;
        case 2:
          fresh.lose_receipt = [&](const auto&) { return random.next_below(3) == 0; };
          break;
        case 3:
          fresh.lose_receipt = nullptr;
          break;
        case 4:
          fresh.send_error = [&](const auto&) {
            return random.next_below(5) == 0 ? server_error::persistence : -1;
          };
          break;
        case 5:
          fresh.send_error = nullptr;
          break;
        case 6:
          own.run_for(std::chrono::milliseconds(random.next_below(3000)));
          break;
        case 7:
          own.settle();
          break;
        default:
          for (std::uint64_t n = random.next_below(5); n > 0; --n, ++sent) {
            EXPECT_EQ(
                machine->try_publish(Ticket{sent}, message_of("k", std::to_string(sent)), false),
                Admission::accepted);
          }
      }
    }
    fresh.lose_receipt = nullptr;
    fresh.send_error = nullptr;
    machine->flush();
    own.settle();
    if (machine->undecided() > 0) fresh.hang_up_all();  // A receipt that was lost never comes.
    EXPECT_TRUE(own.run_until([&] { return machine->undecided() == 0; }, 300s));
    EXPECT_EQ(sink.count(Outcome::acked), sent);
    const auto stored = first_appearances(fresh.payloads(partition_name));
    EXPECT_EQ(stored.size(), sent);
    EXPECT_TRUE(std::ranges::is_sorted(stored, {}, [](const auto& s) { return std::stoi(s); }));
    EXPECT_THAT(fresh.client_errors(), IsEmpty());
    machine->stop();
  }
}

}  // namespace
}  // namespace flow::streaming::pulsar::testing

// Auditor and ledger behind a broker that lies: what the fake does wrong, the ledger must find.
// SPDX-License-Identifier: Apache-2.0
#include "streaming/audit/auditor.hpp"

#include <filesystem>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "streaming/audit/ledger.hpp"
#include "streaming/fake/driver.hpp"
#include "streaming/tests/driver_fixture.hpp"

namespace flow::streaming::audit {
namespace {

using fake::Fate;
using testing::in;
using namespace std::chrono_literals;

struct Attempts final : DeliverySink {
  void on_delivery(Ticket ticket, const Delivery& delivery) override {
    AttemptRecord& attempt = records[static_cast<std::size_t>(ticket)];
    attempt.end = static_cast<AttemptEnd>(delivery.outcome);
    attempt.partition = static_cast<std::int16_t>(delivery.partition);
  }
  std::vector<AttemptRecord> records;
};

class AuditorTest : public ::testing::Test {
 protected:
  void TearDown() override { std::filesystem::remove(path_); }

  // Publishes `count` events of trial 7 through a fake broker with this script, reads them back and
  // joins.
  Ledger run(std::uint64_t count, std::function<Fate(std::uint64_t)> fate) {
    fake::FakeConfig config;
    config.topics = {{"users", 1}, {"orders", 6}};
    config.fate = std::move(fate);
    auto driver = fake::make_driver(io_, config);
    auto auditor = Auditor::create({7, anchor_, path_});
    FLOW_CHECK(auditor);
    Attempts attempts;
    const std::vector<std::string> topics = {"users", "orders"};
    auto producer = io_.run_task(driver->open_producer(topics, attempts, in(20s)));
    auto consumer = io_.run_task(driver->open_consumer(topics, **auditor, in(20s)));
    io_.run([&] {
      for (std::uint64_t i = 0; i < count; ++i) publish(**producer, attempts, i);
    });
    EXPECT_TRUE(io_.run_task((*producer)->drain(in(20s))));
    EXPECT_TRUE(io_.run_task((*consumer)->read_to_end(in(20s))).value());
    const auto second = (*auditor)->write_second(io_);
    EXPECT_TRUE(second);
    seen_ = second->seen;
    end_to_end_ = second->end_to_end;
    written_ = (*auditor)->records_written();
    io_.run([&] {
      producer->reset();
      consumer->reset();
    });
    reads_ = read_records<ReadRecord>(path_).value();
    const std::vector<PhaseRange> phases = {{"measured", 1, count + 1}};
    return make_ledger(7, phases, {}, attempts.records, reads_);
  }

  void publish(Producer& producer, Attempts& attempts, std::uint64_t i) {
    const std::string key = std::to_string(i % 10);
    AttemptRecord attempt{};
    attempt.trial = 7;
    attempt.request = i + 1;
    attempt.published = static_cast<std::int64_t>(i);
    attempt.key_hash = key_hash(key);
    attempt.topic = 1;
    attempts.records.push_back(attempt);
    const base::Stamp stamp{.trial = 7,
                            .request = i + 1,
                            .parent = 1,
                            .intended = anchor_.to_unix(base::now() - 10ms),
                            .other_state = ""};
    const Message message{TopicId{1}, key, base::as_bytes("{\"id\":1}"), stamp};
    FLOW_CHECK(producer.try_publish(Ticket{i}, message) == Admission::accepted);
  }

  net::IoThread io_{"auditor-test"};
  base::ClockAnchor anchor_ = base::ClockAnchor::take();
  std::string path_ = std::filesystem::temp_directory_path() /
                      ("flow-auditor-test-" + std::to_string(::getpid()) + ".records");
  std::vector<ReadRecord> reads_;
  std::uint64_t seen_ = 0;
  std::uint64_t written_ = 0;
  measure::Histogram end_to_end_;
};

TEST_F(AuditorTest, FindsAnHonestBrokerClean) {
  const Ledger ledger = run(1'000, [](std::uint64_t) { return Fate{}; });

  const AuditCounts& audit = ledger.find("measured")->audit;
  EXPECT_EQ(audit.seen_once, 1'000U);
  EXPECT_TRUE(ledger.examples.empty());
  EXPECT_EQ(seen_, 1'000U);
  EXPECT_EQ(written_, 1'000U);
  EXPECT_EQ(end_to_end_.count(), 1'000U);
  EXPECT_GE(end_to_end_.min(), 10ms);  // Counted from the intended time.
}

TEST_F(AuditorTest, FindsWhatALyingBrokerDid) {
  const Ledger ledger = run(100, [](std::uint64_t n) {
    if (n == 10) return Fate{Outcome::acked, 0ns, 0};
    if (n == 20) return Fate{Outcome::acked, 0ns, 3};
    if (n == 30) return Fate{Outcome::timed_out, 0ns, 1};
    if (n == 40) return Fate{Outcome::rejected, 0ns, 1};
    if (n == 50) return Fate{Outcome::acked, 30ms, 1};  // Overtaken by later ones of its key.
    if (n == 60) return Fate{Outcome::lost, 0ns, 0};
    return Fate{};
  });

  const PhaseLedger& measured = *ledger.find("measured");
  EXPECT_EQ(measured.audit.missing, 1U);
  EXPECT_EQ(measured.audit.duplicated, 1U);
  EXPECT_EQ(measured.audit.extra_copies, 2U);
  EXPECT_EQ(measured.audit.unacked_seen, 1U);
  EXPECT_EQ(measured.audit.rejected_seen, 1U);
  EXPECT_EQ(measured.audit.reordered, 1U);
  EXPECT_EQ(measured.audit.misplaced, 0U);
  EXPECT_EQ(measured.events.timed_out, 1U);
  EXPECT_EQ(measured.events.lost, 1U);
  EXPECT_EQ(measured.audit.seen_once, 95U);
}

TEST_F(AuditorTest, KeepsPositionAndChecksumOfEachRecord) {
  run(3, [](std::uint64_t) { return Fate{}; });

  ASSERT_EQ(reads_.size(), 3U);
  std::map<std::int16_t, std::uint64_t> next_entry;
  for (const ReadRecord& record : reads_) {
    EXPECT_EQ(record.topic, 1);
    EXPECT_EQ(record.entry, next_entry[record.partition]++);
    EXPECT_EQ(record.payload_bytes, 8U);
    EXPECT_EQ(record.payload_crc, 0x445df8c5U);  // python3: zlib.crc32(b'{"id":1}')
    EXPECT_GT(record.seen, record.intended);
  }
}

TEST(Auditor, NamesAFileThatCannotBeMade) {
  const auto auditor = Auditor::create({7, base::ClockAnchor::take(), "/nowhere/reads.records"});

  ASSERT_FALSE(auditor);
  EXPECT_EQ(auditor.error().code, base::Errc::io);
  EXPECT_THAT(auditor.error().what, ::testing::HasSubstr("/nowhere/reads.records"));
}

}  // namespace
}  // namespace flow::streaming::audit

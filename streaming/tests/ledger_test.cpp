// SPDX-License-Identifier: Apache-2.0
#include "streaming/audit/ledger.hpp"

#include <algorithm>
#include <cstring>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.hpp"

namespace flow::streaming::audit {
namespace {

using ::testing::ElementsAre;
using ::testing::Field;

constexpr std::uint64_t trial = 7;
const std::vector<PhaseRange> phases = {
    {"registration", 1, 11}, {"warm_up", 11, 21}, {"measured", 21, 121}};

RequestRecord answered(std::uint64_t request, std::uint16_t status = 200) {
  RequestRecord record{};
  record.request = request;
  record.status = status;
  record.end = RequestEnd::answered;
  return record;
}

RequestRecord ended(std::uint64_t request, RequestEnd end) {
  RequestRecord record = answered(request, 0);
  record.end = end;
  return record;
}

AttemptRecord attempt(std::uint64_t request, AttemptEnd end = AttemptEnd::acked) {
  AttemptRecord record{};
  record.trial = trial;
  record.request = request;
  record.published = static_cast<std::int64_t>(request) * 1000;
  record.key_hash = 99;
  record.topic = 2;
  record.partition = 3;
  record.end = end;
  return record;
}

// The n-th record of its partition.
ReadRecord read(std::uint64_t request, std::uint64_t entry) {
  ReadRecord record{};
  record.trial = trial;
  record.request = request;
  record.key_hash = 99;
  record.topic = 2;
  record.partition = 3;
  record.entry = entry;
  return record;
}

std::vector<std::string> broken(const Ledger& ledger) {
  std::vector<std::string> names;
  for (const Sum& sum : conservation(ledger)) {
    if (!sum.holds()) names.push_back(sum.phase + ": " + sum.name);
  }
  return names;
}

// Requests 1 to 120, all answered, with an acked event each that was read once.
struct Clean {
  Clean() {
    for (std::uint64_t request = 1; request <= 120; ++request) {
      requests.push_back(answered(request));
      attempts.push_back(attempt(request));
      reads.push_back(read(request, request));
    }
  }
  Ledger ledger() const { return make_ledger(trial, phases, requests, attempts, reads); }
  AuditCounts measured() const { return ledger().find("measured")->audit; }
  std::vector<RequestRecord> requests;
  std::vector<AttemptRecord> attempts;
  std::vector<ReadRecord> reads;
};

TEST(Ledger, FindsNothingWrongInACleanTrial) {
  const Ledger ledger = Clean().ledger();

  EXPECT_EQ(ledger.find("registration")->audit.seen_once, 10U);
  EXPECT_EQ(ledger.find("warm_up")->requests.answered, 10U);
  EXPECT_EQ(ledger.find("measured")->events.acked, 100U);
  EXPECT_EQ(ledger.find("measured")->audit.seen_once, 100U);
  EXPECT_EQ(ledger.find("outside")->audit.read, 0U);
  EXPECT_EQ(ledger.records_read, 120U);
  EXPECT_TRUE(ledger.examples.empty());
  EXPECT_THAT(broken(ledger), ElementsAre());
}

TEST(Ledger, CountsRequestsByTheirEndAndStatus) {
  Clean trial_records;
  trial_records.requests[20] = answered(21, 503);
  trial_records.requests[21] = ended(22, RequestEnd::failed);
  trial_records.requests[22] = ended(23, RequestEnd::unanswered);

  const Ledger ledger = trial_records.ledger();

  const RequestCounts& counts = ledger.find("measured")->requests;
  EXPECT_EQ(counts.intended, 100U);
  EXPECT_EQ(counts.answered, 98U);
  EXPECT_EQ(counts.answered_by_status.at(200), 97U);
  EXPECT_EQ(counts.answered_by_status.at(503), 1U);
  EXPECT_EQ(counts.failed, 1U);
  EXPECT_EQ(counts.unanswered, 1U);
  EXPECT_THAT(broken(ledger), ElementsAre());
}

TEST(Ledger, BreaksTheSumWhenARequestHasNoRecord) {
  Clean trial_records;
  trial_records.requests.pop_back();

  EXPECT_THAT(broken(trial_records.ledger()),
              ElementsAre("measured: intended = answered + failed + unanswered"));
}

TEST(Ledger, BreaksTheSumWhenTwoAttemptsAreMadeForOneRequest) {
  Clean trial_records;
  trial_records.attempts.push_back(attempt(30));

  const Ledger ledger = trial_records.ledger();

  EXPECT_THAT(broken(ledger), ElementsAre("measured: acked = seen once + duplicated + missing"));
  EXPECT_THAT(ledger.examples, ElementsAre(Field(&Example::anomaly, Anomaly::repeated_attempt)));
}

TEST(Ledger, NamesAnAckedEventThatNobodySawMissing) {
  Clean trial_records;
  std::erase_if(trial_records.reads, [](const ReadRecord& r) { return r.request == 40; });

  const Ledger ledger = trial_records.ledger();

  EXPECT_EQ(ledger.find("measured")->audit.missing, 1U);
  EXPECT_EQ(ledger.find("measured")->audit.seen_once, 99U);
  ASSERT_EQ(ledger.examples.size(), 1U);
  EXPECT_EQ(ledger.examples[0].anomaly, Anomaly::missing);
  EXPECT_EQ(ledger.examples[0].trace_id(), "00000000000000070000000000000028");
  EXPECT_THAT(broken(ledger), ElementsAre());  // A loss is a finding, not a broken sum.
}

TEST(Ledger, CountsADuplicateOnceAndItsExtraCopiesApart) {
  Clean trial_records;
  trial_records.reads.push_back(read(40, 200));
  trial_records.reads.push_back(read(40, 201));
  trial_records.reads.push_back(read(41, 202));

  const AuditCounts audit = trial_records.measured();

  EXPECT_EQ(audit.duplicated, 2U);
  EXPECT_EQ(audit.extra_copies, 3U);
  EXPECT_EQ(audit.seen_once, 98U);
  EXPECT_EQ(audit.reordered, 0U);  // A late copy is a duplicate, not reorder.
  EXPECT_THAT(broken(trial_records.ledger()), ElementsAre());
}

TEST(Ledger, TakesATimedOutOrLostEventThatIsThereForNoError) {
  Clean trial_records;
  trial_records.attempts[30].end = AttemptEnd::timed_out;
  trial_records.attempts[31].end = AttemptEnd::lost;
  trial_records.attempts[32].end = AttemptEnd::lost;
  std::erase_if(trial_records.reads, [](const ReadRecord& r) { return r.request == 33; });

  const AuditCounts audit = trial_records.measured();

  EXPECT_EQ(audit.unacked_seen, 2U);
  EXPECT_EQ(audit.missing, 0U);
  EXPECT_EQ(audit.seen_once, 97U);
  EXPECT_THAT(broken(trial_records.ledger()), ElementsAre());
}

TEST(Ledger, NamesARejectedOrRefusedEventThatIsThere) {
  Clean trial_records;
  trial_records.attempts[30].end = AttemptEnd::rejected;
  trial_records.attempts[31].end = AttemptEnd::queue_full;

  const Ledger ledger = trial_records.ledger();

  EXPECT_EQ(ledger.find("measured")->audit.rejected_seen, 2U);
  EXPECT_THAT(broken(ledger), ElementsAre());
}

TEST(Ledger, NamesARecordThatNoAttemptExplains) {
  Clean trial_records;
  std::erase_if(trial_records.attempts, [](const AttemptRecord& a) { return a.request == 50; });

  const Ledger ledger = trial_records.ledger();

  EXPECT_EQ(ledger.find("measured")->audit.unknown_seen, 1U);
  EXPECT_EQ(ledger.find("measured")->audit.seen_once, 99U);
  EXPECT_THAT(broken(ledger), ElementsAre());
}

TEST(Ledger, KeepsForeignRecordsApart) {
  Clean trial_records;
  ReadRecord foreign = read(40, 300);
  foreign.trial = 8;
  trial_records.reads.push_back(foreign);
  foreign.trial = foreign.request = 0;  // No stamp.
  foreign.entry = 301;
  trial_records.reads.push_back(foreign);
  AttemptRecord own_number = attempt(1);
  own_number.trial = 0;
  trial_records.attempts.push_back(own_number);

  const Ledger ledger = trial_records.ledger();

  EXPECT_EQ(ledger.foreign_reads, 2U);
  EXPECT_EQ(ledger.foreign_attempts, 1U);
  EXPECT_EQ(ledger.records_read, 122U);
  EXPECT_EQ(ledger.find("measured")->audit.duplicated, 0U);
  EXPECT_THAT(broken(ledger), ElementsAre());
}

TEST(Ledger, CountsWhatLiesOutsideThePhases) {
  Clean trial_records;
  trial_records.requests.push_back(answered(500));
  trial_records.attempts.push_back(attempt(500));
  trial_records.reads.push_back(read(500, 500));

  const Ledger ledger = trial_records.ledger();

  EXPECT_EQ(ledger.find("outside")->audit.seen_once, 1U);
  EXPECT_EQ(ledger.find("outside")->requests.intended, 1U);
  EXPECT_THAT(broken(ledger), ElementsAre());
}

TEST(Ledger, FindsReorderByPositionWithinAKey) {
  Clean trial_records;
  std::swap(trial_records.reads[40].entry, trial_records.reads[41].entry);

  const Ledger ledger = trial_records.ledger();

  EXPECT_EQ(ledger.find("measured")->audit.reordered, 1U);
  ASSERT_EQ(ledger.examples.size(), 1U);
  EXPECT_EQ(ledger.examples[0].request, 41U);  // Published first, stored second.
}

TEST(Ledger, SeesNoReorderBetweenKeysOrPartitionsOrInTheOrderOfReading) {
  Clean trial_records;
  trial_records.attempts[40].key_hash = trial_records.reads[40].key_hash = 5;
  std::swap(trial_records.reads[40].entry, trial_records.reads[41].entry);
  trial_records.attempts[50].partition = trial_records.reads[50].partition = 1;
  trial_records.reads[50].entry = 5000;
  std::ranges::reverse(trial_records.reads);

  EXPECT_EQ(trial_records.measured().reordered, 0U);
}

TEST(Ledger, OrdersPulsarPositionsByLedgerEntryAndIndex) {
  Clean trial_records;
  for (std::size_t i = 0; i < trial_records.reads.size(); ++i) {
    ReadRecord& record = trial_records.reads[i];
    record.ledger = 10 + i / 50;  // A rollover starts entries anew.
    record.entry = i % 50 / 5;
    record.index = static_cast<std::uint32_t>(i % 5);
  }
  EXPECT_EQ(trial_records.measured().reordered, 0U);

  std::swap(trial_records.reads[60].index, trial_records.reads[61].index);
  EXPECT_EQ(trial_records.measured().reordered, 1U);
}

TEST(Ledger, NamesARecordInTheWrongPlace) {
  Clean trial_records;
  trial_records.reads[40].partition = 0;
  trial_records.reads[41].key_hash = 1;
  trial_records.attempts[42].partition = -1;  // Not known: nothing to compare with.

  EXPECT_EQ(trial_records.measured().misplaced, 2U);
}

TEST(Ledger, BoundsTheExamplesOfEachKind) {
  Clean trial_records;
  trial_records.reads.clear();

  const Ledger ledger =
      make_ledger(trial, phases, trial_records.requests, trial_records.attempts, {}, 3);

  EXPECT_EQ(ledger.find("measured")->audit.missing, 100U);
  EXPECT_EQ(ledger.examples.size(), 3U);
}

// Random trials against a plain count of what was done to each event. Seeded: a failure repeats.
TEST(Ledger, AgreesWithAnIndependentCountOnRandomTrials) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE(seed);
    base::SplitMix64 random(seed);
    Clean records;
    records.attempts.clear();
    records.reads.clear();
    AuditCounts expected;
    EventCounts events;
    std::uint64_t entry = 0;
    for (std::uint64_t request = 21; request < 121; ++request) {
      const auto end = static_cast<AttemptEnd>(random.next_below(5));
      const std::uint64_t copies = random.next_below(4);
      const bool is_attempted = random.next_below(10) != 0;
      if (is_attempted) {
        records.attempts.push_back(attempt(request, end));
        ++events.attempts;
        switch (end) {
          case AttemptEnd::acked:
            ++events.acked;
            ++(copies == 0   ? expected.missing
               : copies == 1 ? expected.seen_once
                             : expected.duplicated);
            break;
          case AttemptEnd::timed_out:
            ++events.timed_out;
            expected.unacked_seen += copies > 0;
            break;
          case AttemptEnd::lost:
            ++events.lost;
            expected.unacked_seen += copies > 0;
            break;
          case AttemptEnd::rejected:
            ++events.rejected;
            expected.rejected_seen += copies > 0;
            break;
          case AttemptEnd::queue_full:
            ++events.queue_full;
            expected.rejected_seen += copies > 0;
            break;
        }
        if (copies > 1) expected.extra_copies += copies - 1;
      } else {
        expected.unknown_seen += copies;
      }
      for (std::uint64_t copy = 0; copy < copies; ++copy) {
        records.reads.push_back(read(request, entry++));
      }
    }
    for (std::size_t i = records.reads.size(); i > 1; --i) {  // Partitions come in any order.
      std::swap(records.reads[i - 1], records.reads[random.next_below(i)]);
    }

    const Ledger ledger = records.ledger();
    const AuditCounts& audit = ledger.find("measured")->audit;

    EXPECT_EQ(ledger.find("measured")->events.attempts, events.attempts);
    EXPECT_EQ(ledger.find("measured")->events.acked, events.acked);
    EXPECT_EQ(ledger.find("measured")->events.timed_out, events.timed_out);
    EXPECT_EQ(ledger.find("measured")->events.lost, events.lost);
    EXPECT_EQ(ledger.find("measured")->events.rejected, events.rejected);
    EXPECT_EQ(ledger.find("measured")->events.queue_full, events.queue_full);
    EXPECT_EQ(audit.seen_once, expected.seen_once);
    EXPECT_EQ(audit.duplicated, expected.duplicated);
    EXPECT_EQ(audit.missing, expected.missing);
    EXPECT_EQ(audit.extra_copies, expected.extra_copies);
    EXPECT_EQ(audit.unacked_seen, expected.unacked_seen);
    EXPECT_EQ(audit.rejected_seen, expected.rejected_seen);
    EXPECT_EQ(audit.unknown_seen, expected.unknown_seen);
    EXPECT_EQ(audit.reordered, 0U);
    EXPECT_THAT(broken(ledger), ElementsAre());
  }
}

TEST(Ledger, BreaksTheSumOfADamagedAttempt) {
  Clean trial_records;
  trial_records.attempts[30].end = static_cast<AttemptEnd>(77);

  EXPECT_FALSE(broken(trial_records.ledger()).empty());
}

}  // namespace
}  // namespace flow::streaming::audit

// SPDX-License-Identifier: Apache-2.0
#include "lab/join/freshness.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace flow::lab {
namespace {

using streaming::audit::AttemptRecord;
using streaming::audit::ProbeRecord;
using streaming::audit::QueryRecord;
using streaming::audit::ReadRecord;
using streaming::audit::RequestEnd;
using streaming::audit::RowRecord;
using ::testing::ElementsAre;

constexpr std::uint64_t trial = 9;
constexpr std::int64_t start = 1'000'000'000'000;
constexpr std::int64_t ms = 1'000'000;
const PhaseRange measured{.name = "measured", .from = 11, .until = 111};

RowRecord row(std::uint64_t request, std::int64_t at_ms, std::int64_t fresh_ms,
              std::uint8_t topic = 1) {
  RowRecord record{};
  record.trial = trial;
  record.request = request;
  record.intended = start + at_ms * ms;
  record.ingested = record.intended + fresh_ms * ms;
  record.topic = topic;
  return record;
}

ReadRecord read(std::uint64_t request, std::int64_t at_ms, std::int64_t seen_ms,
                std::uint8_t topic = 1) {
  ReadRecord record{};
  record.trial = trial;
  record.request = request;
  record.intended = start + at_ms * ms;
  record.seen = record.intended + seen_ms * ms;
  record.topic = topic;
  return record;
}

AttemptRecord acked(std::uint64_t request, std::int64_t at_ms) {
  AttemptRecord record{};
  record.trial = trial;
  record.request = request;
  record.intended = start + at_ms * ms;
  return record;
}

QueryRecord query(std::int64_t sent_ms, std::int64_t took_ms, std::uint16_t index = 0) {
  QueryRecord record{};
  record.intended = start + sent_ms * ms;
  record.sent = record.intended;
  record.answered = record.sent + took_ms * ms;
  record.query = index;
  return record;
}

TEST(Freshness, CountsRowsAgainstTheCopiesInTheTopic) {
  TrialRecords records;
  records.reads = {read(11, 0, 5), read(12, 0, 5), read(12, 0, 6), read(13, 0, 5), read(14, 0, 5)};
  records.rows = {row(11, 0, 6), row(12, 0, 6), row(12, 0, 7), row(13, 0, 6), row(13, 0, 9)};
  records.rows.push_back(row(99, 0, 6));  // Nobody read it.
  records.rows.push_back(row(15, 0, 6));
  records.rows.back().trial = trial + 1;  // Of another trial.
  records.rows.push_back(row(0, 0, 6));
  records.rows.back().trial = 0;

  const auto counts = count_rows(records, measured, trial);

  EXPECT_EQ(counts[1].events_seen, 5U);
  EXPECT_EQ(counts[1].rows, 6U);
  EXPECT_EQ(counts[1].missing, 1U);  // 14
  EXPECT_EQ(counts[1].doubled, 1U);  // 13; 12 is twice in the topic too.
  EXPECT_EQ(counts[1].unknown, 1U);
  EXPECT_EQ(counts[1].without_stamp, 1U);
  EXPECT_FALSE(counts[1].is_exact());
  EXPECT_TRUE(counts[0].is_exact());
}

TEST(Freshness, CallsARowLateThatIsMoreThanASecondBehindItsIntendedTime) {
  TrialRecords records;
  records.rows = {row(11, 0, 1000), row(12, 0, 1001), row(10, 0, 5000)};  // 10: warm-up.

  EXPECT_EQ(count_rows(records, measured, trial)[1].late, 1U);
}

TEST(Freshness, TellsBurstsFromWhatFollowsThemAndFromCalm) {
  const std::vector<std::uint64_t> requests = {1, 1, 30, 1, 1, 1, 1, 1};

  const auto kinds = classify_seconds(requests);

  using enum SecondClass;
  EXPECT_THAT(kinds,
              ElementsAre(calm, calm, burst, after_burst, after_burst, after_burst, calm, calm));
}

TEST(Freshness, FilesEachRowUnderTheKindOfItsIntendedSecond) {
  TrialRecords records;
  records.rows = {row(11, 100, 3), row(12, 1100, 50), row(13, 1200, 70), row(13, 1200, 900),
                  row(10, 1300, 800)};
  const std::vector<SecondClass> kinds = {SecondClass::calm, SecondClass::burst};
  const std::vector<SegmentCommit> commits = {{.topic = 1, .unix_ns = start}};

  const auto classes =
      classify_freshness(records, measured, trial, base::UnixNanos{start}, kinds, commits);

  EXPECT_EQ(classes.by_class[0].count, 1U);
  EXPECT_EQ(classes.by_class[0].max, 3 * ms);
  EXPECT_EQ(classes.by_class[1].count, 2U);  // The second copy and the warm-up are left out.
  EXPECT_EQ(classes.by_class[1].max, 70 * ms);
  EXPECT_EQ(classes.near_commits.count, 1U);
}

TEST(Freshness, SharesTheDelayBetweenBrokerAndIngestionAlsoWhenPinotIsFirst) {
  TrialRecords records;
  records.reads = {read(11, 0, 5), read(12, 0, 9)};
  records.rows = {row(11, 0, 7), row(12, 0, 8)};

  const auto shares = share_freshness(records, measured, trial);

  EXPECT_EQ(shares.broker.max, 9 * ms);
  EXPECT_EQ(shares.ingestion.p50, -1 * ms);
  EXPECT_EQ(shares.ingestion.max, 2 * ms);
}

TEST(Freshness, KnowsHowExactlyAProbeSawIt) {
  TrialRecords records;
  records.rows = {row(11, 0, 6), row(12, 0, 6)};
  ProbeRecord found{};
  found.request = 11;
  found.intended = start;
  found.absent = start + 4 * ms;
  found.asked = start + 8 * ms;
  found.answered = start + 10 * ms;
  found.queries = 2;
  ProbeRecord at_once = found;  // No question before it: it may have been there all the time.
  at_once.request = 12;
  at_once.absent = 0;
  at_once.queries = 1;
  ProbeRecord never = found;
  never.request = 13;
  never.asked = 0;
  records.probes = {found, at_once, never};

  const auto probes = summarise_probes(records, trial);

  EXPECT_EQ(probes.events, 3U);
  EXPECT_EQ(probes.found, 2U);
  EXPECT_EQ(probes.queries, 5U);
  EXPECT_EQ(probes.resolution.p50, 6 * ms);
  EXPECT_EQ(probes.resolution.max, 10 * ms);
  EXPECT_EQ(probes.minus_row.max, 4 * ms);
}

TEST(Freshness, CallsAnAnswerAsStaleAsTheOldestEventThatItLacks) {
  TrialRecords records;
  records.attempts = {acked(11, 0), acked(12, 10), acked(13, 20)};
  records.rows = {row(11, 0, 5), row(12, 10, 90), row(13, 20, 5)};
  // Before the first event; all that was intended is there; 12 is missing; 12 has arrived.
  records.queries = {query(101, 1), query(-5, 1), query(8, 1), query(60, 1)};

  const auto queries = summarise_queries(records, trial, 1);

  EXPECT_EQ(queries[0].answered, 4U);
  EXPECT_EQ(queries[0].staleness.max, 50 * ms);
  EXPECT_EQ(queries[0].staleness.p50, 0);
}

TEST(Freshness, CallsAnAnswerStaleForAnEventThatNeverArrives) {
  TrialRecords records;
  records.attempts = {acked(11, 0)};
  records.queries = {query(5000, 1)};

  EXPECT_EQ(summarise_queries(records, trial, 1)[0].staleness.max, 5000 * ms);
}

TEST(Freshness, CountsAQueryWithoutAnAnswerAsFailedAndBeyondEveryValue) {
  TrialRecords records;
  records.queries = {query(0, 3), query(10, 4, 1)};
  records.queries[1].end = RequestEnd::failed;

  const auto queries = summarise_queries(records, trial, 2);

  EXPECT_EQ(queries[0].response.values.max().count(), 3 * ms);
  EXPECT_EQ(queries[1].failed, 1U);
  EXPECT_EQ(queries[1].response.censored, 1U);
}

TEST(Freshness, ReadsPinotsOwnMetricAsAnAge) {
  TrialRecords records;
  records.queries = {query(100, 10), query(200, 10)};
  records.queries[0].fresh_ms = start / ms + 90;  // 20 ms before the answer.

  const auto metric = pinot_metric(records);

  EXPECT_EQ(metric.count, 1U);
  EXPECT_EQ(metric.max, 20 * ms);
}

TEST(Hops, PutAnAckedEventWithoutARowAboveEveryRow) {
  TrialRecords records;
  records.has_analytics = true;
  records.attempts = {acked(11, 0), acked(12, 0)};
  records.rows = {row(11, 0, 6)};

  auto hops = summarise_hops(records, measured, trial, base::UnixNanos{start}, 2).hops;

  EXPECT_EQ(hops["queryable"].values.max().count(), 6 * ms);
  EXPECT_EQ(hops["queryable"].censored, 1U);
}

}  // namespace
}  // namespace flow::lab

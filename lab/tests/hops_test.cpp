// SPDX-License-Identifier: Apache-2.0
#include "lab/join/hops.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "lab/join/volume_classes.hpp"

namespace flow::lab {
namespace {

using streaming::audit::AttemptEnd;
using streaming::audit::AttemptRecord;
using streaming::audit::ReadRecord;
using streaming::audit::RequestEnd;
using streaming::audit::RequestRecord;

constexpr std::uint64_t trial = 9;
constexpr std::int64_t start = 1'000'000'000'000;
constexpr std::int64_t ms = 1'000'000;
const PhaseRange measured{.name = "measured", .from = 11, .until = 111};

RequestRecord request(std::uint64_t number, std::int64_t at_ms, std::int64_t took_ms) {
  RequestRecord record{};
  record.request = number;
  record.intended = start + at_ms * ms;
  record.connection_free = record.intended;
  record.sent = record.intended + ms;
  record.answered = record.intended + took_ms * ms;
  record.status = 200;
  return record;
}

AttemptRecord attempt(std::uint64_t number, std::int64_t at_ms, std::int64_t acked_ms) {
  AttemptRecord record{};
  record.trial = trial;
  record.request = number;
  record.intended = start + at_ms * ms;
  record.published = record.intended + 2 * ms;
  record.decided = record.intended + acked_ms * ms;
  return record;
}

ReadRecord read(std::uint64_t number, std::int64_t at_ms, std::int64_t seen_ms) {
  ReadRecord record{};
  record.trial = trial;
  record.request = number;
  record.intended = start + at_ms * ms;
  record.seen = record.intended + seen_ms * ms;
  return record;
}

HopSummary summarise(const TrialRecords& records) {
  return summarise_hops(records, measured, trial, base::UnixNanos{start}, 2);
}

TEST(Hops, CountEachMomentFromTheIntendedTime) {
  TrialRecords records;
  records.requests = {request(11, 0, 10)};
  records.attempts = {attempt(11, 0, 12)};
  records.reads = {read(11, 0, 15)};

  auto hops = summarise(records).hops;

  EXPECT_EQ(hops["response_time"].values.max().count(), 10 * ms);
  EXPECT_EQ(hops["service_time"].values.max().count(), 9 * ms);
  EXPECT_EQ(hops["start_error"].values.max().count(), 1 * ms);
  EXPECT_EQ(hops["publish_response"].values.max().count(), 12 * ms);
  EXPECT_EQ(hops["publish_latency"].values.max().count(), 10 * ms);
  EXPECT_EQ(hops["end_to_end"].values.max().count(), 15 * ms);
}

TEST(Hops, LeaveOutWhatIsNotOfTheMeasuredPhaseOrOfAnotherTrial) {
  TrialRecords records;
  records.requests = {request(10, 0, 10), request(111, 0, 10)};
  records.attempts = {attempt(10, 0, 12)};
  records.reads = {read(111, 0, 15), read(50, 0, 15)};
  records.reads[1].trial = trial + 1;

  auto hops = summarise(records).hops;

  for (const auto& [name, hop] : hops) EXPECT_EQ(hop.values.count() + hop.censored, 0U) << name;
}

TEST(Hops, PutWhatNeverEndedAboveEveryValue) {
  TrialRecords records;
  for (std::uint64_t i = 0; i < 98; ++i) records.requests.push_back(request(11 + i, 0, 10));
  for (std::uint64_t i = 98; i < 100; ++i) {
    records.requests.push_back(request(11 + i, 0, 0));
    records.requests.back().end = RequestEnd::unanswered;
  }

  const auto hop = describe(summarise(records).hops["response_time"]);

  EXPECT_EQ(hop.at("censored").as_uint64(), 2U);
  EXPECT_TRUE(hop.at("p90_ns").is_int64());
  EXPECT_TRUE(hop.at("p99_ns").is_null());
}

TEST(Hops, LetAQuickRefusalFlatterNobody) {
  TrialRecords records;
  records.requests = {request(11, 0, 10), request(12, 0, 1)};
  records.requests[1].status = 503;

  auto hops = summarise(records).hops;

  EXPECT_EQ(hops["response_time"].values.min().count(), 10 * ms);
  EXPECT_EQ(hops["response_time"].censored, 1U);
}

TEST(Hops, CountARequestThatWaitedForAConnectionAsBlockedAndNotAsALateStart) {
  TrialRecords records;
  records.requests = {request(11, 0, 10)};
  records.requests[0].connection_free += 4 * ms;

  auto hops = summarise(records).hops;

  EXPECT_EQ(hops["start_error"].values.count(), 0U);
  EXPECT_EQ(hops["blocked_time"].values.max().count(), 4 * ms);
}

TEST(Hops, FileAStallUnderTheIntendedSecondAndCountADuplicateOnce) {
  TrialRecords records;
  records.attempts = {attempt(11, 100, 5), attempt(12, 1500, 1400)};
  records.reads = {read(11, 100, 6), read(11, 100, 900), read(12, 1500, 1401)};

  const auto summary = summarise(records);

  EXPECT_EQ(std::ranges::max(summary.seconds[0].end_to_end.values), 6 * ms);
  EXPECT_EQ(std::ranges::max(summary.seconds[1].end_to_end.values), 1401 * ms);
  EXPECT_EQ(std::ranges::max(summary.seconds[1].publish_response.values), 1400 * ms);
}

TEST(Hops, RankWhatHasNoValueAboveAllOthersOfItsSecond) {
  std::vector<SecondRow> seconds(2);
  seconds[0].response.values = {3 * ms, 1 * ms, 2 * ms};
  seconds[0].response.censored = 1;

  const auto rows = describe(seconds, false);

  const auto& row = rows[0].as_object();
  EXPECT_EQ(row.at("response_p50_ns"), 2 * ms);
  EXPECT_TRUE(row.at("response_p99_ns").is_null());
  EXPECT_EQ(row.at("response_max_ns"), 3 * ms);
  EXPECT_TRUE(rows[1].at("response_p50_ns").is_null());
}

TEST(Hops, CountAnAckedEventThatNobodySawAsCensored) {
  TrialRecords records;
  records.attempts = {attempt(11, 0, 5), attempt(12, 0, 5)};
  records.reads = {read(11, 0, 6)};

  EXPECT_EQ(summarise(records).hops["end_to_end"].censored, 1U);
}

TEST(Hops, TellATallyWhatEachRequestAndEventCameTo) {
  TrialRecords records;
  records.has_analytics = true;
  records.requests = {request(11, 0, 10), request(12, 1500, 20), request(13, 1500, 1)};
  records.requests[2].status = 503;
  records.attempts = {attempt(11, 0, 12), attempt(12, 1500, 25), attempt(13, 1500, 2)};
  records.attempts[2].end = AttemptEnd::lost;
  auto& row = records.rows.emplace_back();
  row.trial = trial;
  row.request = 11;
  row.intended = start;
  row.ingested = start + 50 * ms;
  TickTally tally({.length = std::chrono::seconds(1), .classes = {0, 1}, .requests = {1, 2}},
                  base::UnixNanos{start});

  summarise_hops(records, measured, trial, base::UnixNanos{start}, 2, &tally);

  const auto& quiet = tally.classes()[0].hops;
  const auto& busy = tally.classes()[1].hops;
  EXPECT_EQ(quiet[0].values.max().count(), 10 * ms);
  EXPECT_EQ(quiet[1].values.max().count(), 12 * ms);
  EXPECT_EQ(quiet[2].values.max().count(), 50 * ms);
  EXPECT_EQ(busy[0].values.max().count(), 20 * ms);
  EXPECT_EQ(busy[0].censored, 1U);
  EXPECT_EQ(busy[1].values.count(), 1U);
  EXPECT_EQ(busy[1].censored, 1U);
  EXPECT_EQ(busy[2].censored, 1U);  // Acked and in no table.
}

}  // namespace
}  // namespace flow::lab

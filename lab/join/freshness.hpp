// How fresh the analytics were, from the records of a trial: every row of the tables joined with
// the event that it came from. The moments behind it:
//   intended -> acked -> seen (auditor) -> ingested (the server took the row; it can be queried)
// Rows carry whole milliseconds of a wall clock: every difference with them is right to +-1 ms.
// Thread: any; pure.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "lab/join/hops.hpp"

namespace flow::lab {

inline constexpr std::int64_t row_resolution_ns = 1'000'000;
inline constexpr std::int64_t late_after_ns = 1'000'000'000;

// Order statistics of signed differences; all 0 without a value.
struct Quantiles {
  std::uint64_t count = 0;
  std::int64_t p50 = 0, p90 = 0, p99 = 0, max = 0;
};
Quantiles quantiles_of(std::vector<std::int64_t> values);

// Of one topic, over all phases of the trial.
struct TableCounts {
  std::uint64_t rows = 0;         // Of this trial.
  std::uint64_t events_seen = 0;  // Records that the auditor read, each copy.
  std::uint64_t missing = 0;      // Copies in the topic without a row.
  std::uint64_t doubled = 0;      // Rows beyond the copies in the topic.
  std::uint64_t unknown = 0;      // Rows of events that the auditor never saw.
  std::uint64_t late = 0;  // Of the measured phase: more than `late_after_ns` behind the intended.
  std::uint64_t without_stamp = 0;  // Rows, of any origin, that name no event.
  bool is_exact() const { return missing == 0 && doubled == 0 && unknown == 0; }
};
inline constexpr std::size_t topic_count = 3;
std::array<TableCounts, topic_count> count_rows(const TrialRecords& records,
                                                const PhaseRange& measured, std::uint64_t trial);

// What kind of second an event was intended in.
enum class SecondClass : std::uint8_t { calm, burst, after_burst };
std::string_view name_of(SecondClass kind);
// burst: above twice the mean of `requests`; after_burst: the three seconds behind one.
std::vector<SecondClass> classify_seconds(std::span<const std::uint64_t> requests);

// A partition of a table stopped consuming and sealed its segment at `unix_ns`.
struct SegmentCommit {
  std::uint8_t topic = 0;
  int partition = 0;
  std::int64_t unix_ns = 0;
  std::int64_t rows = 0;
};

// Freshness by kind of second, and of the rows of a table within a second of a commit of it.
struct FreshnessClasses {
  std::array<std::uint64_t, 3> seconds{};  // By SecondClass.
  std::array<Quantiles, 3> by_class{};
  Quantiles near_commits;
};
FreshnessClasses classify_freshness(const TrialRecords& records, const PhaseRange& measured,
                                    std::uint64_t trial, base::UnixNanos from,
                                    std::span<const SecondClass> seconds,
                                    std::span<const SegmentCommit> commits);

// Where the delay arose, from the same events: until the auditor saw the event (generator, shop and
// broker), and from there until Pinot had it. The second may be negative: Pinot was first.
struct FreshnessShares {
  Quantiles broker;     // seen - intended
  Quantiles ingestion;  // ingested - seen
};
FreshnessShares share_freshness(const TrialRecords& records, const PhaseRange& measured,
                                std::uint64_t trial);

struct ProbeSummary {
  std::uint64_t events = 0;
  std::uint64_t found = 0;
  std::uint64_t queries = 0;
  Quantiles resolution;  // Answered - the last moment at which the event was known to be absent.
  Quantiles minus_row;   // Answered - ingested of the same event: what rows do not show.
};
ProbeSummary summarise_probes(const TrialRecords& records, std::uint64_t trial);

// Of the dashboard query with this index.
struct QuerySummary {
  std::uint64_t sent = 0, answered = 0, failed = 0;
  Hop response;         // answered - intended
  Quantiles staleness;  // When it was sent: age of the oldest acked event that Pinot lacked.
};
std::vector<QuerySummary> summarise_queries(const TrialRecords& records, std::uint64_t trial,
                                            std::size_t queries);

// Pinot's own word: answered - minConsumingFreshnessTimeMs.
Quantiles pinot_metric(const TrialRecords& records);

}  // namespace flow::lab

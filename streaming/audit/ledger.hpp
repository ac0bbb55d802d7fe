// Finds loss, duplicates and reorder: joins what the generator intended, what the shop attempted
// and what the auditor read back, by (trial, request), and says which sums hold.
//
// An event is acked = the broker promised to keep it. Then it must be seen at least once; once is
// right, never is loss, more often is a duplicate. What timed out or was lost may be seen or not:
// nobody promised anything. What was rejected must not be seen.
// Thread: any; pure. Memory: 24 bytes an attempt, 4 a read, beside the records themselves.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "streaming/audit/records.hpp"

namespace flow::streaming::audit {

// Request numbers [from, until) of one phase, as planned. Phases do not overlap.
struct PhaseRange {
  std::string name;  // "registration", "warm_up", "measured"
  std::uint64_t from = 0;
  std::uint64_t until = 0;

  bool contains(std::uint64_t request) const { return request >= from && request < until; }
};

struct RequestCounts {
  std::uint64_t intended = 0;  // By the phase's range, not by the records: a lost record shows.
  std::uint64_t answered = 0;  // Sum of answered_by_status.
  std::map<std::uint16_t, std::uint64_t> answered_by_status;
  std::uint64_t failed = 0;
  std::uint64_t unanswered = 0;
};

// Attempts of the shop to publish, by how they ended.
struct EventCounts {
  std::uint64_t attempts = 0;
  std::uint64_t acked = 0;
  std::uint64_t rejected = 0;
  std::uint64_t timed_out = 0;
  std::uint64_t lost = 0;
  std::uint64_t queue_full = 0;
};

struct AuditCounts {
  std::uint64_t seen_once = 0;      // Acked events, and the next two.
  std::uint64_t duplicated = 0;     // Seen more than once.
  std::uint64_t missing = 0;        // Never seen.
  std::uint64_t extra_copies = 0;   // Reads of an event of any outcome beyond its first.
  std::uint64_t unacked_seen = 0;   // Events that timed out or were lost, and are there. No error.
  std::uint64_t rejected_seen = 0;  // Events that were rejected or refused, and are there.
  std::uint64_t unknown_seen = 0;   // Reads, each copy, that no attempt explains.
  std::uint64_t reordered =
      0;  // First copies that stand behind a later-published event of their key.
  std::uint64_t misplaced = 0;  // Reads whose topic, partition or key is not that of the attempt.
  std::uint64_t read = 0;       // All reads of the phase.
};

struct PhaseLedger {
  PhaseRange range;
  RequestCounts requests;
  EventCounts events;
  AuditCounts audit;
};

enum class Anomaly : std::uint8_t {
  missing,
  duplicated,
  unacked_seen,
  rejected_seen,
  unknown_seen,
  reordered,
  misplaced,
  repeated_attempt,  // Two attempts for one request: the shop's mistake; sums then break.
};
std::string_view name_of(Anomaly anomaly);

// One offender, for people: `trace_id` finds it in any tool that knows trace context.
struct Example {
  Anomaly anomaly;
  std::uint64_t trial;
  std::uint64_t request;
  std::uint8_t topic;
  std::int16_t partition;        // -1: not known.
  std::string trace_id() const;  // 32 hexadecimal digits
};

struct Ledger {
  std::vector<PhaseLedger> phases;  // As given, then "outside": this trial's, in no phase's range.
  std::uint64_t records_read = 0;
  std::uint64_t foreign_reads = 0;     // Of another trial, or without a stamp.
  std::uint64_t foreign_attempts = 0;  // Of another trial, or numbered by the shop itself.
  std::vector<Example> examples;

  const PhaseLedger* find(std::string_view phase) const;  // Null when there is none.
};

// A sum that must hold, or the trial is void.
struct Sum {
  std::string phase;  // Empty: of the whole trial.
  std::string name;   // "acked = seen once + duplicated + missing"
  std::uint64_t left = 0;
  std::uint64_t right = 0;
  bool holds() const { return left == right; }
};

// `examples_max`: how many offenders of each kind are named.
Ledger make_ledger(std::uint64_t trial, std::span<const PhaseRange> phases,
                   std::span<const RequestRecord> requests, std::span<const AttemptRecord> attempts,
                   std::span<const ReadRecord> reads, std::size_t examples_max = 5);

std::vector<Sum> conservation(const Ledger& ledger);

}  // namespace flow::streaming::audit

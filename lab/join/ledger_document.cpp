// SPDX-License-Identifier: Apache-2.0
#include "lab/join/ledger_document.hpp"

#include <vector>

#include "streaming/audit/ledger.hpp"

namespace flow::lab {
namespace {

using base::json::array;
using base::json::object;
using streaming::audit::AuditCounts;
using streaming::audit::EventCounts;
using streaming::audit::PhaseLedger;
using streaming::audit::RequestCounts;

object describe(const RequestCounts& requests) {
  object by_status;
  for (const auto& [status, count] : requests.answered_by_status) {
    by_status[std::to_string(status)] = count;
  }
  return {{"intended", requests.intended},
          {"answered", requests.answered},
          {"answered_by_status", std::move(by_status)},
          {"failed", requests.failed},
          {"unanswered", requests.unanswered}};
}

object describe(const EventCounts& events) {
  return {{"attempts", events.attempts}, {"acked", events.acked},
          {"rejected", events.rejected}, {"timed_out", events.timed_out},
          {"lost", events.lost},         {"queue_full", events.queue_full}};
}

object describe(const AuditCounts& audit) {
  return {{"seen_once", audit.seen_once},       {"duplicated", audit.duplicated},
          {"missing", audit.missing},           {"extra_copies", audit.extra_copies},
          {"unacked_seen", audit.unacked_seen}, {"rejected_seen", audit.rejected_seen},
          {"unknown_seen", audit.unknown_seen}, {"reordered", audit.reordered},
          {"misplaced", audit.misplaced},       {"read", audit.read}};
}

object describe(const PhaseLedger& phase, bool is_audited) {
  object document{{"from_request", phase.range.from},
                  {"until_request", phase.range.until},
                  {"requests", describe(phase.requests)},
                  {"events", describe(phase.events)}};
  if (is_audited) document["audit"] = describe(phase.audit);
  return document;
}

// A sum of what was read back, which is nothing where nobody read.
bool is_of_reads(const streaming::audit::Sum& sum) {
  return sum.name.find("read") != std::string::npos || sum.name.find("seen") != std::string::npos;
}

array examples_of(const streaming::audit::Ledger& ledger) {
  array examples;
  for (const auto& example : ledger.examples) {
    examples.push_back({{"what", streaming::audit::name_of(example.anomaly)},
                        {"trace_id", example.trace_id()},
                        {"request", example.request},
                        {"topic", example.topic},
                        {"partition", example.partition}});
  }
  return examples;
}

}  // namespace

LedgerDocument make_ledger_document(const TrialRecords& records, const TrialFacts& facts,
                                    std::uint64_t trial) {
  const std::vector<PhaseRange> phases{facts.phases.registration, facts.phases.warm_up,
                                       facts.phases.measured};
  const auto ledger = streaming::audit::make_ledger(trial, phases, records.requests,
                                                    records.attempts, records.reads);
  LedgerDocument document;
  std::uint64_t outside = 0;
  for (const auto& phase : ledger.phases) {
    if (phase.range.name == "outside") {
      outside = phase.events.attempts + phase.audit.read;
    } else {
      document.phases[phase.range.name] = describe(phase, facts.is_audited);
    }
  }
  document.audit = {
      {"complete", facts.audit_complete},
      {"words", facts.is_audited ? facts.audit_words
                                 : "the null broker lives in the shop: nothing can be read back"},
      {"records_read", ledger.records_read},
      {"foreign_records", ledger.foreign_reads},
      {"foreign_attempts", ledger.foreign_attempts},
      {"outside_phases", outside},
      {"examples", facts.is_audited ? examples_of(ledger) : array()}};
  for (const auto& sum : streaming::audit::conservation(ledger)) {
    if (!facts.is_audited && is_of_reads(sum)) continue;
    document.sums.push_back({{"phase", sum.phase},
                             {"name", sum.name},
                             {"left", sum.left},
                             {"right", sum.right},
                             {"holds", sum.holds()}});
    ++document.sums_checked;
    if (!sum.holds()) ++document.sums_broken;
  }
  return document;
}

}  // namespace flow::lab

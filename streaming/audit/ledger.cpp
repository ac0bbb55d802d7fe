// SPDX-License-Identifier: Apache-2.0
#include "streaming/audit/ledger.hpp"

#include <algorithm>
#include <array>
#include <numeric>
#include <tuple>
#include <unordered_map>

#include "base/check.hpp"
#include "base/stamp.hpp"

namespace flow::streaming::audit {
namespace {

constexpr std::uint32_t seen_max = 0xffffff;

// An attempt as the join needs it: sorted by request, with what the reads add.
struct Known {
  std::uint64_t request;
  std::int64_t published;
  std::uint32_t attempt;    // Index of the record.
  std::uint32_t seen : 24;  // Saturates.
  std::uint32_t end : 8;
};
static_assert(sizeof(Known) == 24);

class Join {
 public:
  Join(std::uint64_t trial, std::span<const PhaseRange> phases, std::size_t examples_max)
      : trial_(trial), examples_max_(examples_max) {
    for (const PhaseRange& range : phases) {
      ledger_.phases.push_back({range, {}, {}, {}});
      ledger_.phases.back().requests.intended = range.until - range.from;
    }
    ledger_.phases.push_back({{"outside", 0, 0}, {}, {}, {}});
  }

  void add_requests(std::span<const RequestRecord> requests);
  void add_attempts(std::span<const AttemptRecord> attempts);
  void add_reads(std::span<const ReadRecord> reads);
  void judge();
  Ledger take() { return std::move(ledger_); }

 private:
  PhaseLedger& phase_of(std::uint64_t request) {
    const auto has = [&](const PhaseLedger& phase) {
      return request >= phase.range.from && request < phase.range.until;
    };
    const auto found = std::ranges::find_if(ledger_.phases, has);
    return found == ledger_.phases.end() ? ledger_.phases.back() : *found;
  }
  Known* find(std::uint64_t request) {
    const auto found = std::ranges::lower_bound(known_, request, {}, &Known::request);
    return found == known_.end() || found->request != request ? nullptr : &*found;
  }
  void add_read(const ReadRecord& read, std::unordered_map<std::uint64_t, std::int64_t>& latest);
  void judge(const Known& known);
  void name(Anomaly anomaly, std::uint64_t request, std::uint8_t topic, std::int16_t partition) {
    std::size_t& named = named_[static_cast<std::size_t>(anomaly)];
    if (named >= examples_max_) return;
    ++named;
    ledger_.examples.push_back({anomaly, trial_, request, topic, partition});
  }

  std::uint64_t trial_;
  std::size_t examples_max_;
  std::array<std::size_t, 8> named_{};
  Ledger ledger_;
  std::span<const AttemptRecord> attempts_;
  std::vector<Known> known_;
};

void Join::add_requests(std::span<const RequestRecord> requests) {
  for (const RequestRecord& record : requests) {
    PhaseLedger& phase = phase_of(record.request);
    if (&phase == &ledger_.phases.back()) ++phase.requests.intended;  // No plan to hold it to.
    switch (record.end) {
      case RequestEnd::answered:
        ++phase.requests.answered;
        ++phase.requests.answered_by_status[record.status];
        break;
      case RequestEnd::failed:
        ++phase.requests.failed;
        break;
      case RequestEnd::unanswered:
        ++phase.requests.unanswered;
        break;
    }
  }
}

void Join::add_attempts(std::span<const AttemptRecord> attempts) {
  FLOW_CHECK(attempts.size() < std::uint64_t{1} << 32);
  attempts_ = attempts;
  known_.reserve(attempts.size());
  for (std::uint32_t i = 0; i < attempts.size(); ++i) {
    const AttemptRecord& record = attempts[i];
    if (record.trial != trial_) {
      ++ledger_.foreign_attempts;
      continue;
    }
    EventCounts& events = phase_of(record.request).events;
    ++events.attempts;
    switch (record.end) {
      case AttemptEnd::acked:
        ++events.acked;
        break;
      case AttemptEnd::rejected:
        ++events.rejected;
        break;
      case AttemptEnd::timed_out:
        ++events.timed_out;
        break;
      case AttemptEnd::lost:
        ++events.lost;
        break;
      case AttemptEnd::queue_full:
        ++events.queue_full;
        break;
    }
    known_.push_back(
        {record.request, record.published, i, 0, static_cast<std::uint32_t>(record.end) & 0xff});
  }
  std::ranges::sort(known_, {}, [](const Known& k) { return std::tuple(k.request, k.attempt); });
  const auto repeated = std::ranges::unique(known_, {}, &Known::request);
  for (const Known& known : repeated) {
    name(Anomaly::repeated_attempt, known.request, attempts[known.attempt].topic,
         attempts[known.attempt].partition);
  }
  known_.erase(repeated.begin(), repeated.end());
}

// In the order of each partition, because reorder is a matter of positions and not of the moment at
// which a record was seen.
void Join::add_reads(std::span<const ReadRecord> reads) {
  FLOW_CHECK(reads.size() < std::uint64_t{1} << 32);
  ledger_.records_read = reads.size();
  std::vector<std::uint32_t> order(reads.size());
  std::iota(order.begin(), order.end(), 0U);
  const auto place = [&](std::uint32_t i) {
    const ReadRecord& r = reads[i];
    return std::tuple(r.topic, r.partition, r.ledger, r.entry, r.index);
  };
  std::ranges::sort(order, {}, place);
  std::unordered_map<std::uint64_t, std::int64_t> latest;  // Of the partition: key -> published.
  for (std::size_t i = 0; i < order.size(); ++i) {
    const ReadRecord& read = reads[order[i]];
    if (i > 0) {
      const ReadRecord& before = reads[order[i - 1]];
      if (std::tie(before.topic, before.partition) != std::tie(read.topic, read.partition)) {
        latest.clear();
      }
    }
    add_read(read, latest);
  }
}

void Join::add_read(const ReadRecord& read,
                    std::unordered_map<std::uint64_t, std::int64_t>& latest) {
  if (read.trial != trial_) {
    ++ledger_.foreign_reads;
    return;
  }
  AuditCounts& audit = phase_of(read.request).audit;
  ++audit.read;
  Known* known = find(read.request);
  if (!known) {
    ++audit.unknown_seen;
    name(Anomaly::unknown_seen, read.request, read.topic, read.partition);
    return;
  }
  const AttemptRecord& attempt = attempts_[known->attempt];
  if (attempt.topic != read.topic || attempt.key_hash != read.key_hash ||
      (attempt.partition >= 0 && attempt.partition != read.partition)) {
    ++audit.misplaced;
    name(Anomaly::misplaced, read.request, read.topic, read.partition);
  }
  if (known->seen > 0) {
    ++audit.extra_copies;
  } else {
    std::int64_t& newest = latest.try_emplace(read.key_hash, known->published).first->second;
    if (known->published < newest) {
      ++audit.reordered;
      name(Anomaly::reordered, read.request, read.topic, read.partition);
    }
    newest = std::max(newest, known->published);
  }
  if (known->seen < seen_max) known->seen = (known->seen + 1) & seen_max;
}

void Join::judge() {
  for (const Known& known : known_) judge(known);
}

void Join::judge(const Known& known) {
  AuditCounts& audit = phase_of(known.request).audit;
  const AttemptRecord& attempt = attempts_[known.attempt];
  const auto count = [&](std::uint64_t& counter, Anomaly anomaly) {
    ++counter;
    name(anomaly, known.request, attempt.topic, attempt.partition);
  };
  switch (attempt.end) {
    case AttemptEnd::acked:
      if (known.seen == 0) return count(audit.missing, Anomaly::missing);
      if (known.seen > 1) return count(audit.duplicated, Anomaly::duplicated);
      ++audit.seen_once;
      return;
    case AttemptEnd::timed_out:
    case AttemptEnd::lost:
      if (known.seen > 0) count(audit.unacked_seen, Anomaly::unacked_seen);
      return;
    case AttemptEnd::rejected:
    case AttemptEnd::queue_full:
      if (known.seen > 0) count(audit.rejected_seen, Anomaly::rejected_seen);
      return;
  }
}

void add_sums(const PhaseLedger& phase, std::vector<Sum>& sums) {
  const RequestCounts& requests = phase.requests;
  const EventCounts& events = phase.events;
  const AuditCounts& audit = phase.audit;
  const std::string& name = phase.range.name;
  sums.push_back({name, "intended = answered + failed + unanswered", requests.intended,
                  requests.answered + requests.failed + requests.unanswered});
  sums.push_back(
      {name, "attempts = queue full + acked + rejected + timed out + lost", events.attempts,
       events.queue_full + events.acked + events.rejected + events.timed_out + events.lost});
  sums.push_back({name, "acked = seen once + duplicated + missing", events.acked,
                  audit.seen_once + audit.duplicated + audit.missing});
  sums.push_back({name,
                  "read = seen once + duplicated + extra copies + unacked seen + rejected seen + "
                  "unknown seen",
                  audit.read,
                  audit.seen_once + audit.duplicated + audit.extra_copies + audit.unacked_seen +
                      audit.rejected_seen + audit.unknown_seen});
}

}  // namespace

std::string_view name_of(Anomaly anomaly) {
  switch (anomaly) {
    case Anomaly::missing:
      return "missing";
    case Anomaly::duplicated:
      return "duplicated";
    case Anomaly::unacked_seen:
      return "unacked_seen";
    case Anomaly::rejected_seen:
      return "rejected_seen";
    case Anomaly::unknown_seen:
      return "unknown_seen";
    case Anomaly::reordered:
      return "reordered";
    case Anomaly::misplaced:
      return "misplaced";
    case Anomaly::repeated_attempt:
      return "repeated_attempt";
  }
  return "?";
}

std::string Example::trace_id() const { return base::format_trace_id(trial, request); }

const PhaseLedger* Ledger::find(std::string_view phase) const {
  const auto found = std::ranges::find_if(
      phases, [&](const PhaseLedger& ledger) { return ledger.range.name == phase; });
  return found == phases.end() ? nullptr : &*found;
}

Ledger make_ledger(std::uint64_t trial, std::span<const PhaseRange> phases,
                   std::span<const RequestRecord> requests, std::span<const AttemptRecord> attempts,
                   std::span<const ReadRecord> reads, std::size_t examples_max) {
  Join join(trial, phases, examples_max);
  join.add_requests(requests);
  join.add_attempts(attempts);
  join.add_reads(reads);
  join.judge();
  return join.take();
}

std::vector<Sum> conservation(const Ledger& ledger) {
  std::vector<Sum> sums;
  std::uint64_t read = ledger.foreign_reads;
  for (const PhaseLedger& phase : ledger.phases) {
    add_sums(phase, sums);
    read += phase.audit.read;
  }
  sums.push_back({"", "records read = read in each phase + foreign", ledger.records_read, read});
  return sums;
}

}  // namespace flow::streaming::audit

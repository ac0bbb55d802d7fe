// SPDX-License-Identifier: Apache-2.0
#include "lab/join/freshness.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <queue>
#include <unordered_map>

namespace flow::lab {
namespace {

using streaming::audit::AttemptEnd;
using streaming::audit::QueryRecord;
using streaming::audit::ReadRecord;
using streaming::audit::RequestEnd;
using streaming::audit::RowRecord;

constexpr std::int64_t second_ns = 1'000'000'000;
constexpr std::size_t seconds_after_burst = 3;

// Rows of the measured phase of this trial; of several copies the first.
template <class Visit>
void for_each_measured_row(const TrialRecords& records, const PhaseRange& measured,
                           std::uint64_t trial, Visit visit) {
  std::unordered_map<std::uint64_t, bool> visited;
  for (const RowRecord& row : records.rows) {
    if (row.trial != trial || !measured.contains(row.request)) continue;
    if (!visited.emplace(row.request, true).second) continue;
    visit(row);
  }
}

// When each event could first be queried.
std::unordered_map<std::uint64_t, std::int64_t> first_ingested(const TrialRecords& records,
                                                               std::uint64_t trial) {
  std::unordered_map<std::uint64_t, std::int64_t> first;
  for (const RowRecord& row : records.rows) {
    if (row.trial != trial) continue;
    const auto [at, is_new] = first.emplace(row.request, row.ingested);
    if (!is_new) at->second = std::min(at->second, row.ingested);
  }
  return first;
}

// An event as the tables should hold it. `ingested` at the far end: it is in none.
struct Life {
  std::int64_t intended;
  std::int64_t ingested;
};

std::vector<Life> lives_of(const TrialRecords& records, std::uint64_t trial) {
  const auto ingested = first_ingested(records, trial);
  std::vector<Life> lives;
  for (const auto& attempt : records.attempts) {
    if (attempt.trial != trial || attempt.end != AttemptEnd::acked || attempt.intended == 0) {
      continue;
    }
    const auto at = ingested.find(attempt.request);
    lives.push_back({attempt.intended,
                     at == ingested.end() ? std::numeric_limits<std::int64_t>::max() : at->second});
  }
  std::ranges::sort(lives, {}, &Life::intended);
  return lives;
}

// For each moment, which must be sorted: age of the oldest event that was intended by then and is
// not ingested yet.
std::vector<std::int64_t> staleness_at(const std::vector<Life>& lives,
                                       std::span<const std::int64_t> moments) {
  const auto is_later = [](const Life* a, const Life* b) { return a->intended > b->intended; };
  std::priority_queue<const Life*, std::vector<const Life*>, decltype(is_later)> waiting(is_later);
  std::vector<std::int64_t> ages;
  auto next = lives.begin();
  for (const std::int64_t now : moments) {
    for (; next != lives.end() && next->intended <= now; ++next) waiting.push(&*next);
    while (!waiting.empty() && waiting.top()->ingested <= now) waiting.pop();
    ages.push_back(waiting.empty() ? 0 : now - waiting.top()->intended);
  }
  return ages;
}

}  // namespace

Quantiles quantiles_of(std::vector<std::int64_t> values) {
  if (values.empty()) return {};
  std::ranges::sort(values);
  const auto at = [&](double q) { return values[measure::rank_of(q, values.size()) - 1]; };
  return {values.size(), at(0.5), at(0.9), at(0.99), values.back()};
}

std::array<TableCounts, topic_count> count_rows(const TrialRecords& records,
                                                const PhaseRange& measured, std::uint64_t trial) {
  struct Copies {
    std::uint64_t read = 0;
    std::uint64_t rows = 0;
    std::uint8_t topic = 0;
  };
  std::array<TableCounts, topic_count> counts;
  std::unordered_map<std::uint64_t, Copies> events;
  for (const ReadRecord& read : records.reads) {
    if (read.trial != trial || read.topic >= topic_count) continue;
    Copies& copies = events[read.request];
    ++copies.read;
    copies.topic = read.topic;
    ++counts[read.topic].events_seen;
  }
  for (const RowRecord& row : records.rows) {
    if (row.topic >= topic_count) continue;
    TableCounts& table = counts[row.topic];
    if (row.trial == 0) ++table.without_stamp;
    if (row.trial != trial) continue;
    ++table.rows;
    if (measured.contains(row.request) && row.ingested - row.intended > late_after_ns) ++table.late;
    Copies& copies = events[row.request];
    ++copies.rows;
    if (copies.read == 0) copies.topic = row.topic;
  }
  for (const auto& [request, copies] : events) {
    TableCounts& table = counts[copies.topic];
    if (copies.read == 0) {
      table.unknown += copies.rows;
    } else if (copies.rows > copies.read) {
      table.doubled += copies.rows - copies.read;
    } else {
      table.missing += copies.read - copies.rows;
    }
  }
  return counts;
}

std::string_view name_of(SecondClass kind) {
  static constexpr std::array<std::string_view, 3> names = {"calm", "burst", "after_burst"};
  return names[static_cast<std::size_t>(kind)];
}

std::vector<SecondClass> classify_seconds(std::span<const std::uint64_t> requests) {
  std::vector<SecondClass> kinds(requests.size(), SecondClass::calm);
  const auto total = std::accumulate(requests.begin(), requests.end(), 0.0);
  const double limit = 2 * total / static_cast<double>(std::max<std::size_t>(1, requests.size()));
  std::size_t since_burst = seconds_after_burst;
  for (std::size_t second = 0; second < requests.size(); ++second) {
    if (static_cast<double>(requests[second]) > limit) {
      kinds[second] = SecondClass::burst;
      since_burst = 0;
    } else if (since_burst < seconds_after_burst) {
      kinds[second] = SecondClass::after_burst;
      ++since_burst;
    }
  }
  return kinds;
}

FreshnessClasses classify_freshness(const TrialRecords& records, const PhaseRange& measured,
                                    std::uint64_t trial, base::UnixNanos from,
                                    std::span<const SecondClass> seconds,
                                    std::span<const SegmentCommit> commits) {
  FreshnessClasses classes;
  for (const SecondClass kind : seconds) ++classes.seconds[static_cast<std::size_t>(kind)];
  std::array<std::vector<std::int64_t>, 3> values;
  std::vector<std::int64_t> near;
  const auto is_near_commit = [&](const RowRecord& row) {
    return std::ranges::any_of(commits, [&](const SegmentCommit& commit) {
      return commit.topic == row.topic && std::abs(row.intended - commit.unix_ns) <= second_ns;
    });
  };
  for_each_measured_row(records, measured, trial, [&](const RowRecord& row) {
    const std::int64_t fresh = row.ingested - row.intended;
    const std::int64_t since = row.intended - base::count(from);
    const auto second = static_cast<std::size_t>(std::max<std::int64_t>(0, since) / second_ns);
    if (since >= 0 && second < seconds.size()) {
      values[static_cast<std::size_t>(seconds[second])].push_back(fresh);
    }
    if (is_near_commit(row)) near.push_back(fresh);
  });
  for (std::size_t kind = 0; kind < values.size(); ++kind) {
    classes.by_class[kind] = quantiles_of(std::move(values[kind]));
  }
  classes.near_commits = quantiles_of(std::move(near));
  return classes;
}

FreshnessShares share_freshness(const TrialRecords& records, const PhaseRange& measured,
                                std::uint64_t trial) {
  std::unordered_map<std::uint64_t, std::int64_t> seen;
  for (const ReadRecord& read : records.reads) {
    if (read.trial == trial && measured.contains(read.request))
      seen.emplace(read.request, read.seen);
  }
  std::vector<std::int64_t> broker, ingestion;
  for_each_measured_row(records, measured, trial, [&](const RowRecord& row) {
    const auto at = seen.find(row.request);
    if (at == seen.end()) return;
    broker.push_back(at->second - row.intended);
    ingestion.push_back(row.ingested - at->second);
  });
  return {quantiles_of(std::move(broker)), quantiles_of(std::move(ingestion))};
}

ProbeSummary summarise_probes(const TrialRecords& records, std::uint64_t trial) {
  const auto ingested = first_ingested(records, trial);
  ProbeSummary summary;
  std::vector<std::int64_t> resolution, minus_row;
  for (const auto& probe : records.probes) {
    ++summary.events;
    summary.queries += probe.queries;
    if (probe.asked == 0) continue;
    ++summary.found;
    resolution.push_back(probe.answered - std::max(probe.absent, probe.intended));
    if (const auto at = ingested.find(probe.request); at != ingested.end()) {
      minus_row.push_back(probe.answered - at->second);
    }
  }
  summary.resolution = quantiles_of(std::move(resolution));
  summary.minus_row = quantiles_of(std::move(minus_row));
  return summary;
}

std::vector<QuerySummary> summarise_queries(const TrialRecords& records, std::uint64_t trial,
                                            std::size_t queries) {
  std::vector<QueryRecord> by_sent = records.queries;
  std::ranges::sort(by_sent, {}, &QueryRecord::sent);
  std::vector<std::int64_t> moments;
  for (const QueryRecord& query : by_sent) moments.push_back(query.sent);
  const auto ages = staleness_at(lives_of(records, trial), moments);
  std::vector<QuerySummary> summaries(queries);
  std::vector<std::vector<std::int64_t>> staleness(queries);
  for (std::size_t i = 0; i < by_sent.size(); ++i) {
    const QueryRecord& query = by_sent[i];
    if (query.query >= queries) continue;
    QuerySummary& summary = summaries[query.query];
    if (query.sent != 0) ++summary.sent;
    if (query.end == RequestEnd::answered) {
      ++summary.answered;
      summary.response.values.record(base::Nanos{query.answered - query.intended});
      staleness[query.query].push_back(ages[i]);
    } else {
      ++summary.failed;
      ++summary.response.censored;
    }
  }
  for (std::size_t i = 0; i < queries; ++i) {
    summaries[i].staleness = quantiles_of(std::move(staleness[i]));
  }
  return summaries;
}

Quantiles pinot_metric(const TrialRecords& records) {
  std::vector<std::int64_t> ages;
  for (const QueryRecord& query : records.queries) {
    if (query.end != RequestEnd::answered || query.fresh_ms <= 0) continue;
    ages.push_back(query.answered - query.fresh_ms * 1'000'000);
  }
  return quantiles_of(std::move(ages));
}

}  // namespace flow::lab

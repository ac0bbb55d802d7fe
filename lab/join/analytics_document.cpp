// SPDX-License-Identifier: Apache-2.0
#include "lab/join/analytics_document.hpp"

#include <array>
#include <string_view>

#include <fmt/format.h>

#include "lab/join/freshness.hpp"

namespace flow::lab {
namespace {

using base::json::array;
using base::json::object;
using base::json::value;

constexpr std::array<std::string_view, topic_count> topics = {"users", "products", "orders"};

object describe(const Quantiles& quantiles) {
  if (quantiles.count == 0) {
    return {{"p50_ns", nullptr}, {"p90_ns", nullptr}, {"p99_ns", nullptr}, {"max_ns", nullptr}};
  }
  return {{"p50_ns", quantiles.p50},
          {"p90_ns", quantiles.p90},
          {"p99_ns", quantiles.p99},
          {"max_ns", quantiles.max}};
}

object describe_briefly(const Quantiles& quantiles) {
  object brief = describe(quantiles);
  brief.erase("p90_ns");
  return brief;
}

void append(object& to, object from) {
  for (auto& [key, member] : from) to[key] = std::move(member);
}

array tables_of(const TrialRecords& records, const TrialFacts& trial_facts, std::uint64_t trial) {
  const AnalyticsFacts& facts = *trial_facts.analytics;
  const auto counts = count_rows(records, trial_facts.phases.measured, trial);
  array rows;
  for (std::size_t topic = 0; topic < topic_count; ++topic) {
    const TableCounts& count = counts[topic];
    const auto commits = std::ranges::count(facts.commits, topic, &SegmentCommit::topic);
    rows.push_back({{"table", facts.tables[topic]},
                    {"topic", topics[topic]},
                    {"rows", count.rows},
                    {"events_seen", count.events_seen},
                    {"missing", count.missing},
                    {"doubled", count.doubled},
                    {"unknown", count.unknown},
                    {"late", count.late},
                    {"without_stamp", count.without_stamp},
                    {"commits", commits}});
  }
  return rows;
}

array classes_of(const TrialRecords& records, const TrialFacts& facts, const HopSummary& hops,
                 std::uint64_t trial) {
  std::vector<std::uint64_t> requests;
  for (const auto& second : hops.seconds) requests.push_back(second.intended);
  const auto kinds = classify_seconds(requests);
  const auto classes = classify_freshness(records, facts.phases.measured, trial,
                                          facts.measured_from, kinds, facts.analytics->commits);
  static constexpr std::array<std::pair<SecondClass, std::string_view>, 3> words = {{
      {SecondClass::burst, "seconds with more than twice the mean number of requests"},
      {SecondClass::after_burst, "the three seconds behind a burst"},
      {SecondClass::calm, "all other seconds"},
  }};
  array rows;
  for (const auto& [kind, text] : words) {
    const auto index = static_cast<std::size_t>(kind);
    object row{{"name", name_of(kind)},
               {"words", text},
               {"seconds", classes.seconds[index]},
               {"rows", classes.by_class[index].count}};
    append(row, describe(classes.by_class[index]));
    rows.push_back(std::move(row));
  }
  object near{{"name", "commit"},
              {"words", "rows intended within 1 s of a segment commit of their table"},
              {"seconds", facts.analytics->commits.size()},
              {"rows", classes.near_commits.count}};
  append(near, describe(classes.near_commits));
  rows.push_back(std::move(near));
  return rows;
}

object shares_of(const TrialRecords& records, const TrialFacts& facts, std::uint64_t trial) {
  const auto shares = share_freshness(records, facts.phases.measured, trial);
  return {
      {"words",
       "Of the same events: until the auditor saw the event (generator, shop, broker), and from "
       "there until Pinot had taken its row. Negative: Pinot was first. Pinot's ingestion code "
       "differs by platform, so only the first part compares the brokers."},
      {"broker", describe(shares.broker)},
      {"ingestion", describe(shares.ingestion)}};
}

object probe_of(const TrialRecords& records, const TrialFacts& facts, std::uint64_t trial) {
  const auto probes = summarise_probes(records, trial);
  const auto& analytics = *facts.analytics;
  const auto share = probe_cpu_share(records, facts);
  return {
      {"words",
       "A seeded sample of events, each asked for by SQL until an answer held it: what a person "
       "at a dashboard sees, the query's own time included."},
      {"events", probes.events},
      {"found", probes.found},
      {"not_found", probes.events - probes.found},
      {"queries", probes.queries},
      {"queries_per_second_max", analytics.probe_queries_per_second},
      {"resolution_p50_ns", probes.found == 0 ? value(nullptr) : value(probes.resolution.p50)},
      {"resolution_max_ns", probes.found == 0 ? value(nullptr) : value(probes.resolution.max)},
      {"minus_row", describe_briefly(probes.minus_row)},
      {"cpu_seconds_per_query", analytics.probe_cpu_seconds_per_query
                                    ? value(*analytics.probe_cpu_seconds_per_query)
                                    : value(nullptr)},
      {"cpu_share", share ? value(*share) : value(nullptr)},
      {"cpu_share_limit", probe_cpu_share_limit}};
}

object metric_of(const TrialRecords& records) {
  const Quantiles metric = pinot_metric(records);
  object described{{"words",
                    "Pinot's minConsumingFreshnessTimeMs of every dashboard answer, as an age: the "
                    "partition that was published to longest ago decides it, so it grows where "
                    "nothing arrives."},
                   {"answers", metric.count}};
  append(described, describe_briefly(metric));
  return described;
}

array queries_of(const TrialRecords& records, const AnalyticsFacts& facts, std::uint64_t trial) {
  const auto summaries = summarise_queries(records, trial, facts.queries.size());
  array rows;
  for (std::size_t i = 0; i < summaries.size(); ++i) {
    const QuerySummary& query = summaries[i];
    object row{{"name", facts.queries[i].first},
               {"title", facts.queries[i].second},
               {"sent", query.sent},
               {"answered", query.answered},
               {"failed", query.failed}};
    const object response = describe(query.response);
    for (const auto* key : {"p50_ns", "p99_ns", "max_ns"}) row[key] = response.at(key);
    const bool is_known = query.staleness.count > 0;
    row["staleness_p50_ns"] = is_known ? value(query.staleness.p50) : value(nullptr);
    row["staleness_p99_ns"] = is_known ? value(query.staleness.p99) : value(nullptr);
    row["staleness_max_ns"] = is_known ? value(query.staleness.max) : value(nullptr);
    rows.push_back(std::move(row));
  }
  return rows;
}

array commits_of(const AnalyticsFacts& facts) {
  array rows;
  for (const auto& commit : facts.commits) {
    rows.push_back({{"table", facts.tables[commit.topic]},
                    {"partition", commit.partition},
                    {"unix_ms", commit.unix_ns / 1'000'000},
                    {"rows", commit.rows}});
  }
  return rows;
}

}  // namespace

std::optional<double> probe_cpu_share(const TrialRecords& records, const TrialFacts& facts) {
  if (!facts.analytics || !facts.analytics->probe_cpu_seconds_per_query || !facts.resources) {
    return std::nullopt;
  }
  double used = 0;
  for (const auto& role : facts.resources->roles) {
    if (role.role.starts_with("pinot-")) used += role.cpu_seconds;
  }
  if (used <= 0) return std::nullopt;
  std::uint64_t queries = 0;
  for (const auto& probe : records.probes) queries += probe.queries;
  return static_cast<double>(queries) * *facts.analytics->probe_cpu_seconds_per_query / used;
}

object make_analytics_document(const TrialRecords& records, const TrialFacts& facts,
                               const HopSummary& hops, std::uint64_t trial) {
  const AnalyticsFacts& analytics = *facts.analytics;
  return {{"complete", analytics.is_complete},
          {"words", analytics.words},
          {"pinot", analytics.pinot},
          {"resolution_ns", row_resolution_ns},
          {"tables", tables_of(records, facts, trial)},
          {"checks", analytics.checks},
          {"classes", classes_of(records, facts, hops, trial)},
          {"broker_share", shares_of(records, facts, trial)},
          {"probe", probe_of(records, facts, trial)},
          {"pinot_metric", metric_of(records)},
          {"queries_per_second", analytics.queries_per_second},
          {"queries", queries_of(records, analytics, trial)},
          {"commits", commits_of(analytics)}};
}

}  // namespace flow::lab

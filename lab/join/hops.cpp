// SPDX-License-Identifier: Apache-2.0
#include "lab/join/hops.hpp"

#include <algorithm>
#include <cmath>
#include <unordered_set>

#include "lab/join/volume_classes.hpp"
#include "measure/hdr_codec.hpp"
#include "measure/quantiles.hpp"

namespace flow::lab {
namespace {

using base::Nanos;
using base::json::array;
using base::json::object;
using base::json::value;
using streaming::audit::AttemptEnd;
using streaming::audit::AttemptRecord;
using streaming::audit::ProbeRecord;
using streaming::audit::QueryRecord;
using streaming::audit::ReadRecord;
using streaming::audit::RequestEnd;
using streaming::audit::RequestRecord;
using streaming::audit::RowRecord;

class Summary {
 public:
  Summary(const PhaseRange& measured, std::uint64_t trial, base::UnixNanos from,
          std::size_t seconds, TickTally* tally)
      : measured_(measured), trial_(trial), from_(from), tally_(tally) {
    for (const auto* name : {"response_time", "service_time", "start_error", "blocked_time",
                             "publish_latency", "publish_response", "end_to_end"}) {
      result_.hops[name];
    }
    result_.seconds.resize(seconds);
  }

  void add(const RequestRecord& record) {
    if (!measured_.contains(record.request)) return;
    SecondRow* row = row_of(record.intended);
    if (row) ++row->intended;
    if (record.sent != 0) {
      const std::int64_t blocked = record.connection_free - record.intended;
      if (blocked <= 0) {
        put("start_error", record.sent - record.intended);
      } else {
        put("blocked_time", blocked);
      }
    }
    // A refusal is often quick; it must flatter nobody.
    const bool is_success = record.end == RequestEnd::answered && record.status < 400;
    tell(ClassHop::response_time, record.intended, is_success, record.answered);
    if (is_success) {
      put("response_time", record.answered - record.intended);
      put("service_time", record.answered - record.sent);
      if (row) row->response.values.push_back(record.answered - record.intended);
    } else {
      ++result_.hops["response_time"].censored;
      ++result_.hops["service_time"].censored;
      if (row) ++row->response.censored;
    }
  }

  void add(const AttemptRecord& record) {
    if (record.trial != trial_ || !measured_.contains(record.request)) return;
    SecondRow* row = row_of(record.intended);
    const bool is_acked = record.end == AttemptEnd::acked;
    tell(ClassHop::publish_response, record.intended, is_acked, record.decided);
    if (is_acked) {
      put("publish_latency", record.decided - record.published);
      put("publish_response", record.decided - record.intended);
      if (row) {
        ++row->events_acked;
        row->publish_response.values.push_back(record.decided - record.intended);
      }
    } else {
      ++result_.hops["publish_latency"].censored;
      ++result_.hops["publish_response"].censored;
      if (row) ++row->publish_response.censored;
    }
  }

  void add(const ReadRecord& record) {
    if (record.trial != trial_ || !measured_.contains(record.request)) return;
    if (!seen_.insert(record.request).second) return;  // A duplicate: the ledger counts it.
    put("end_to_end", record.seen - record.intended);
    if (SecondRow* row = row_of(record.intended)) {
      row->end_to_end.values.push_back(record.seen - record.intended);
    }
  }

  // An acked event that nobody saw took longer than every one that was seen.
  void censor_unseen(const AttemptRecord& record) {
    if (!is_acked_and_absent(record, seen_)) return;
    ++result_.hops["end_to_end"].censored;
    if (SecondRow* row = row_of(record.intended)) ++row->end_to_end.censored;
  }

  // So that a hop without a value is there and says so.
  void expect_analytics() {
    for (const auto* name : {"queryable", "query", "probe"}) result_.hops[name];
  }

  void add(const RowRecord& record) {
    if (record.trial != trial_ || !measured_.contains(record.request)) return;
    if (!queryable_.insert(record.request).second) return;  // A duplicate: counted elsewhere.
    put("queryable", record.ingested - record.intended);
    tell(ClassHop::queryable, record.intended, true, record.ingested);
    if (SecondRow* row = row_of(record.intended)) {
      row->queryable.values.push_back(record.ingested - record.intended);
    }
  }

  void censor_unqueryable(const AttemptRecord& record) {
    if (!is_acked_and_absent(record, queryable_)) return;
    ++result_.hops["queryable"].censored;
    tell(ClassHop::queryable, record.intended, false, 0);
    if (SecondRow* row = row_of(record.intended)) ++row->queryable.censored;
  }

  void add(const ProbeRecord& record) {
    if (record.asked == 0) {
      ++result_.hops["probe"].censored;
    } else {
      put("probe", record.answered - record.intended);
    }
  }

  void add(const QueryRecord& record) {
    SecondRow* row = row_of(record.intended);
    if (record.end != RequestEnd::answered) {
      ++result_.hops["query"].censored;
      if (row) ++row->query.censored;
      return;
    }
    put("query", record.answered - record.intended);
    if (row) row->query.values.push_back(record.answered - record.intended);
  }

  HopSummary take() { return std::move(result_); }

 private:
  bool is_acked_and_absent(const AttemptRecord& record,
                           const std::unordered_set<std::uint64_t>& present) const {
    return record.trial == trial_ && measured_.contains(record.request) &&
           record.end == AttemptEnd::acked && !present.contains(record.request);
  }

  void tell(ClassHop hop, std::int64_t intended, bool has_ended, std::int64_t end) {
    if (tally_ == nullptr) return;
    tally_->add(hop, intended, has_ended ? std::optional(Nanos{end - intended}) : std::nullopt);
  }

  void put(const char* hop, std::int64_t nanos) { result_.hops[hop].values.record(Nanos{nanos}); }

  SecondRow* row_of(std::int64_t intended) {
    const std::int64_t since = intended - base::count(from_);
    if (since < 0) return nullptr;
    const auto second = static_cast<std::size_t>(since / 1'000'000'000);
    return second < result_.seconds.size() ? &result_.seconds[second] : nullptr;
  }

  const PhaseRange& measured_;
  std::uint64_t trial_;
  base::UnixNanos from_;
  TickTally* tally_;
  HopSummary result_;
  std::unordered_set<std::uint64_t> seen_;
  std::unordered_set<std::uint64_t> queryable_;
};

value quantile_ns(const Hop& hop, double q) {
  const auto quantile = measure::quantile(hop.values, hop.censored, q);
  if (!quantile || quantile->is_beyond) return nullptr;
  return quantile->value.count();
}

// Quantiles at 1 - 10^(-x), evenly spaced in x: dense towards 1, where the tail is.
array curve_of(const Hop& hop) {
  array curve;
  const auto total = static_cast<double>(hop.values.count() + hop.censored);
  if (total == 0) return curve;
  const double x_max = std::log10(total);
  value last;
  for (double x = 0; x <= x_max + 0.05; x += 0.05) {
    const double q = 1 - std::pow(10, -x);
    value at = quantile_ns(hop, q);
    if (at.is_null()) break;
    curve.push_back(array{q, std::move(at)});
  }
  return curve;
}

}  // namespace

HopSummary summarise_hops(const TrialRecords& records, const PhaseRange& measured,
                          std::uint64_t trial, base::UnixNanos measured_from, std::size_t seconds,
                          TickTally* tally) {
  Summary summary(measured, trial, measured_from, seconds, tally);
  for (const auto& record : records.requests) summary.add(record);
  for (const auto& record : records.attempts) summary.add(record);
  for (const auto& record : records.reads) summary.add(record);
  for (const auto& record : records.attempts) summary.censor_unseen(record);
  if (records.has_analytics) {
    summary.expect_analytics();
    for (const auto& record : records.rows) summary.add(record);
    for (const auto& record : records.attempts) summary.censor_unqueryable(record);
    for (const auto& record : records.probes) summary.add(record);
    for (const auto& record : records.queries) summary.add(record);
  }
  return summary.take();
}

object describe(const Hop& hop) {
  const auto& values = hop.values;
  const bool is_empty = values.count() == 0;
  return {{"count", values.count()},
          {"overflow", values.overflow()},
          {"negative", values.negative()},
          {"censored", hop.censored},
          {"min_ns", is_empty ? value(nullptr) : value(values.min().count())},
          {"mean_ns",
           is_empty || values.overflow() > 0 ? value(nullptr) : value(values.mean().count())},
          {"p50_ns", quantile_ns(hop, 0.5)},
          {"p90_ns", quantile_ns(hop, 0.9)},
          {"p99_ns", quantile_ns(hop, 0.99)},
          {"p99_9_ns", quantile_ns(hop, 0.999)},
          {"max_ns", is_empty ? value(nullptr) : value(values.max().count())},
          {"hdr_v2", measure::encode_hdr(values)},
          {"curve", curve_of(hop)}};
}

namespace {

// The order statistic of rank ceil(q n); what has no value ranks last.
value order_statistic(const std::vector<std::int64_t>& sorted, std::uint64_t censored, double q) {
  const auto total = static_cast<double>(sorted.size() + censored);
  if (total == 0) return nullptr;
  const auto rank = static_cast<std::size_t>(std::max(std::ceil(q * total), 1.0));
  return rank <= sorted.size() ? value(sorted[rank - 1]) : value(nullptr);
}

void put_quantiles(object& row, std::string_view name, const SecondHop& hop) {
  std::vector<std::int64_t> sorted = hop.values;
  std::ranges::sort(sorted);
  row[fmt::format("{}_p50_ns", name)] = order_statistic(sorted, hop.censored, 0.5);
  row[fmt::format("{}_p99_ns", name)] = order_statistic(sorted, hop.censored, 0.99);
  row[fmt::format("{}_max_ns", name)] = sorted.empty() ? value(nullptr) : value(sorted.back());
}

}  // namespace

array describe(std::span<const SecondRow> seconds, bool has_analytics) {
  array rows;
  for (std::size_t second = 0; second < seconds.size(); ++second) {
    const SecondRow& from = seconds[second];
    object row{{"second", second}, {"intended", from.intended}};
    put_quantiles(row, "response", from.response);
    row["events_acked"] = from.events_acked;
    put_quantiles(row, "publish_response", from.publish_response);
    put_quantiles(row, "end_to_end", from.end_to_end);
    if (has_analytics) {
      put_quantiles(row, "queryable", from.queryable);
      put_quantiles(row, "query", from.query);
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace flow::lab

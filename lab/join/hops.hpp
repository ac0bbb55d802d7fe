// From the records of a trial to what its result says about each hop: quantiles, curve, encoded
// histogram, and rows per intended second. Only the measured phase enters.
// Thread: any; pure.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/json.hpp"
#include "measure/histogram.hpp"
#include "streaming/audit/ledger.hpp"
#include "streaming/audit/records.hpp"

namespace flow::lab {

using streaming::audit::PhaseRange;

// One hop: its values, and how many ended without one (they rank above every value).
struct Hop {
  measure::Histogram values;
  std::uint64_t censored = 0;
};

// The same of one second, whose few values are kept as they are: a histogram for each hop and
// second would take more than a megabyte per second.
struct SecondHop {
  std::vector<std::int64_t> values;  // Nanoseconds, in no order.
  std::uint64_t censored = 0;
};

struct SecondRow {
  std::uint64_t intended = 0;
  std::uint64_t events_acked = 0;
  SecondHop response;
  SecondHop publish_response;
  SecondHop end_to_end;
  SecondHop queryable;  // Trials with analytics, as is the next.
  SecondHop query;
};

struct HopSummary {
  std::map<std::string, Hop> hops;  // By the names of docs/reference/result-format.md.
  std::vector<SecondRow> seconds;   // By intended second since measured_from.
};

struct TrialRecords {
  std::vector<streaming::audit::RequestRecord> requests;
  std::vector<streaming::audit::AttemptRecord> attempts;
  std::vector<streaming::audit::ReadRecord> reads;
  bool has_analytics = false;  // The next three are of such a trial.
  std::vector<streaming::audit::RowRecord> rows;
  std::vector<streaming::audit::ProbeRecord> probes;
  std::vector<streaming::audit::QueryRecord> queries;
};

class TickTally;  // lab/join/volume_classes.hpp

// `seconds`: length of the schedule. `trial`: other trials' events are left out. `tally`, where
// given, is told each value too.
HopSummary summarise_hops(const TrialRecords& records, const PhaseRange& measured,
                          std::uint64_t trial, base::UnixNanos measured_from, std::size_t seconds,
                          TickTally* tally = nullptr);

base::json::object describe(const Hop& hop);
base::json::array describe(std::span<const SecondRow> seconds, bool has_analytics);

}  // namespace flow::lab

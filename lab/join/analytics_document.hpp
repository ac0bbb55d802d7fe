// What a trial's result says about its analytics: freshness in three ways, where the delay arose,
// the tables against the ledger and the database, the dashboard queries.
// docs/reference/result-format.md has every key; docs/concepts/freshness.md what they mean.
// Thread: any; pure.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "base/json.hpp"
#include "lab/join/hops.hpp"
#include "lab/join/trial_facts.hpp"

namespace flow::lab {

inline constexpr double probe_cpu_share_limit = 0.05;

// Of Pinot's CPU time from the warm-up to the end of the drain; nullopt where it was not measured.
std::optional<double> probe_cpu_share(const TrialRecords& records, const TrialFacts& facts);

// `facts.analytics` must be there.
base::json::object make_analytics_document(const TrialRecords& records, const TrialFacts& facts,
                                           const HopSummary& hops, std::uint64_t trial);

}  // namespace flow::lab

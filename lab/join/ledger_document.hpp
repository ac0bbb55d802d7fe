// The ledger of a trial as its result tells it: requests, events and audit by phase, and the sums
// that must hold.
// Thread: any; pure.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "base/json.hpp"
#include "lab/join/hops.hpp"
#include "lab/join/trial_facts.hpp"

namespace flow::lab {

struct LedgerDocument {
  base::json::object phases;
  base::json::object audit;
  base::json::array sums;
  std::size_t sums_checked = 0;
  std::size_t sums_broken = 0;
};

LedgerDocument make_ledger_document(const TrialRecords& records, const TrialFacts& facts,
                                    std::uint64_t trial);

}  // namespace flow::lab

// trial.json: the record files of a trial joined with what it knows about itself.
// Thread: any.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "base/json.hpp"
#include "base/result.hpp"
#include "lab/join/trial_facts.hpp"
#include "lab/trial/trial.hpp"

namespace flow::lab {

// A record file that is missing (the trial ended before it was begun) counts as empty.
base::Result<base::json::object> make_trial_document(const TrialInput& input,
                                                     const TrialFacts& facts);

// Adds the document's rows by intended second to intervals.jsonl.
base::Result<void> append_by_intended(const std::filesystem::path& folder,
                                      const base::json::object& document);

}  // namespace flow::lab

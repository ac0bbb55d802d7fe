// From the trials of an experiment to its verdicts: picks each block's values out of trial.json,
// hands them to the inference, and writes what it says as analysis.json. Reads result files only,
// so that any old result can be judged again.
// Thread: any; pure.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "base/result.hpp"
#include "lab/judge/inference.hpp"
#include "lab/judge/pilot.hpp"

namespace flow::lab {

// What one block ran of a level; null where it has no such trial.
struct BlockTrials {
  std::uint32_t block = 0;
  const base::json::value* first = nullptr;
  const base::json::value* second = nullptr;
  const base::json::value* repeat = nullptr;  // A/A: the cell of one of the two again.
};

// One level under one workload.
struct AnalysisCell {
  std::string level;
  std::string workload;
  bool like_for_like = true;
  std::vector<BlockTrials> blocks;  // Point into the result.
};

struct AnalysisInput {
  InferenceInput inference;
  std::string primary;              // "publish_response_p99"
  std::vector<AnalysisCell> cells;  // In the order of inference.levels.
  std::vector<PilotLevel> pilot;    // Of a pilot, which has no levels to compare.
};

// Of load_result()'s object. A trial that is not valid gives no value; one whose platform fell over
// gives infinity, and so does a quantile that lies beyond what was measured. Errc::config for files
// that are no result; an experiment with one platform has no levels to compare.
base::Result<AnalysisInput> analysis_input(const base::json::object& result);

// The value of "<hop>_<quantile>" in a trial.json, as above: NaN where it has none, infinity where
// the platform fell over or the quantile lies beyond what was measured.
double metric_value(const base::json::value& trial, std::string_view name);
// "p99 of publish response" for "publish_response_p99".
std::string metric_words(std::string_view name);

// {"format", "margin", "preregistered": bool, "levels": [verdict …], "sentences": […]}, "pilot" for
// one, "questions" where the file asks some, and "floor" with the trial of the null broker.
base::Result<base::json::object> analyse(const base::json::object& result);

}  // namespace flow::lab

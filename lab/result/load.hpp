// The JSON files of a result folder, read back.
// Thread: any. Errors: Errc::config for a folder that is no result, else as parse_json().
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "base/json.hpp"
#include "base/result.hpp"

namespace flow::lab {

// A file as it was written, and parsed.
struct ResultFile {
  std::string text;
  base::json::value json;
};

// experiment.json.
base::Result<ResultFile> load_experiment_document(const std::filesystem::path& folder);

// {"experiment", "trials"}; one trial's text at a time in memory. `visit` is told each trial's
// file, in order, before its value becomes part of the result.
base::Result<base::json::object> load_trial_documents(
    const std::filesystem::path& folder, base::json::value experiment,
    const std::function<void(ResultFile&)>& visit);

// {"experiment": …, "trials": […]} of a folder; trials in order, those without trial.json left out.
base::Result<base::json::object> load_result(const std::filesystem::path& folder);

// The same without what analyse() does not read, which is most of it.
base::Result<base::json::object> load_for_analysis(const std::filesystem::path& folder);

// Takes that out of a trial.
void prune_for_analysis(base::json::value& trial);

}  // namespace flow::lab

// report.html of a result folder: the page of web/ with the folder's JSON put in. Reads result
// files only, so any old result can be rendered again.
// Thread: any.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "base/json.hpp"
#include "base/result.hpp"

namespace flow::lab {

// {"experiment": …, "trials": […]} of a folder; trials in order, those without trial.json left out.
base::Result<base::json::object> load_result(const std::filesystem::path& folder);

// The same without what analyse() does not read, which is most of it.
base::Result<base::json::object> load_for_analysis(const std::filesystem::path& folder);

// Writes FOLDER/report.html and returns its path.
base::Result<std::filesystem::path> write_report(const std::filesystem::path& folder);

}  // namespace flow::lab

// report.html of a result folder: the page of web/ with the folder's JSON put in. Reads result
// files only, so any old result can be rendered again.
// Thread: any.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "base/json.hpp"
#include "base/result.hpp"

namespace flow::lab {

// Writes FOLDER/report.html and returns its path.
base::Result<std::filesystem::path> write_report(const std::filesystem::path& folder);

}  // namespace flow::lab

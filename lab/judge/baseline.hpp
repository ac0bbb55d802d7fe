// A result as one small file: what `flow diff` needs of it and no more, so that a repository can
// keep the result that a change is compared with. About 1 KB a trial; one line a trial, so that git
// shows which changed.
// Thread: any.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "base/json.hpp"
#include "base/result.hpp"

namespace flow::lab {

inline constexpr std::string_view baseline_format = "flow-baseline/1";

// Of load_result()'s object: {"format", "experiment", "trials"}, each with a part of its keys.
base::json::object make_baseline(const base::json::object& result);

std::string baseline_text(const base::json::object& baseline);

// What diff_results() takes: of a result folder as load_result() has it, of a file the baseline in
// it. Errc::config for a file that is none.
base::Result<base::json::object> load_comparable(const std::filesystem::path& path);

}  // namespace flow::lab

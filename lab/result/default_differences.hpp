// What the servers of a result were set otherwise than their vendors' defaults, for its report.
// Thread: any.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "base/json.hpp"

namespace flow::lab {

// By cell of the plan, then by role: "differs_from_default" of servers.json of the cell's first
// trial that has it; only ports and folders change between trials. What cannot be read is left out.
base::json::object differences_by_cell(const std::filesystem::path& folder,
                                       const base::json::value& experiment);

}  // namespace flow::lab

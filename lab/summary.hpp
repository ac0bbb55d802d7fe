// The table at the end of a run on the terminal: per hop and platform the quantiles, the audit, the
// gates that do not hold, and the words that must stand beside the numbers.
// Thread: any; pure.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/json.hpp"

namespace flow::lab {

// `result` as load_result() gives it.
std::string summary_text(const base::json::object& result);

}  // namespace flow::lab

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

// How a trial ended, of its trial.json: "10 of 10 gates hold; p99: response 2.10 ms, publish 8.30
// ms, end to end 9.10 ms".
std::string trial_line(const base::json::object& document);

}  // namespace flow::lab

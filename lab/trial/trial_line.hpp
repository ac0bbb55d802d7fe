// A trial in one line, as it ends.
// Thread: any; pure.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/json.hpp"

namespace flow::lab {

// How a trial ended, of its trial.json: "10 of 10 gates hold; p99: response 2.10 ms, publish 8.30
// ms, end to end 9.10 ms".
std::string trial_line(const base::json::object& document);

}  // namespace flow::lab

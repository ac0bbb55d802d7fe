// What `flow load` says about a run: tables for people, JSON for programs.
// Thread: any; pure.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/json.hpp"
#include "loadtest/generator.hpp"

namespace flow::apps {

// Quantiles, outcomes, customers of a closed mode, the generator's gates.
std::string result_text(const loadtest::LoadResult& result);

base::json::object describe(const loadtest::LoadResult& result);

}  // namespace flow::apps

// A verdict as the result tells it. Ratios are second / first platform, not their logarithms; null
// is what is unknown or has no bound, and a lower end of 0 has none either.
// Thread: any; pure.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/json.hpp"
#include "lab/judge/inference.hpp"

namespace flow::lab {

base::json::object describe(const LevelInference& level, const InferenceInput& input);

}  // namespace flow::lab

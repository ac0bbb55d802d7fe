// The sentences of a verdict: each names platform, metric, level and the end of the interval
// nearest 1, so that it can be quoted alone.
// Thread: any; pure.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "lab/judge/inference.hpp"

namespace flow::lab {

std::string words_of(const LevelInference& level);
std::string sentence_of(const LevelInference& level, const InferenceInput& input);
std::string sentence_of(const SecondaryInference& secondary, const LevelInference& level);

// How much lower the lower of two is, as a share of the higher one, rounded down so that "at least"
// stays true: "9 %", "0.4 %" below 1 %.
std::string format_share_lower(double log_ratio);
// "1.12", "12.3", "unbounded".
std::string format_ratio(double log_ratio);

}  // namespace flow::lab

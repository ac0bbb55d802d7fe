// Latency against offered rate over the blocks of a level: per class of ticks and platform the
// median over blocks, and from these how much the tail answers to the load.
// Thread: any; pure.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "lab/judge/analysis.hpp"

namespace flow::lab {

// Medians over the blocks that have a value: infinity where half of them lie beyond what was
// measured, NaN where there is none.
struct LoadQuantiles {
  std::size_t blocks = 0;  // That have a p50.
  double p50_ns = 0;
  double p99_ns = 0;
};

struct LoadClass {
  std::size_t number = 0;
  double requests_per_second = 0;  // Median over the trials: seeds differ by rounding.
  std::size_t ticks = 0;           // Of the first trial that has the class.
  LoadQuantiles first;
  LoadQuantiles second;
};

// By hop, each by ascending class. A hop that no trial measured is absent.
using LoadCurves = std::map<std::string, std::vector<LoadClass>>;

LoadCurves load_curves_of(std::span<const BlockTrials> blocks);

base::json::object describe(const LoadCurves& curves);

// d log p99 / d log rate at the mean rate, per platform.
base::json::object describe_elasticity(const LoadCurves& curves, const std::string& hop);

}  // namespace flow::lab

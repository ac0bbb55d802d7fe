// The shift function of a level: how the platforms' quantile curves differ, quantile by quantile
// over the blocks, with a band for all of them at once. A verdict on one quantile says nothing
// about the others, and where the curves cross no single number does.
// Thread: any; pure.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "lab/judge/analysis.hpp"
#include "measure/shift_function.hpp"

namespace flow::lab {

struct Shift {
  std::vector<measure::ShiftPoint> points;  // Of second / first, at measure::shift_quantiles.
  std::vector<std::size_t> blocks;          // That have a value there; one per point.
  bool crosses = false;
};

// From the hop's histograms. Trials count as in the verdict: one that is not valid has no value,
// one whose platform fell over has infinity, as has a quantile beyond what was measured. So few
// samples that they cannot tell a quantile from the maximum give it no value.
Shift shift_of(std::span<const BlockTrials> blocks, std::string_view hop);

std::string sentence_of(const Shift& shift, std::string_view first, std::string_view second);

base::json::object describe(const Shift& shift, std::string_view hop, std::string_view first,
                            std::string_view second);

}  // namespace flow::lab

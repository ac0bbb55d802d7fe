// SPDX-License-Identifier: Apache-2.0
#include "lab/trial/trial_line.hpp"

#include <cstdint>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "measure/quantiles.hpp"

namespace flow::lab {

std::string trial_line(const base::json::object& document) {
  std::size_t holds = 0;
  std::string broken;
  const auto& gates = document.at("gates").as_array();
  for (const auto& gate : gates) {
    if (gate.at("holds").as_bool()) {
      ++holds;
    } else {
      broken += fmt::format(", not {}", std::string_view(gate.at("name").as_string()));
    }
  }
  std::string words = fmt::format("{} of {} gates hold{}", holds, gates.size(), broken);
  std::string p99;
  for (const auto& [hop, name] : {std::pair{"response_time", "response"},
                                  {"publish_response", "publish"},
                                  {"end_to_end", "end to end"},
                                  {"queryable", "freshness"}}) {
    const auto* found = document.at("hops").as_object().if_contains(hop);
    const auto* value = found ? found->as_object().if_contains("p99_ns") : nullptr;
    if (!value || !value->is_number()) continue;
    p99 += fmt::format("{}{} {}", p99.empty() ? "; p99: " : ", ", name,
                       measure::format_duration(base::Nanos{value->to_number<std::int64_t>()}));
  }
  return words + p99;
}

}  // namespace flow::lab

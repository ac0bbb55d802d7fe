// SPDX-License-Identifier: Apache-2.0
#include "measure/variance_components.hpp"

#include <cmath>
#include <numeric>

#include "base/check.hpp"

namespace flow::measure {
namespace {

double mean_of(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

}  // namespace

VarianceComponents variance_components(std::span<const double> values,
                                       std::span<const std::size_t> repetitions) {
  std::size_t expected = 1;
  for (const std::size_t r : repetitions) {
    FLOW_CHECK(r >= 2);
    expected *= r;
  }
  FLOW_CHECK(!repetitions.empty() && values.size() == expected);
  VarianceComponents components;
  std::vector<double> means(values.begin(), values.end());
  for (const std::size_t r : repetitions) {
    std::vector<double> parents;
    double squares = 0;
    for (std::size_t from = 0; from < means.size(); from += r) {
      const auto children = std::span<const double>(means).subspan(from, r);
      const double parent = mean_of(children);
      for (const double child : children) squares += (child - parent) * (child - parent);
      parents.push_back(parent);
    }
    components.of_means.push_back(squares / static_cast<double>(parents.size() * (r - 1)));
    means = std::move(parents);
  }
  components.own = components.of_means;
  for (std::size_t i = 1; i < components.own.size(); ++i) {
    components.own[i] -= components.of_means[i - 1] / static_cast<double>(repetitions[i - 1]);
  }
  return components;
}

std::vector<std::optional<std::size_t>> best_repetitions(const VarianceComponents& components,
                                                         std::span<const double> costs) {
  FLOW_CHECK(costs.size() == components.own.size());
  const auto& own = components.own;
  std::vector<std::optional<std::size_t>> best;
  for (std::size_t i = 0; i + 1 < own.size(); ++i) {
    if (own[i] <= 0) {
      best.emplace_back(1);
      continue;
    }
    std::size_t outer = i + 1;
    while (outer < own.size() && own[outer] <= 0) ++outer;
    if (outer == own.size()) {
      best.emplace_back(std::nullopt);
      continue;
    }
    const double ratio = std::sqrt(costs[outer] / costs[i] * (own[i] / own[outer]));
    best.emplace_back(static_cast<std::size_t>(std::ceil(ratio)));
  }
  return best;
}

}  // namespace flow::measure

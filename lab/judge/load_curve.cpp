// SPDX-License-Identifier: Apache-2.0
#include "lab/judge/load_curve.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "lab/result/lenient_json.hpp"
#include "measure/elasticity.hpp"

namespace flow::lab {
namespace {

using base::json::array;
using base::json::object;
using base::json::value;

constexpr double infinity = std::numeric_limits<double>::infinity();

double median_of(std::vector<double> values) {
  if (values.empty()) return std::numeric_limits<double>::quiet_NaN();
  std::ranges::sort(values);
  const std::size_t middle = values.size() / 2;
  if (values.size() % 2 == 1) return values[middle];
  return (values[middle - 1] + values[middle]) / 2;
}

// Of the trials of one platform, in one class and hop.
struct Samples {
  std::vector<double> p50;
  std::vector<double> p99;

  void add(const object& hop, bool fell_over) {
    const double samples = number_in(hop, "count") + number_in(hop, "censored");
    put(p50, value_in(hop, "p50_ns"), samples >= 2 - 1e-9, fell_over);
    put(p99, value_in(hop, "p99_ns"), samples >= 100 - 1e-9, fell_over);
  }
  LoadQuantiles medians() const {
    return {.blocks = p50.size(), .p50_ns = median_of(p50), .p99_ns = median_of(p99)};
  }

 private:
  static void put(std::vector<double>& into, const value& quantile, bool is_resolved,
                  bool fell_over) {
    if (fell_over) {
      into.push_back(infinity);
    } else if (quantile.is_number()) {
      into.push_back(quantile.to_number<double>());
    } else if (is_resolved) {
      into.push_back(infinity);  // Beyond what was measured.
    }
  }
};

struct ClassSamples {
  std::vector<double> rates;
  std::size_t ticks = 0;
  std::array<Samples, 2> platforms;
};

using AllSamples = std::map<std::string, std::map<std::size_t, ClassSamples>>;

void add_trial(AllSamples& all, const value* trial, std::size_t platform) {
  if (trial == nullptr) return;
  const object& at = as_object_or_empty(*trial);
  const bool fell_over = bool_in(at, "platform_fell_over");
  if (!fell_over && !bool_in(at, "valid")) return;
  for (const auto& entry : array_in(at, "classes")) {
    const object& row = as_object_or_empty(entry);
    const auto number = static_cast<std::size_t>(number_in(row, "class"));
    for (const std::string_view hop : {"response_time", "publish_response", "queryable"}) {
      if (!row.contains(hop)) continue;
      ClassSamples& samples = all[std::string(hop)][number];
      samples.rates.push_back(number_in(row, "requests_per_second"));
      if (samples.ticks == 0) samples.ticks = static_cast<std::size_t>(number_in(row, "ticks"));
      samples.platforms.at(platform).add(object_in(row, hop), fell_over);
    }
  }
}

value finite(double number) { return std::isfinite(number) ? value(number) : value(nullptr); }

object describe(const LoadQuantiles& quantiles) {
  return {{"blocks", quantiles.blocks},
          {"p50_ns", finite(quantiles.p50_ns)},
          {"p99_ns", finite(quantiles.p99_ns)}};
}

// Of all ticks.
double mean_rate(const std::vector<LoadClass>& curve) {
  double requests = 0, ticks = 0;
  for (const LoadClass& one : curve) {
    requests += one.requests_per_second * static_cast<double>(one.ticks);
    ticks += static_cast<double>(one.ticks);
  }
  return requests / ticks;
}

value elasticity_of(const std::vector<LoadClass>& curve, LoadQuantiles LoadClass::* platform) {
  std::vector<measure::LoadPoint> points;
  for (const LoadClass& one : curve) {
    points.push_back({one.requests_per_second, (one.*platform).p99_ns});
  }
  const auto slope = measure::elasticity(points, mean_rate(curve));
  return slope ? value(*slope) : value(nullptr);
}

}  // namespace

LoadCurves load_curves_of(std::span<const BlockTrials> blocks) {
  AllSamples all;
  for (const BlockTrials& block : blocks) {
    add_trial(all, block.first, 0);
    add_trial(all, block.second, 1);
  }
  LoadCurves curves;
  for (const auto& [hop, classes] : all) {
    for (const auto& [number, samples] : classes) {
      curves[hop].push_back({.number = number,
                             .requests_per_second = median_of(samples.rates),
                             .ticks = samples.ticks,
                             .first = samples.platforms[0].medians(),
                             .second = samples.platforms[1].medians()});
    }
  }
  return curves;
}

object describe(const LoadCurves& curves) {
  object described;
  for (const auto& [hop, curve] : curves) {
    array rows;
    for (const LoadClass& one : curve) {
      rows.push_back({{"class", one.number},
                      {"requests_per_second", one.requests_per_second},
                      {"ticks", one.ticks},
                      {"first", describe(one.first)},
                      {"second", describe(one.second)}});
    }
    described[hop] = std::move(rows);
  }
  return described;
}

object describe_elasticity(const LoadCurves& curves, const std::string& hop) {
  object described{{"hop", hop},
                   {"quantile", 0.99},
                   {"at_requests_per_second", nullptr},
                   {"first", nullptr},
                   {"second", nullptr}};
  const auto curve = curves.find(hop);
  if (curve == curves.end()) return described;
  described["at_requests_per_second"] = finite(mean_rate(curve->second));
  described["first"] = elasticity_of(curve->second, &LoadClass::first);
  described["second"] = elasticity_of(curve->second, &LoadClass::second);
  return described;
}

}  // namespace flow::lab

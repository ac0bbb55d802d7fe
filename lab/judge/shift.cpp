// SPDX-License-Identifier: Apache-2.0
#include "lab/judge/shift.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>

#include "lab/result/lenient_json.hpp"
#include "measure/hdr_codec.hpp"
#include "measure/quantiles.hpp"

namespace flow::lab {
namespace {

using base::json::array;
using base::json::object;
using base::json::value;
using measure::shift_quantiles;
using measure::ShiftPoint;

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double no_value = std::numeric_limits<double>::quiet_NaN();

using Quantiles = std::array<double, shift_quantiles.size()>;

Quantiles filled(double value) {
  Quantiles quantiles;
  quantiles.fill(value);
  return quantiles;
}

Quantiles quantiles_of(const measure::Histogram& values, std::uint64_t censored) {
  Quantiles quantiles = filled(no_value);
  const auto samples = static_cast<double>(values.count() + censored);
  for (std::size_t i = 0; i < shift_quantiles.size(); ++i) {
    const double q = shift_quantiles[i];
    if (samples * (1 - q) < 1 - 1e-9) continue;
    const auto quantile = measure::quantile(values, censored, q);
    if (!quantile) continue;
    quantiles[i] = quantile->is_beyond ? infinity : static_cast<double>(quantile->value.count());
  }
  return quantiles;
}

Quantiles quantiles_of(const value* trial, std::string_view hop_name) {
  if (trial == nullptr) return filled(no_value);
  const object& at = as_object_or_empty(*trial);
  if (bool_in(at, "platform_fell_over")) return filled(infinity);
  if (!bool_in(at, "valid")) return filled(no_value);
  const value hop = value_in(object_in(at, "hops"), hop_name);
  if (!hop.is_object()) return filled(no_value);
  // A histogram that cannot be read is none: the numbers beside it stand.
  const auto values = measure::decode_hdr(text_in(hop.get_object(), "hdr_v2"));
  if (!values) return filled(no_value);
  // Overflow lies above every value, as what never ended does.
  const double above =
      number_in(hop.get_object(), "censored") + number_in(hop.get_object(), "overflow");
  return quantiles_of(*values, static_cast<std::uint64_t>(above));
}

std::optional<double> log_ratio_of(double first, double second) {
  if (!(first > 0) || !(second > 0)) return std::nullopt;
  if (std::isinf(first) && std::isinf(second)) return 0;
  return std::log(second) - std::log(first);
}

std::string name_of_quantile(double q) { return fmt::format("p{:.6g}", 100 * q); }

// "p10 to p50, p99": runs of neighbours on one side of 0.
std::string names_of(const Shift& shift, auto&& is_on_side) {
  std::string names;
  for (std::size_t i = 0; i < shift.points.size();) {
    if (!shift.points[i].band || !is_on_side(*shift.points[i].band)) {
      ++i;
      continue;
    }
    std::size_t last = i;
    while (last + 1 < shift.points.size() && shift.points[last + 1].band &&
           is_on_side(*shift.points[last + 1].band)) {
      ++last;
    }
    names += fmt::format("{}{}{}", names.empty() ? "" : ", ", name_of_quantile(shift.points[i].q),
                         last > i ? " to " + name_of_quantile(shift.points[last].q) : "");
    i = last + 1;
  }
  return names;
}

value finite_ratio(double log_ratio) {
  const double ratio = std::exp(log_ratio);
  return std::isfinite(ratio) ? value(ratio) : value(nullptr);
}

}  // namespace

Shift shift_of(std::span<const BlockTrials> blocks, std::string_view hop) {
  std::vector<measure::QuantileDifferences> differences;
  for (const double q : shift_quantiles) differences.push_back({.q = q, .log_ratios = {}});
  for (const BlockTrials& block : blocks) {
    const Quantiles first = quantiles_of(block.first, hop);
    const Quantiles second = quantiles_of(block.second, hop);
    for (std::size_t i = 0; i < first.size(); ++i) {
      const auto ratio = log_ratio_of(first[i], second[i]);
      if (ratio) differences[i].log_ratios.push_back(*ratio);
    }
  }
  Shift shift{.points = measure::shift_function(differences), .blocks = {}, .crosses = false};
  for (const auto& [q, log_ratios] : differences) shift.blocks.push_back(log_ratios.size());
  shift.crosses = measure::is_crossing(shift.points);
  return shift;
}

std::string sentence_of(const Shift& shift, std::string_view first, std::string_view second) {
  const bool has_band = std::ranges::any_of(
      shift.points, [](const ShiftPoint& point) { return point.band.has_value(); });
  if (!has_band) {
    return "Too few blocks for a band over twelve quantiles (9 are needed): the line alone proves "
           "nothing.";
  }
  const auto second_lower = names_of(shift, [](const auto& band) { return band.upper < 0; });
  const auto first_lower = names_of(shift, [](const auto& band) { return band.lower > 0; });
  if (shift.crosses) {
    return fmt::format(
        "The curves cross: {} is lower at {}, {} at {}. Never summarise this level by one number.",
        second, second_lower, first, first_lower);
  }
  if (second_lower.empty() && first_lower.empty()) return "No quantile shows a difference.";
  const bool is_second = first_lower.empty();
  return fmt::format("{} is lower at {}; no quantile shows the opposite.",
                     is_second ? second : first, is_second ? second_lower : first_lower);
}

object describe(const Shift& shift, std::string_view hop, std::string_view first,
                std::string_view second) {
  array points;
  for (std::size_t i = 0; i < shift.points.size(); ++i) {
    const ShiftPoint& point = shift.points[i];
    points.push_back({{"q", point.q},
                      {"blocks", shift.blocks[i]},
                      {"ratio", finite_ratio(point.log_ratio)},
                      {"lower", point.band ? finite_ratio(point.band->lower) : value(nullptr)},
                      {"upper", point.band ? finite_ratio(point.band->upper) : value(nullptr)},
                      {"has_band", point.band.has_value()},
                      {"p_holm", point.p_holm}});
  }
  return {{"hop", hop},
          {"confidence", 0.95},
          {"points", std::move(points)},
          {"crosses", shift.crosses},
          {"sentence", sentence_of(shift, first, second)}};
}

}  // namespace flow::lab

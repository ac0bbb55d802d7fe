// SPDX-License-Identifier: Apache-2.0
#include "measure/quantiles.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

namespace flow::measure {
namespace {

// The largest value known of a histogram of times, `highest` when it lies in the overflow.
Nanos bound_at_rank(const Histogram& times, std::uint64_t rank) {
  if (times.count() == 0) return Nanos{0};
  const Nanos value = times.value_at_rank(std::min(rank, times.count()));
  return value == Nanos::max() ? times.options().highest : value;
}

}  // namespace

std::optional<Quantile> quantile(const Histogram& answered, const Histogram& censored,
                                 std::uint64_t failed, double q) {
  const std::uint64_t requests = answered.count() + censored.count() + failed;
  if (requests == 0) return std::nullopt;
  const std::uint64_t rank = rank_of(q, requests);
  if (rank <= answered.count() - answered.overflow()) {
    return Quantile{.value = answered.value_at_rank(rank), .is_beyond = false};
  }
  Histogram known = answered;
  known.merge(censored);
  return Quantile{.value = bound_at_rank(known, rank), .is_beyond = true};
}

std::optional<Quantile> quantile(const Histogram& answered, std::uint64_t not_answered, double q) {
  const std::uint64_t requests = answered.count() + not_answered;
  if (requests == 0) return std::nullopt;
  const std::uint64_t rank = rank_of(q, requests);
  const bool is_beyond = rank > answered.count() - answered.overflow();
  return Quantile{.value = bound_at_rank(answered, rank), .is_beyond = is_beyond};
}

std::string format_duration(Nanos value) {
  struct Unit {
    double ns;
    const char* name;
  };
  static constexpr std::array units = {Unit{1e9, "s"}, Unit{1e6, "ms"}, Unit{1e3, "us"}};
  const auto ns = static_cast<double>(value.count());
  for (const Unit& unit : units) {
    const double scaled = ns / unit.ns;
    if (std::abs(scaled) < 0.9995) continue;
    const int decimals = std::abs(scaled) < 9.995 ? 2 : std::abs(scaled) < 99.95 ? 1 : 0;
    return fmt::format("{:.{}f} {}", scaled, decimals, unit.name);
  }
  return fmt::format("{} ns", value.count());
}

std::string format_quantile(const std::optional<Quantile>& quantile) {
  if (!quantile) return "-";
  return (quantile->is_beyond ? "> " : "") + format_duration(quantile->value);
}

}  // namespace flow::measure

// SPDX-License-Identifier: Apache-2.0
#include "measure/planning.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>
#include <numeric>
#include <utility>
#include <vector>

#include "base/check.hpp"
#include "base/random.hpp"
#include "measure/distributions.hpp"
#include "measure/signed_rank.hpp"

namespace flow::measure {
namespace {

constexpr std::size_t blocks_max = 10'000;
constexpr std::size_t sampled_max = 30;
constexpr std::size_t draws = 5'000;
constexpr double efficiency = 3 / std::numbers::pi;

class StandardNormal {
 public:
  explicit StandardNormal(std::uint64_t seed) : random_(seed) {}

  void fill(std::vector<double>& values) {
    for (std::size_t i = 0; i < values.size(); i += 2) {  // Box and Muller.
      const double radius = std::sqrt(2 * random_.next_exponential());
      const double angle = 2 * std::numbers::pi * random_.next_unit();
      values[i] = radius * std::cos(angle);
      if (i + 1 < values.size()) values[i + 1] = radius * std::sin(angle);
    }
  }

 private:
  base::SplitMix64 random_;
};

// `draws` times -w_(C) of k standard normal values, ascending. C at least 1.
std::vector<double> draw_needed_effects(std::size_t k, std::size_t c) {
  StandardNormal normal(k);
  std::vector<double> values(k), averages(k * (k + 1) / 2), needed(draws);
  for (double& effect : needed) {
    normal.fill(values);
    auto next = averages.begin();
    for (std::size_t i = 0; i < k; ++i) {
      for (std::size_t j = i; j < k; ++j) *next++ = (values[i] + values[j]) / 2;
    }
    const auto nth = averages.begin() + static_cast<std::ptrdiff_t>(c - 1);
    std::nth_element(averages.begin(), nth, averages.end());
    effect = -*nth;
  }
  std::ranges::sort(needed);
  return needed;
}

// A search for k asks again and again: each thread keeps the samples, 40 KB each, it has made.
const std::vector<double>& needed_effects(std::size_t k, std::size_t c) {
  constexpr std::size_t kept_max = 64;
  thread_local std::map<std::pair<std::size_t, std::size_t>, std::vector<double>> kept;
  const std::pair key(k, c);
  if (const auto found = kept.find(key); found != kept.end()) return found->second;
  if (kept.size() >= kept_max) kept.clear();
  return kept[key] = draw_needed_effects(k, c);
}

double standard_error(std::size_t k) { return 1 / std::sqrt(efficiency * static_cast<double>(k)); }

double two_sided_quantile(double alpha) { return normal_quantile(1 - alpha / 2); }

// The fewest blocks for which `is_enough`, which more blocks only make truer, begun at a guess.
std::optional<std::size_t> fewest(double guess, auto&& is_enough) {
  if (!(guess <= static_cast<double>(blocks_max))) return std::nullopt;
  auto k = std::max<std::size_t>(1, static_cast<std::size_t>(guess));
  while (k > 1 && is_enough(k - 1)) --k;
  while (k <= blocks_max && !is_enough(k)) ++k;
  return k <= blocks_max ? std::optional(k) : std::nullopt;
}

std::size_t walsh_rank_of(std::size_t k, double alpha) { return walsh_rank(k, alpha).rank; }

}  // namespace

std::size_t blocks_to_decide(std::size_t primaries, double alpha) {
  FLOW_CHECK(primaries > 0 && alpha > 0 && alpha < 1);
  const double level = alpha / static_cast<double>(primaries);
  std::size_t k = 7;
  while (std::ldexp(2.0, -static_cast<int>(k)) > level) ++k;
  return k;
}

std::optional<Resolution> resolution_of(std::size_t blocks, double alpha, double power) {
  FLOW_CHECK(alpha > 0 && alpha < 1 && power > 0 && power < 1);
  if (blocks > sampled_max) {
    const auto degrees = static_cast<double>(blocks - 1);
    const double half_width = standard_error(blocks) * student_quantile(1 - alpha / 2, degrees);
    return Resolution{
        .detectable = half_width + standard_error(blocks) * student_quantile(power, degrees),
        .half_width = half_width};
  }
  const std::size_t c = walsh_rank_of(blocks, alpha);
  if (c == 0) return std::nullopt;
  const auto& needed = needed_effects(blocks, c);
  const auto rank = static_cast<std::size_t>(power * static_cast<double>(draws));
  return Resolution{.detectable = needed[std::min(rank, draws - 1)],
                    .half_width = std::accumulate(needed.begin(), needed.end(), 0.0) /
                                  static_cast<double>(draws)};
}

double power_of(double effect_in_sd, std::size_t blocks, double alpha) {
  FLOW_CHECK(alpha > 0 && alpha < 1);
  const double effect = std::abs(effect_in_sd);
  if (blocks > sampled_max) {
    const auto degrees = static_cast<double>(blocks - 1);
    const double distance = effect / standard_error(blocks);
    const double edge = student_quantile(1 - alpha / 2, degrees);
    return student_upper_tail(edge - distance, degrees) +
           student_upper_tail(edge + distance, degrees);
  }
  const std::size_t c = walsh_rank_of(blocks, alpha);
  if (c == 0) return 0;
  const auto& needed = needed_effects(blocks, c);
  const auto below = [&](double edge) {
    return static_cast<double>(std::ranges::lower_bound(needed, edge) - needed.begin()) /
           static_cast<double>(draws);
  };
  return below(effect) + below(-effect);  // Found, and found on the wrong side.
}

std::optional<std::size_t> blocks_to_detect(double effect, double sd, double alpha, double power) {
  FLOW_CHECK(effect > 0);
  const double z = two_sided_quantile(alpha) + normal_quantile(power);
  const double guess = z * sd / effect * (z * sd / effect) / efficiency;
  return fewest(guess, [&](std::size_t k) {
    const auto resolution = resolution_of(k, alpha, power);
    return resolution && resolution->detectable * sd <= effect;
  });
}

std::optional<std::size_t> blocks_for_length(double length, double sd, double alpha) {
  FLOW_CHECK(length > 0);
  const double z = 2 * two_sided_quantile(alpha);
  const double guess = z * sd / length * (z * sd / length) / efficiency;
  return fewest(guess, [&](std::size_t k) {
    const auto resolution = resolution_of(k, alpha);
    return resolution && 2 * resolution->half_width * sd <= length;
  });
}

double sd_upper_bound(double sd, std::size_t n, double confidence) {
  FLOW_CHECK(n >= 2 && confidence > 0 && confidence < 1);
  const auto degrees = static_cast<double>(n - 1);
  return sd * std::sqrt(degrees / chi_squared_quantile(1 - confidence, degrees));
}

SpreadAboutZero spread_about_zero(std::span<const double> values) {
  FLOW_CHECK(!values.empty());
  double squares = 0;
  for (const double value : values) squares += value * value;
  const double sd = std::sqrt(squares / static_cast<double>(values.size()));
  return {sd, sd_upper_bound(sd, values.size() + 1)};
}

}  // namespace flow::measure

// SPDX-License-Identifier: Apache-2.0
#include "traffic/cascade.hpp"

#include <cmath>

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "base/random.hpp"

namespace flow::traffic {

std::vector<double> cascade(std::span<const double> profile, double total, std::uint64_t seed) {
  FLOW_CHECK(profile.size() < 31 && total >= 0);
  for (const double bias : profile) FLOW_CHECK(bias >= 0.5 && bias < 1);
  struct Part {
    std::size_t level;
    double volume;
  };
  base::SplitMix64 coin(seed);
  std::vector<Part> stack = {{0, total}};
  std::vector<double> volumes;
  volumes.reserve(std::size_t{1} << profile.size());
  while (!stack.empty()) {
    const Part part = stack.back();
    stack.pop_back();
    if (part.level == profile.size()) {
      volumes.push_back(part.volume);
      continue;
    }
    const double bias = profile[part.level];
    const bool is_left_heavy = coin.next() >> 63 != 0;
    const double left = is_left_heavy ? part.volume * bias : part.volume * (1 - bias);
    stack.push_back({part.level + 1, part.volume - left});  // Right first: it comes out last.
    stack.push_back({part.level + 1, left});
  }
  return volumes;
}

std::vector<double> cascade(double bias, int levels, double total, std::uint64_t seed) {
  FLOW_CHECK(levels >= 0);
  const std::vector<double> profile(static_cast<std::size_t>(levels), bias);
  return cascade(profile, total, seed);
}

std::vector<std::uint64_t> whole_counts(std::span<const double> volumes) {
  std::vector<std::uint64_t> counts;
  counts.reserve(volumes.size());
  double cumulative = 0;
  std::uint64_t before = 0;
  for (const double volume : volumes) {
    cumulative += volume;
    const auto until = static_cast<std::uint64_t>(std::floor(cumulative + 0.5));
    counts.push_back(until - before);
    before = until;
  }
  return counts;
}

std::uint64_t count_hash(std::span<const std::uint64_t> counts) {
  base::Fnv1a64 hash;
  for (const std::uint64_t count : counts) hash.add_le64(count);
  return hash.value();
}

}  // namespace flow::traffic

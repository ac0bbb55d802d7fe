// SPDX-License-Identifier: Apache-2.0
#include "base/random.hpp"

#include <cmath>

#include "base/check.hpp"

namespace flow::base {

double SplitMix64::next_exponential() { return -std::log1p(-next_unit()); }

std::uint64_t SplitMix64::next_below(std::uint64_t bound) {
  FLOW_CHECK(bound > 0);
  __extension__ using Wide = unsigned __int128;
  const std::uint64_t threshold = (0 - bound) % bound;
  for (;;) {
    const Wide product = Wide{next()} * bound;
    if (static_cast<std::uint64_t>(product) >= threshold) {
      return static_cast<std::uint64_t>(product >> 64);
    }
  }
}

std::uint64_t derive_seed(std::uint64_t seed, std::uint64_t purpose) {
  SplitMix64 mixer(seed ^ (purpose * 0xD1B54A32D192ED03));
  mixer.next();
  return mixer.next();
}

}  // namespace flow::base

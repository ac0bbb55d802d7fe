// SPDX-License-Identifier: Apache-2.0
#include "streaming/partitioner.hpp"

#include <cstddef>

namespace flow::streaming {

std::uint32_t murmur2(std::string_view key) {
  constexpr std::uint32_t m = 0x5bd1e995;
  constexpr std::uint32_t seed = 0x9747b28c;
  const auto byte_at = [&](std::size_t i) {
    return static_cast<std::uint32_t>(static_cast<unsigned char>(key[i]));
  };
  std::uint32_t hash = seed ^ static_cast<std::uint32_t>(key.size());
  const std::size_t whole = key.size() / 4 * 4;
  for (std::size_t i = 0; i < whole; i += 4) {
    std::uint32_t k =
        byte_at(i) | byte_at(i + 1) << 8 | byte_at(i + 2) << 16 | byte_at(i + 3) << 24;
    k *= m;
    k ^= k >> 24;
    k *= m;
    hash = hash * m ^ k;
  }
  const std::size_t left = key.size() - whole;
  if (left >= 3) hash ^= byte_at(whole + 2) << 16;
  if (left >= 2) hash ^= byte_at(whole + 1) << 8;
  if (left >= 1) hash = (hash ^ byte_at(whole)) * m;
  hash ^= hash >> 13;
  hash *= m;
  return hash ^ hash >> 15;
}

}  // namespace flow::streaming

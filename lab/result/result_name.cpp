// SPDX-License-Identifier: Apache-2.0
#include "lab/result/result_name.hpp"

#include <cstddef>

namespace flow::lab {
namespace {

// Bytes that follow `first`, -1 for a byte that begins no character (RFC 3629).
int following_bytes(unsigned char first) {
  if (first < 0x80) return 0;
  if (first >= 0xc2 && first <= 0xdf) return 1;
  if (first >= 0xe0 && first <= 0xef) return 2;
  if (first >= 0xf0 && first <= 0xf4) return 3;
  return -1;
}

// Bounds of the second byte, which exclude overlong forms, surrogates and what is above U+10FFFF.
bool is_second_byte(unsigned char first, unsigned char second) {
  const unsigned char low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
  const unsigned char high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
  return second >= low && second <= high;
}

}  // namespace

bool can_be_shown(std::string_view name) {
  if (name.empty() || name == "." || name == "..") return false;
  for (std::size_t at = 0; at < name.size(); ++at) {
    const auto first = static_cast<unsigned char>(name[at]);
    if (first < 0x20 || first == 0x7f || first == '/') return false;
    const int more = following_bytes(first);
    if (more < 0 || at + static_cast<std::size_t>(more) >= name.size()) return false;
    for (int nth = 1; nth <= more; ++nth) {
      const auto next = static_cast<unsigned char>(name[at + static_cast<std::size_t>(nth)]);
      if (nth == 1 ? !is_second_byte(first, next) : (next & 0xc0) != 0x80) return false;
    }
    at += static_cast<std::size_t>(more);
  }
  return true;
}

}  // namespace flow::lab

// Bytes on the wire and in text: big-endian integers, hexadecimal, base64.
// Thread: any; pure functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace flow::base {

inline std::span<const std::byte> as_bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}
inline std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

constexpr std::uint32_t load_be32(const std::byte* from) {
  return std::to_integer<std::uint32_t>(from[0]) << 24 |
         std::to_integer<std::uint32_t>(from[1]) << 16 |
         std::to_integer<std::uint32_t>(from[2]) << 8 | std::to_integer<std::uint32_t>(from[3]);
}
constexpr void store_be32(std::byte* to, std::uint32_t value) {
  for (int i = 0; i < 4; ++i) to[i] = static_cast<std::byte>(value >> (24 - 8 * i));
}
constexpr std::uint64_t load_be64(const std::byte* from) {
  return std::uint64_t{load_be32(from)} << 32 | load_be32(from + 4);
}
constexpr void store_be64(std::byte* to, std::uint64_t value) {
  store_be32(to, static_cast<std::uint32_t>(value >> 32));
  store_be32(to + 4, static_cast<std::uint32_t>(value));
}

std::string to_hex(std::span<const std::byte> bytes);
// Lower or upper case; nullopt for an odd length or a character that is no hexadecimal digit.
std::optional<std::vector<std::byte>> from_hex(std::string_view text);

// RFC 4648 section 4 (with padding) and section 5 (URL alphabet, without padding).
std::string to_base64(std::span<const std::byte> bytes);
std::string to_base64url(std::span<const std::byte> bytes);
// Strict: nullopt for a wrong character, wrong padding or non-zero trailing bits.
std::optional<std::vector<std::byte>> from_base64(std::string_view text);
std::optional<std::vector<std::byte>> from_base64url(std::string_view text);

// FNV-1a, 64 bits: the hash of a schedule (over little-endian u64 counts).
class Fnv1a64 {
 public:
  void add_le64(std::uint64_t value);
  std::uint64_t value() const { return value_; }

 private:
  std::uint64_t value_ = 0xcbf29ce484222325;
};

// SHA-256 of a file's content or of a text, as 64 hexadecimal digits.
std::string sha256_hex(std::span<const std::byte> bytes);

}  // namespace flow::base

// CRC-32C (Castagnoli, RFC 3720 appendix B.4): reflected polynomial 0x82F63B78, initial value and
// final xor 0xFFFFFFFF. With the processor's instruction where there is one.
// Vector: "123456789" -> 0xE3069283.
// Thread: any; pure.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace flow::streaming::pulsar {

// `before`: the result for the bytes in front of these, so that crc32c(b, crc32c(a)) is that of ab.
std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t before = 0);

// The same by table, for tests against the other.
std::uint32_t crc32c_by_table(std::span<const std::byte> bytes, std::uint32_t before = 0);

}  // namespace flow::streaming::pulsar

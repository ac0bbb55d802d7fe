// The codecs of an entry's payload: LZ4 as a raw block, ZSTD as one frame.
// Thread: any; ZSTD's state is kept per thread.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include "base/result.hpp"
#include "streaming/pulsar/config.hpp"
#include "streaming/pulsar/proto.hpp"

namespace flow::streaming::pulsar {

// The largest payload, uncompressed, that the client makes or takes from a broker.
inline constexpr std::size_t uncompressed_bytes_max = 128 * 1024 * 1024;

// Replaces `out`. `codec` is lz4 or zstd; `in` is at most uncompressed_bytes_max long.
void compress(Compression codec, ByteView in, Bytes& out);

// `codec` is MessageMetadata.compression as it came. Replaces `out`, which then has exactly
// `uncompressed_size` bytes; anything else, or a codec that is not lz4 or zstd, is
// Errc::protocol.
base::Result<void> decompress(int codec, ByteView in, std::size_t uncompressed_size, Bytes& out);

}  // namespace flow::streaming::pulsar

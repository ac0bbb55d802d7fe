// SPDX-License-Identifier: Apache-2.0
#include "streaming/pulsar/compression.hpp"

#include <memory>
#include <zstd.h>

#include <lz4.h>

#include "base/check.hpp"

namespace flow::streaming::pulsar {
namespace {

using base::Errc;
using base::fail;

constexpr int zstd_level = 3;

const char* chars(ByteView bytes) { return reinterpret_cast<const char*>(bytes.data()); }
char* chars(Bytes& bytes) { return reinterpret_cast<char*>(bytes.data()); }

void compress_lz4(ByteView in, Bytes& out) {
  const int bound = LZ4_compressBound(static_cast<int>(in.size()));
  out.resize(static_cast<std::size_t>(bound));
  const int size = LZ4_compress_default(chars(in), chars(out), static_cast<int>(in.size()), bound);
  FLOW_CHECK(size > 0);
  out.resize(static_cast<std::size_t>(size));
}

void compress_zstd(ByteView in, Bytes& out) {
  static thread_local const std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> context(
      ZSTD_createCCtx(), &ZSTD_freeCCtx);
  out.resize(ZSTD_compressBound(in.size()));
  const std::size_t size =
      ZSTD_compressCCtx(context.get(), out.data(), out.size(), in.data(), in.size(), zstd_level);
  FLOW_CHECK(!ZSTD_isError(size));
  out.resize(size);
}

bool decompress_zstd(ByteView in, Bytes& out) {
  static thread_local const std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> context(
      ZSTD_createDCtx(), &ZSTD_freeDCtx);
  return ZSTD_decompressDCtx(context.get(), out.data(), out.size(), in.data(), in.size()) ==
         out.size();
}

bool decompress_lz4(ByteView in, Bytes& out) {
  if (in.size() > uncompressed_bytes_max) return false;
  const int size = LZ4_decompress_safe(chars(in), chars(out), static_cast<int>(in.size()),
                                       static_cast<int>(out.size()));
  return size >= 0 && static_cast<std::size_t>(size) == out.size();
}

}  // namespace

void compress(Compression codec, ByteView in, Bytes& out) {
  FLOW_CHECK(in.size() <= uncompressed_bytes_max);
  if (codec == Compression::lz4) {
    compress_lz4(in, out);
  } else {
    FLOW_CHECK(codec == Compression::zstd);
    compress_zstd(in, out);
  }
}

base::Result<void> decompress(int codec, ByteView in, std::size_t uncompressed_size, Bytes& out) {
  if (uncompressed_size > uncompressed_bytes_max) {
    return fail(Errc::protocol, "an entry of {} bytes uncompressed, allowed are {}",
                uncompressed_size, uncompressed_bytes_max);
  }
  out.resize(uncompressed_size);
  if (in.empty() && uncompressed_size == 0) return {};
  bool is_good = false;
  if (codec == static_cast<int>(Compression::lz4)) {
    is_good = decompress_lz4(in, out);
  } else if (codec == static_cast<int>(Compression::zstd)) {
    is_good = decompress_zstd(in, out);
  } else {
    return fail(Errc::protocol, "an entry in compression {}, known are lz4 (1) and zstd (3)",
                codec);
  }
  if (!is_good) {
    return fail(Errc::protocol, "an entry of {} bytes does not decompress to {} bytes", in.size(),
                uncompressed_size);
  }
  return {};
}

}  // namespace flow::streaming::pulsar

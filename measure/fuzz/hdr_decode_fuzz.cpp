// Any bytes as a histogram text: decoding neither crashes nor eats memory, and what it accepts can
// be written and read again. Two ways in: the text itself, and (first byte odd) the inner
// encoding, which random bytes would never reach through base64 and zlib.
// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>
#include <vector>
#include <zlib.h>

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "measure/hdr_codec.hpp"

namespace {

using namespace flow;

std::string wrap(std::span<const std::byte> inner) {
  uLongf size = compressBound(inner.size());
  std::vector<std::byte> out(8 + size);
  FLOW_CHECK(compress2(reinterpret_cast<Bytef*>(out.data() + 8), &size,
                       reinterpret_cast<const Bytef*>(inner.data()), inner.size(), 1) == Z_OK);
  out.resize(8 + size);
  base::store_be32(out.data(), 0x1c849314);
  base::store_be32(out.data() + 4, static_cast<std::uint32_t>(size));
  return base::to_base64(out);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto bytes = std::as_bytes(std::span(data, size));
  const bool is_inner = (data[0] & 1) != 0;
  const std::string text =
      is_inner ? wrap(bytes.subspan(1)) : std::string(base::as_text(bytes.subspan(1)));
  const auto decoded = measure::decode_hdr(text);
  if (!decoded) return 0;
  const auto again = measure::decode_hdr(measure::encode_hdr(*decoded));
  FLOW_CHECK(again && *again == *decoded);
  if (decoded->count() > 0) FLOW_CHECK(decoded->quantile(0.99) <= decoded->max());
  return 0;
}

// SPDX-License-Identifier: Apache-2.0
#include "measure/hdr_codec.hpp"

#include <array>
#include <bit>
#include <limits>
#include <span>
#include <vector>
#include <zlib.h>

#include "base/bytes.hpp"
#include "base/check.hpp"

namespace flow::measure {
namespace {

using base::Errc;
using base::fail;
using Bytes = std::vector<std::byte>;

constexpr std::uint32_t cookie_inner = 0x1c849303 | 0x10;
constexpr std::uint32_t cookie_outer = 0x1c849304 | 0x10;
constexpr std::size_t header_bytes = 40;
constexpr std::size_t count_bytes_max = 9;
constexpr std::size_t text_bytes_max = std::size_t{64} << 20;

void put32(Bytes& out, std::uint32_t value) {
  std::array<std::byte, 4> raw{};
  base::store_be32(raw.data(), value);
  out.insert(out.end(), raw.begin(), raw.end());
}
void put64(Bytes& out, std::uint64_t value) {
  std::array<std::byte, 8> raw{};
  base::store_be64(raw.data(), value);
  out.insert(out.end(), raw.begin(), raw.end());
}

void put_zigzag(Bytes& out, std::int64_t value) {
  std::uint64_t rest =
      static_cast<std::uint64_t>(value) << 1 ^ static_cast<std::uint64_t>(value >> 63);
  for (std::size_t i = 0; i + 1 < count_bytes_max && rest >= 0x80; ++i, rest >>= 7) {
    out.push_back(static_cast<std::byte>(rest | 0x80));
  }
  out.push_back(static_cast<std::byte>(rest));
}

// Takes one number from the front of `in`; nullopt when it is cut off.
std::optional<std::int64_t> take_zigzag(std::span<const std::byte>& in) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < count_bytes_max; ++i) {
    if (in.empty()) return std::nullopt;
    const auto byte = std::to_integer<std::uint64_t>(in.front());
    in = in.subspan(1);
    const bool is_ninth = i + 1 == count_bytes_max;
    value |= (is_ninth ? byte : byte & 0x7f) << (7 * i);
    if (is_ninth || byte < 0x80) break;
  }
  return static_cast<std::int64_t>(value >> 1 ^ (0 - (value & 1)));
}

void put_counts(Bytes& out, const Histogram& histogram) {
  const std::size_t used = histogram.used_bucket_count();
  for (std::size_t i = 0; i < used;) {
    std::size_t zeros = 0;
    while (i + zeros < used && histogram.bucket(i + zeros) == 0) ++zeros;
    if (zeros > 1) {
      put_zigzag(out, -static_cast<std::int64_t>(zeros));
      i += zeros;
    } else {
      put_zigzag(out, static_cast<std::int64_t>(histogram.bucket(i)));
      ++i;
    }
  }
}

Bytes encode_inner(const Histogram& histogram) {
  Bytes payload;
  put_counts(payload, histogram);
  Bytes out;
  out.reserve(header_bytes + payload.size());
  put32(out, cookie_inner);
  put32(out, static_cast<std::uint32_t>(payload.size()));
  put32(out, 0);
  put32(out, static_cast<std::uint32_t>(histogram.options().significant_digits));
  put64(out, static_cast<std::uint64_t>(histogram.options().lowest.count()));
  put64(out, static_cast<std::uint64_t>(histogram.options().highest.count()));
  put64(out, std::bit_cast<std::uint64_t>(1.0));
  out.insert(out.end(), payload.begin(), payload.end());
  return out;
}

// Inflates a whole zlib stream, piece by piece up to `bytes_max`; nullopt for a broken one.
std::optional<Bytes> inflate_all(std::span<const std::byte> in, std::size_t bytes_max) {
  z_stream stream{};
  if (inflateInit(&stream) != Z_OK) return std::nullopt;
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(in.data()));
  stream.avail_in = static_cast<uInt>(in.size());
  Bytes out;
  int status = Z_OK;
  while (status == Z_OK && out.size() < bytes_max) {
    const std::size_t before = out.size();
    out.resize(std::min(bytes_max, before + std::max<std::size_t>(4096, before)));
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + before);
    stream.avail_out = static_cast<uInt>(out.size() - before);
    status = inflate(&stream, Z_NO_FLUSH);
    out.resize(out.size() - stream.avail_out);
    if (status == Z_OK && out.size() == before) break;  // Cut off: no progress is possible.
  }
  const bool is_whole = status == Z_STREAM_END && stream.avail_in == 0;
  inflateEnd(&stream);
  if (!is_whole) return std::nullopt;
  return out;
}

base::Result<Histogram> decode_counts(std::span<const std::byte> payload, Histogram histogram) {
  std::size_t index = 0;
  while (!payload.empty()) {
    const auto number = take_zigzag(payload);
    if (!number) return fail(Errc::protocol, "HDR histogram: the last count is cut off");
    const std::size_t left = histogram.bucket_count() - index;
    if (*number < 0) {
      const std::uint64_t zeros = 0 - static_cast<std::uint64_t>(*number);
      if (zeros > left) return fail(Errc::protocol, "HDR histogram: a run of zeros is too long");
      index += static_cast<std::size_t>(zeros);
      continue;
    }
    if (left == 0) return fail(Errc::protocol, "HDR histogram: more counts than buckets");
    if (!histogram.add_to_bucket(index, static_cast<std::uint64_t>(*number))) {
      return fail(Errc::protocol, "HDR histogram: bucket {}: a count of {} does not fit", index,
                  *number);
    }
    ++index;
  }
  return histogram;
}

base::Result<Histogram> decode_inner(std::span<const std::byte> in) {
  if (in.size() < header_bytes || base::load_be32(in.data()) != cookie_inner) {
    return fail(Errc::protocol, "HDR histogram: expected a V2 encoding");
  }
  if (base::load_be32(in.data() + 4) != in.size() - header_bytes) {
    return fail(Errc::protocol, "HDR histogram: {} payload bytes announced, {} found",
                base::load_be32(in.data() + 4), in.size() - header_bytes);
  }
  const auto ratio = std::bit_cast<double>(base::load_be64(in.data() + 32));
  if (base::load_be32(in.data() + 8) != 0 || ratio != 1.0) {
    return fail(Errc::protocol, "HDR histogram: shifted or double valued, expected whole numbers");
  }
  const Histogram::Options options{
      .lowest = Nanos{static_cast<std::int64_t>(base::load_be64(in.data() + 16))},
      .highest = Nanos{static_cast<std::int64_t>(base::load_be64(in.data() + 24))},
      .significant_digits = static_cast<int>(base::load_be32(in.data() + 12))};
  if (!Histogram::are_valid(options)) {
    return fail(Errc::protocol, "HDR histogram: range {} to {} with {} digits is not supported",
                options.lowest.count(), options.highest.count(), options.significant_digits);
  }
  return decode_counts(in.subspan(header_bytes), Histogram(options));
}

}  // namespace

std::string encode_hdr(const Histogram& histogram) {
  const Bytes inner = encode_inner(histogram);
  uLongf size = compressBound(inner.size());
  Bytes out(8 + size);
  const int status =
      compress2(reinterpret_cast<Bytef*>(out.data() + 8), &size,
                reinterpret_cast<const Bytef*>(inner.data()), inner.size(), Z_DEFAULT_COMPRESSION);
  FLOW_CHECK(status == Z_OK);
  out.resize(8 + size);
  base::store_be32(out.data(), cookie_outer);
  base::store_be32(out.data() + 4, static_cast<std::uint32_t>(size));
  return base::to_base64(out);
}

base::Result<Histogram> decode_hdr(std::string_view base64) {
  if (base64.size() > text_bytes_max) return fail(Errc::protocol, "HDR histogram: text too long");
  const auto raw = base::from_base64(base64);
  if (!raw) return fail(Errc::protocol, "HDR histogram: not base64");
  const std::span<const std::byte> in(*raw);
  if (in.size() < 8 || base::load_be32(in.data()) != cookie_outer) {
    return fail(Errc::protocol, "HDR histogram: expected a compressed V2 encoding");
  }
  if (base::load_be32(in.data() + 4) != in.size() - 8) {
    return fail(Errc::protocol, "HDR histogram: {} compressed bytes announced, {} found",
                base::load_be32(in.data() + 4), in.size() - 8);
  }
  constexpr std::size_t inner_bytes_max = header_bytes + count_bytes_max * (std::size_t{1} << 22);
  const auto inner = inflate_all(in.subspan(8), inner_bytes_max);
  if (!inner) return fail(Errc::protocol, "HDR histogram: the zlib stream is broken or too long");
  return decode_inner(*inner);
}

base::json::object to_json(const Histogram& histogram) {
  const auto known = [&](Nanos value) -> base::json::value {
    if (histogram.count() == 0 || value == Nanos::max()) return nullptr;
    return value.count();
  };
  base::json::object out;
  out["count"] = histogram.count();
  out["overflow"] = histogram.overflow();
  out["negative"] = histogram.negative();
  out["min_ns"] = known(histogram.min());
  out["max_ns"] = known(histogram.max());
  out["mean_ns"] = known(histogram.mean());
  out["p50_ns"] = known(histogram.quantile(0.5));
  out["p90_ns"] = known(histogram.quantile(0.9));
  out["p99_ns"] = known(histogram.quantile(0.99));
  out["p99_9_ns"] = known(histogram.quantile(0.999));
  out["hdr_v2"] = encode_hdr(histogram);
  return out;
}

base::Result<Histogram> histogram_from_json(const base::JsonView& view) {
  const auto whole = [&](std::string_view key) -> base::Result<std::int64_t> {
    const auto member = view.at(key);
    if (!member) return std::unexpected(member.error());
    return member->value().is_null() ? base::Result<std::int64_t>(0) : member->whole_number();
  };
  const auto text = view.at("hdr_v2");
  if (!text) return std::unexpected(text.error());
  const auto base64 = text->text();
  if (!base64) return std::unexpected(base64.error());
  auto histogram = decode_hdr(*base64);
  if (!histogram) return fail(Errc::config, "{}: {}", text->path(), histogram.error().what);
  std::array<std::int64_t, 4> numbers{};
  std::size_t next = 0;
  for (const auto* key : {"count", "overflow", "min_ns", "max_ns"}) {
    const auto number = whole(key);
    if (!number) return std::unexpected(number.error());
    numbers[next++] = *number;
  }
  const auto [count, overflow, min, max] = numbers;
  const bool fits =
      count >= 0 && overflow >= 0 &&
      histogram->restore(static_cast<std::uint64_t>(overflow), Nanos{min}, Nanos{max});
  if (!fits || histogram->count() != static_cast<std::uint64_t>(count)) {
    return fail(Errc::config, "{}: count, overflow, min_ns and max_ns contradict hdr_v2",
                view.path());
  }
  return histogram;
}

}  // namespace flow::measure

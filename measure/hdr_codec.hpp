// HdrHistogram's interchange text: base64 of the compressed V2 encoding, as `encodeIntoCompressed-
// ByteBuffer` writes it and every HdrHistogram library and tool reads it.
//   outer, big endian: i32 cookie 0x1c849314 | i32 length | zlib stream of the inner encoding
//   inner: i32 cookie 0x1c849313 | i32 payload bytes | i32 normalizing offset (0) | i32 digits |
//          i64 lowest | i64 highest | f64 value ratio (1.0) | payload
//   payload: the bucket counts in order up to the last one that is not 0, as ZigZag LEB128 (at most
//            9 bytes, the ninth carries 8 bits); a run of n > 1 zeros is the one number -n.
// The format has no place for the overflow count and for the exact minimum and maximum: they are
// stored beside it and put back by Histogram::restore(). Units are nanoseconds.
// Thread: any; pure functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/json.hpp"
#include "base/result.hpp"
#include "measure/histogram.hpp"

namespace flow::measure {

std::string encode_hdr(const Histogram& histogram);

// Errc::protocol for anything that is not such a text; safe for hostile input: at most 64 MiB of
// text, 2^22 buckets, a total below 2^63. Without restore() minimum and maximum are bucket bounds
// and the overflow is 0.
base::Result<Histogram> decode_hdr(std::string_view base64);

// How result files store a histogram: {"count", "overflow", "negative", "min_ns", "max_ns",
// "mean_ns", "p50_ns", "p90_ns", "p99_ns", "p99_9_ns", "hdr_v2"}. A quantile or mean that lies in
// the overflow is null; so are all values of an empty histogram.
base::json::object to_json(const Histogram& histogram);

// The histogram back, exact extremes and overflow included; Errc::config with the path of the
// member that is missing, malformed or contradicts the buckets.
base::Result<Histogram> histogram_from_json(const base::JsonView& view);

}  // namespace flow::measure

// SPDX-License-Identifier: Apache-2.0
#include "lab/packed_text.hpp"

#include <algorithm>
#include <limits>
#include <zlib.h>

#include "base/bytes.hpp"
#include "base/check.hpp"

namespace flow::lab {

struct PackedText::Stream {
  z_stream z{};
  bool is_finished = false;
};

PackedText::PackedText() : stream_(std::make_unique<Stream>()) {
  FLOW_CHECK(deflateInit(&stream_->z, Z_DEFAULT_COMPRESSION) == Z_OK);  // Fails without memory.
}

PackedText::~PackedText() { deflateEnd(&stream_->z); }

void PackedText::add(std::string_view text) {
  constexpr std::size_t piece = std::size_t{1} << 20;  // zlib counts in 32 bits.
  for (std::size_t at = 0; at < text.size(); at += piece)
    deflate_all(text.substr(at, piece), false);
}

std::string PackedText::finish() {
  deflate_all({}, true);
  stream_->is_finished = true;
  return base::to_base64(packed_);
}

void PackedText::deflate_all(std::string_view text, bool is_last) {
  FLOW_CHECK(!stream_->is_finished);
  z_stream& z = stream_->z;
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  z.avail_in = static_cast<uInt>(text.size());
  int status = Z_OK;
  do {
    constexpr std::size_t room = 64 << 10;
    const std::size_t before = packed_.size();
    packed_.resize(before + room);
    z.next_out = reinterpret_cast<Bytef*>(packed_.data() + before);
    z.avail_out = room;
    status = deflate(&z, is_last ? Z_FINISH : Z_NO_FLUSH);
    FLOW_CHECK(status != Z_STREAM_ERROR);
    packed_.resize(packed_.size() - z.avail_out);
  } while (z.avail_out == 0);
}

}  // namespace flow::lab

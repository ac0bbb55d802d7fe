// SPDX-License-Identifier: Apache-2.0
#include "streaming/pulsar/frame_reader.hpp"

#include <algorithm>
#include <cstring>

#include "base/bytes.hpp"
#include "base/check.hpp"

namespace flow::streaming::pulsar {
namespace {

constexpr std::size_t buffer_bytes = 256 * 1024;
constexpr std::size_t room_bytes_min = 64 * 1024;

}  // namespace

std::span<std::byte> FrameReader::prepare() {
  if (read_ == write_) read_ = write_ = 0;
  const std::size_t pending = write_ - read_;
  const std::size_t needed = std::max(wanted_, pending + room_bytes_min);
  if (buffer_.size() - read_ < needed) {
    if (read_ > 0) std::memmove(buffer_.data(), buffer_.data() + read_, pending);
    read_ = 0;
    write_ = pending;
    if (buffer_.size() < needed) buffer_.resize(std::max(needed, buffer_bytes));
  }
  return std::span(buffer_).subspan(write_);
}

void FrameReader::commit(std::size_t bytes) {
  FLOW_CHECK(bytes <= buffer_.size() - write_);
  write_ += bytes;
}

void FrameReader::push(ByteView bytes) {
  while (!bytes.empty()) {
    const auto room = prepare();
    const std::size_t count = std::min(room.size(), bytes.size());
    std::memcpy(room.data(), bytes.data(), count);
    commit(count);
    bytes = bytes.subspan(count);
  }
}

base::Result<std::optional<Frame>> FrameReader::pull() {
  const ByteView pending = ByteView(buffer_).subspan(read_, write_ - read_);
  if (pending.size() < 4) return std::optional<Frame>{};
  const std::uint32_t total = base::load_be32(pending.data());
  if (total < 4 || total > frame_bytes_max_) {
    return base::fail(base::Errc::protocol, "frame of {} bytes, allowed are 4 to {}", total,
                      frame_bytes_max_);
  }
  wanted_ = std::size_t{4} + total;
  if (pending.size() < 8) return std::optional<Frame>{};
  const std::uint32_t command = base::load_be32(pending.data() + 4);
  if (command > total - 4) {
    return base::fail(base::Errc::protocol, "command of {} bytes in a frame of {}", command, total);
  }
  if (pending.size() < wanted_) return std::optional<Frame>{};
  const Frame frame{.command = pending.subspan(8, command),
                    .rest = pending.subspan(8 + std::size_t{command}, total - 4 - command)};
  read_ += wanted_;
  wanted_ = 0;
  return frame;
}

}  // namespace flow::streaming::pulsar

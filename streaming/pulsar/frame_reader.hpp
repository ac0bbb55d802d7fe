// Cuts a Pulsar byte stream into frames. Sans-I/O: bytes go in, frames come out.
// Wire layout, big endian: u32 total | u32 command size | command | rest.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "base/result.hpp"
#include "streaming/pulsar/proto.hpp"

namespace flow::streaming::pulsar {

inline constexpr std::uint32_t message_bytes_max_default = 5 * 1024 * 1024;
inline constexpr std::uint32_t frame_slack_bytes = 10 * 1024;  // Beyond the largest message.

struct Frame {
  ByteView command;  // A protobuf BaseCommand.
  ByteView rest;     // Metadata and payload; empty for most commands.
};

class FrameReader {
 public:
  explicit FrameReader(std::uint32_t frame_bytes_max) : frame_bytes_max_(frame_bytes_max) {}

  void set_frame_bytes_max(std::uint32_t bytes) { frame_bytes_max_ = bytes; }

  // Where the next bytes of the stream go (never empty), and how many of them came. prepare()
  // ends the life of every span handed out before.
  std::span<std::byte> prepare();
  void commit(std::size_t bytes);

  void push(ByteView bytes);  // The same by copying.

  // A whole frame, nothing yet, or Errc::protocol (then close the connection).
  base::Result<std::optional<Frame>> pull();

 private:
  Bytes buffer_;
  std::size_t read_ = 0;    // First byte that no frame took.
  std::size_t write_ = 0;   // First free byte.
  std::size_t wanted_ = 0;  // Bytes of the frame at read_, when its length is known.
  std::uint32_t frame_bytes_max_;
};

}  // namespace flow::streaming::pulsar

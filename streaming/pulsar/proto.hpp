// Protocol Buffers' wire format (proto2), as far as Pulsar's commands need it: varints, texts and
// nested messages (https://protobuf.dev/programming-guides/encoding/). Written by hand so that an
// unknown enumerator is a number and not a parse failure, and that the hot messages cost no
// allocation.
// Thread: any; plain values.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace flow::streaming::pulsar {

using Bytes = std::vector<std::byte>;
using ByteView = std::span<const std::byte>;

// Appends fields to a buffer.
class ProtoWriter {
 public:
  explicit ProtoWriter(Bytes& out) : out_(out) {}

  void varint(int field, std::uint64_t value) {
    raw_varint(static_cast<std::uint64_t>(field) << 3);
    raw_varint(value);
  }
  void text(int field, std::string_view value);
  void bytes(int field, ByteView value);

  // A nested message: everything that `fill()` writes through this writer.
  void message(int field, auto fill) {
    const std::size_t body = begin(field);
    fill();
    end(body);
  }

 private:
  void raw_varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) out_.push_back(static_cast<std::byte>(value | 0x80));
    out_.push_back(static_cast<std::byte>(value));
  }
  std::size_t begin(int field);
  void end(std::size_t body);

  Bytes& out_;
};

// Reads field by field; never past the end of what it was given.
//   for (ProtoReader in(bytes); in.next();) switch (in.field()) { case 1: id = in.varint(); }
//   if (!in.ok()) the bytes are malformed.
class ProtoReader {
 public:
  explicit ProtoReader(ByteView bytes) : at_(bytes.data()), end_(at_ + bytes.size()) {}

  bool next();  // False at the end and for malformed bytes.
  bool ok() const { return ok_; }
  int field() const { return field_; }

  // The current field's value. A field of another wire type than asked for makes the message
  // malformed.
  std::uint64_t varint();
  std::int64_t signed_varint() { return static_cast<std::int64_t>(varint()); }
  std::int32_t int32() { return static_cast<std::int32_t>(static_cast<std::uint32_t>(varint())); }
  bool boolean() { return varint() != 0; }
  ByteView bytes();
  std::string_view text();

 private:
  enum class Wire : std::uint8_t { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };
  bool raw_varint(std::uint64_t& value);
  bool fail();

  const std::byte* at_;
  const std::byte* end_;
  int field_ = 0;
  Wire wire_ = Wire::varint;
  std::uint64_t number_ = 0;
  ByteView bytes_;
  bool ok_ = true;
};

}  // namespace flow::streaming::pulsar

// SPDX-License-Identifier: Apache-2.0
#include "streaming/pulsar/proto.hpp"

#include "base/bytes.hpp"

namespace flow::streaming::pulsar {
namespace {

constexpr std::uint64_t field_max = (1U << 29) - 1;

}  // namespace

void ProtoWriter::text(int field, std::string_view value) { bytes(field, base::as_bytes(value)); }

void ProtoWriter::bytes(int field, ByteView value) {
  raw_varint(static_cast<std::uint64_t>(field) << 3 | 2);
  raw_varint(value.size());
  out_.insert(out_.end(), value.begin(), value.end());
}

// One byte is kept for the length; end() makes room for more when a message is longer than 127.
std::size_t ProtoWriter::begin(int field) {
  raw_varint(static_cast<std::uint64_t>(field) << 3 | 2);
  out_.push_back(std::byte{});
  return out_.size();
}

void ProtoWriter::end(std::size_t body) {
  std::uint64_t length = out_.size() - body;
  std::byte encoded[10];
  std::size_t count = 0;
  for (; length >= 0x80; length >>= 7) encoded[count++] = static_cast<std::byte>(length | 0x80);
  encoded[count++] = static_cast<std::byte>(length);
  out_[body - 1] = encoded[0];
  const auto position = out_.begin() + static_cast<std::ptrdiff_t>(body);
  out_.insert(position, encoded + 1, encoded + count);
}

bool ProtoReader::fail() {
  ok_ = false;
  at_ = end_;
  return false;
}

bool ProtoReader::raw_varint(std::uint64_t& value) {
  value = 0;
  for (unsigned shift = 0; shift < 70; shift += 7) {
    if (at_ == end_) return false;
    const auto byte = std::to_integer<std::uint64_t>(*at_++);
    if (shift < 64) value |= (byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) return true;
  }
  return false;
}

bool ProtoReader::next() {
  if (!ok_ || at_ == end_) return false;
  std::uint64_t tag = 0;
  if (!raw_varint(tag)) return fail();
  const std::uint64_t number = tag >> 3;
  if (number == 0 || number > field_max) return fail();
  field_ = static_cast<int>(number);
  wire_ = static_cast<Wire>(tag & 7);
  std::uint64_t size = 0;
  switch (wire_) {
    case Wire::varint:
      return raw_varint(number_) || fail();
    case Wire::fixed64:
      size = 8;
      break;
    case Wire::fixed32:
      size = 4;
      break;
    case Wire::bytes:
      if (!raw_varint(size)) return fail();
      break;
    default:
      return fail();  // Groups: not used by Pulsar.
  }
  if (size > static_cast<std::uint64_t>(end_ - at_)) return fail();
  bytes_ = {at_, static_cast<std::size_t>(size)};
  at_ += size;
  return true;
}

std::uint64_t ProtoReader::varint() {
  if (wire_ == Wire::varint) return number_;
  fail();
  return 0;
}

ByteView ProtoReader::bytes() {
  if (wire_ == Wire::bytes) return bytes_;
  fail();
  return {};
}

std::string_view ProtoReader::text() { return base::as_text(bytes()); }

}  // namespace flow::streaming::pulsar

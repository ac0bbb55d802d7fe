// SPDX-License-Identifier: Apache-2.0
#include "streaming/pulsar/entry.hpp"

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "streaming/pulsar/commands.hpp"
#include "streaming/pulsar/crc32c.hpp"

namespace flow::streaming::pulsar {
namespace {

using base::Errc;
using base::fail;

constexpr std::uint16_t magic_checksum = 0x0e01;
constexpr std::uint16_t magic_broker_entry = 0x0e02;

void write_property(ProtoWriter& out, int field, std::string_view key, std::string_view value) {
  out.message(field, [&] {
    out.text(1, key);
    out.text(2, value);
  });
}

void write_stamp(ProtoWriter& out, int field, const base::Stamp& stamp) {
  if (stamp.trial == 0) return;
  write_property(out, field, base::traceparent_name, base::format_traceparent(stamp));
  const std::string state = base::format_tracestate(stamp);
  if (!state.empty()) write_property(out, field, base::tracestate_name, state);
}

void append_be32(Bytes& out, std::uint32_t value) {
  std::byte encoded[4];
  base::store_be32(encoded, value);
  out.insert(out.end(), encoded, encoded + 4);
}

// SEND | 0e01 | checksum | metadata size | metadata | payload, from command and metadata already
// in `frame` (from offset 8) and in `metadata`.
SendFrame finish_send(Bytes frame, ByteView metadata, ByteView payload) {
  base::store_be32(frame.data() + 4, static_cast<std::uint32_t>(frame.size() - 8));
  frame.push_back(static_cast<std::byte>(magic_checksum >> 8));
  frame.push_back(static_cast<std::byte>(magic_checksum & 0xff));
  const std::size_t checksum_at = frame.size();
  append_be32(frame, 0);
  append_be32(frame, static_cast<std::uint32_t>(metadata.size()));
  frame.insert(frame.end(), metadata.begin(), metadata.end());
  frame.insert(frame.end(), payload.begin(), payload.end());
  const auto covered = ByteView(frame).subspan(checksum_at + 4);
  base::store_be32(frame.data() + checksum_at, crc32c(covered));
  base::store_be32(frame.data(), static_cast<std::uint32_t>(frame.size() - 4));
  return {.bytes = std::move(frame), .message_bytes = metadata.size() + payload.size()};
}

struct SendHead {
  std::uint64_t producer_id;
  std::uint64_t sequence_id;
  std::uint32_t batch_size;  // 0: not a batch.
  std::uint64_t highest_sequence_id;
};

Bytes begin_send(const SendHead& head, std::size_t more_bytes) {
  Bytes frame;
  frame.reserve(8 + 64 + more_bytes);
  frame.resize(8);
  ProtoWriter out(frame);
  out.varint(1, command::send);
  out.message(command::send, [&] {
    out.varint(1, head.producer_id);
    out.varint(2, head.sequence_id);
    if (head.batch_size > 0) {
      out.varint(3, head.batch_size);
      out.varint(6, head.highest_sequence_id);
    }
  });
  return frame;
}

// Payload bytes as they go on the wire, after the compression that `envelope` asks for.
struct Packed {
  ByteView bytes;
  bool is_compressed;
};
Packed pack(const SendEnvelope& envelope, ByteView payload, Bytes& scratch) {
  if (envelope.compression == Compression::none || payload.empty()) return {payload, false};
  compress(envelope.compression, payload, scratch);
  return {scratch, true};
}

void write_compression(ProtoWriter& out, const SendEnvelope& envelope, std::size_t size) {
  out.varint(8, static_cast<std::uint64_t>(envelope.compression));
  out.varint(9, size);
}

}  // namespace

void BatchBuilder::append(std::string_view key, const base::Stamp& stamp, ByteView payload,
                          std::uint64_t sequence_id) {
  const std::size_t head = payload_.size();
  payload_.resize(head + 4);
  ProtoWriter out(payload_);
  write_stamp(out, 1, stamp);
  if (!key.empty()) out.text(2, key);
  out.varint(3, payload.size());
  out.varint(8, sequence_id);
  base::store_be32(payload_.data() + head, static_cast<std::uint32_t>(payload_.size() - head - 4));
  payload_.insert(payload_.end(), payload.begin(), payload.end());
  if (count_++ == 0) first_ = sequence_id;
  last_ = sequence_id;
}

void BatchBuilder::clear() {
  payload_.clear();
  count_ = 0;
}

SendFrame encode_batch(const SendEnvelope& envelope, const BatchBuilder& batch, Bytes& scratch) {
  FLOW_CHECK(!batch.empty());
  const Packed packed = pack(envelope, batch.payload(), scratch);
  static thread_local Bytes metadata;
  metadata.clear();
  ProtoWriter out(metadata);
  out.text(1, envelope.producer_name);
  out.varint(2, batch.first_sequence_id());
  out.varint(3, envelope.publish_time_ms);
  if (packed.is_compressed) write_compression(out, envelope, batch.bytes());
  out.varint(11, batch.count());
  out.varint(24, batch.last_sequence_id());
  Bytes frame = begin_send({.producer_id = envelope.producer_id,
                            .sequence_id = batch.first_sequence_id(),
                            .batch_size = batch.count(),
                            .highest_sequence_id = batch.last_sequence_id()},
                           metadata.size() + packed.bytes.size());
  return finish_send(std::move(frame), metadata, packed.bytes);
}

SendFrame encode_single(const SendEnvelope& envelope, const SingleMessage& message,
                        Bytes& scratch) {
  const Packed packed = pack(envelope, message.payload, scratch);
  Bytes metadata;
  ProtoWriter out(metadata);
  out.text(1, envelope.producer_name);
  out.varint(2, message.sequence_id);
  out.varint(3, envelope.publish_time_ms);
  write_stamp(out, 4, message.stamp);
  if (!message.key.empty()) out.text(6, message.key);
  if (packed.is_compressed) write_compression(out, envelope, message.payload.size());
  Bytes frame = begin_send({.producer_id = envelope.producer_id,
                            .sequence_id = message.sequence_id,
                            .batch_size = 0,
                            .highest_sequence_id = 0},
                           metadata.size() + packed.bytes.size());
  return finish_send(std::move(frame), metadata, packed.bytes);
}

base::Result<EntryParts> split_entry(ByteView rest) {
  const auto magic = [&rest] {
    if (rest.size() < 6) return 0;
    return std::to_integer<int>(rest[0]) << 8 | std::to_integer<int>(rest[1]);
  };
  if (magic() == magic_broker_entry) {
    const std::size_t size = base::load_be32(rest.data() + 2);
    if (size > rest.size() - 6) {
      return fail(Errc::protocol, "broker entry metadata of {} bytes in {}", size, rest.size());
    }
    rest = rest.subspan(6 + size);
  }
  if (magic() == magic_checksum) {
    const std::uint32_t stated = base::load_be32(rest.data() + 2);
    rest = rest.subspan(6);
    const std::uint32_t found = crc32c(rest);
    if (found != stated) {
      return fail(Errc::protocol, "checksum {:08x}, the entry says {:08x}", found, stated);
    }
  }
  if (rest.size() < 4) return fail(Errc::protocol, "an entry of {} bytes", rest.size());
  const std::size_t size = base::load_be32(rest.data());
  if (size > rest.size() - 4) {
    return fail(Errc::protocol, "metadata of {} bytes in an entry of {}", size, rest.size());
  }
  return EntryParts{.metadata = rest.subspan(4, size), .payload = rest.subspan(4 + size)};
}

namespace {

// A KeyValue property into the two that Flow reads. False when it is malformed.
bool read_property(ByteView bytes, std::string_view& traceparent, std::string_view& tracestate) {
  std::string_view key, value;
  ProtoReader in(bytes);
  while (in.next()) {
    if (in.field() == 1) key = in.text();
    if (in.field() == 2) value = in.text();
  }
  if (key == base::traceparent_name) traceparent = value;
  if (key == base::tracestate_name) tracestate = value;
  return in.ok();
}

// SingleMessageMetadata, as far as it is read.
struct SingleMetadata {
  std::string_view key;
  bool is_key_base64 = false;
  std::string_view traceparent, tracestate;
  std::uint64_t payload_bytes = 0;
  static std::optional<SingleMetadata> decode(ByteView bytes);
};

std::optional<SingleMetadata> SingleMetadata::decode(ByteView bytes) {
  SingleMetadata message;
  bool seen = false;
  ProtoReader in(bytes);
  while (in.next()) {
    switch (in.field()) {
      case 1:
        if (!read_property(in.bytes(), message.traceparent, message.tracestate)) {
          return std::nullopt;
        }
        break;
      case 2:
        message.key = in.text();
        break;
      case 3:
        message.payload_bytes = in.varint(), seen = true;
        break;
      case 6:
        message.is_key_base64 = in.boolean();
        break;
      default:
        break;
    }
  }
  if (!in.ok() || !seen) return std::nullopt;
  return message;
}

struct BatchStep {
  SingleMetadata metadata;
  ByteView payload;
  std::size_t next = 0;
};

// The message at offset `at` of a batch; nullopt when it does not fit.
std::optional<BatchStep> step(ByteView batch, std::size_t at) {
  if (batch.size() - at < 4) return std::nullopt;
  const std::size_t size = base::load_be32(batch.data() + at);
  at += 4;
  if (size > batch.size() - at) return std::nullopt;
  const auto metadata = SingleMetadata::decode(batch.subspan(at, size));
  if (!metadata) return std::nullopt;
  at += size;
  if (metadata->payload_bytes > batch.size() - at) return std::nullopt;
  const auto length = static_cast<std::size_t>(metadata->payload_bytes);
  return BatchStep{*metadata, batch.subspan(at, length), at + length};
}

std::optional<base::Stamp> stamp_of(std::string_view traceparent, std::string_view tracestate) {
  if (traceparent.empty()) return std::nullopt;
  return base::parse_stamp(traceparent, tracestate);
}

}  // namespace

std::optional<MessageMetadata> MessageMetadata::decode(ByteView bytes) {
  MessageMetadata message;
  int seen = 0;
  ProtoReader in(bytes);
  while (in.next()) {
    switch (in.field()) {
      case 1:
        message.producer_name = in.text(), seen |= 1;
        break;
      case 2:
        message.sequence_id = in.varint(), seen |= 2;
        break;
      case 3:
        message.publish_time_ms = in.varint(), seen |= 4;
        break;
      case 4:
        if (!read_property(in.bytes(), message.traceparent, message.tracestate)) {
          return std::nullopt;
        }
        break;
      case 6:
        message.key = in.text();
        break;
      case 8:
        message.compression = in.int32();
        break;
      case 9:
        message.uncompressed_size = static_cast<std::uint32_t>(in.varint());
        break;
      case 11:
        message.batch_size = in.int32();
        break;
      case 13:
      case 14:
        message.is_encrypted = true;
        break;
      case 17:
        message.is_key_base64 = in.boolean();
        break;
      case 20:
        message.is_marker = true;
        break;
      case 24:
        message.highest_sequence_id = in.varint();
        break;
      case 27:
        message.chunks = in.int32();
        break;
      default:
        break;
    }
  }
  if (!in.ok() || seen != 7) return std::nullopt;
  return message;
}

base::Result<std::uint32_t> EntryReader::open(ByteView rest) {
  count_ = 0;
  at_ = 0;
  const auto parts = split_entry(rest);
  if (!parts) return std::unexpected(parts.error());
  const auto metadata = MessageMetadata::decode(parts->metadata);
  if (!metadata) return fail(Errc::protocol, "malformed message metadata");
  metadata_ = *metadata;
  payload_ = parts->payload;
  if (metadata_.is_marker) return 0U;
  if (metadata_.is_encrypted) return fail(Errc::protocol, "an encrypted message");
  if (metadata_.chunks > 1) return fail(Errc::protocol, "a message in {} chunks", metadata_.chunks);
  if (metadata_.compression != 0 && !(payload_.empty() && metadata_.uncompressed_size == 0)) {
    const auto done =
        decompress(metadata_.compression, payload_, metadata_.uncompressed_size, uncompressed_);
    if (!done) return std::unexpected(done.error());
    payload_ = uncompressed_;
  }
  if (metadata_.batch_size) {
    if (const auto checked = check_batch(); !checked) return std::unexpected(checked.error());
    count_ = static_cast<std::uint32_t>(*metadata_.batch_size);
  } else {
    count_ = 1;
  }
  return count_;
}

base::Result<void> EntryReader::check_batch() const {
  const std::int32_t size = *metadata_.batch_size;
  std::size_t at = 0;
  for (std::int32_t i = 0; i < size; ++i) {
    const auto found = step(payload_, at);
    if (!found) return fail(Errc::protocol, "message {} of a batch of {} is malformed", i, size);
    at = found->next;
  }
  if (size < 1 || at != payload_.size()) {
    return fail(Errc::protocol, "a batch of {} messages has {} bytes, they take {}", size,
                payload_.size(), at);
  }
  return {};
}

EntryMessage EntryReader::next(std::uint32_t index) {
  EntryMessage message{.index = index, .key = metadata_.key, .stamp = {}, .payload = payload_};
  bool is_base64 = metadata_.is_key_base64;
  if (metadata_.batch_size) {
    const auto found = step(payload_, at_);
    FLOW_CHECK(found.has_value());  // open() went through all of them.
    at_ = found->next;
    message.key = found->metadata.key;
    message.payload = found->payload;
    message.stamp = stamp_of(found->metadata.traceparent, found->metadata.tracestate);
    is_base64 = found->metadata.is_key_base64;
  } else {
    message.stamp = stamp_of(metadata_.traceparent, metadata_.tracestate);
  }
  if (is_base64) {
    if (const auto key = base::from_base64(message.key)) {
      decoded_key_ = base::as_text(*key);
      message.key = decoded_key_;
    }
  }
  return message;
}

}  // namespace flow::streaming::pulsar

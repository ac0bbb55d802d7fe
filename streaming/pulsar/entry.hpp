// One entry of a topic: a SEND frame's or MESSAGE frame's metadata and payload, which hold one
// message or a batch.
//   rest of a frame: [0e02 | u32 size | broker entry metadata] 0e01 | CRC32C | u32 metadata size |
//                    MessageMetadata | payload
//   a batch's payload, uncompressed: (u32 size | SingleMessageMetadata | payload_size bytes)*
// The checksum covers everything from the metadata's size on. A payload is a batch when
// num_messages_in_batch is present, whatever its value.
// Thread: any; plain values.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/stamp.hpp"
#include "streaming/pulsar/compression.hpp"
#include "streaming/pulsar/proto.hpp"

namespace flow::streaming::pulsar {

// --- Writing ---

// Collects the messages of one entry, in the form of a batch. Keys are the messages' own; the entry
// has none, since batches mix keys (Key_Shared subscriptions, which go by it, are not served).
class BatchBuilder {
 public:
  void append(std::string_view key, const base::Stamp& stamp, ByteView payload,
              std::uint64_t sequence_id);
  void clear();

  bool empty() const { return count_ == 0; }
  std::uint32_t count() const { return count_; }
  std::size_t bytes() const { return payload_.size(); }
  std::uint64_t first_sequence_id() const { return first_; }
  std::uint64_t last_sequence_id() const { return last_; }
  ByteView payload() const { return payload_; }

 private:
  Bytes payload_;
  std::uint32_t count_ = 0;
  std::uint64_t first_ = 0;
  std::uint64_t last_ = 0;
};

struct SendEnvelope {
  std::uint64_t producer_id = 0;
  std::string_view producer_name;
  std::uint64_t publish_time_ms = 0;  // Since 1970.
  Compression compression = Compression::none;
};

struct SendFrame {
  Bytes bytes;
  std::size_t message_bytes = 0;  // Metadata and payload: what the broker's bound is about.
};

// `scratch` is working memory that the caller keeps between calls.
SendFrame encode_batch(const SendEnvelope& envelope, const BatchBuilder& batch, Bytes& scratch);

// A message of its own, not a batch.
struct SingleMessage {
  std::uint64_t sequence_id = 0;
  std::string_view key;
  base::Stamp stamp;
  ByteView payload;
};
SendFrame encode_single(const SendEnvelope& envelope, const SingleMessage& message, Bytes& scratch);

// --- Reading ---

struct EntryParts {
  ByteView metadata;
  ByteView payload;
};
// Checks lengths and, when there is one, the checksum.
base::Result<EntryParts> split_entry(ByteView rest);

struct MessageMetadata {
  std::string_view producer_name;
  std::uint64_t sequence_id = 0;
  std::uint64_t highest_sequence_id = 0;
  std::uint64_t publish_time_ms = 0;
  std::string_view key;
  bool is_key_base64 = false;
  std::string_view traceparent, tracestate;
  int compression = 0;
  std::uint32_t uncompressed_size = 0;
  std::optional<std::int32_t> batch_size;
  bool is_encrypted = false;
  bool is_marker = false;
  std::int32_t chunks = 1;
  static std::optional<MessageMetadata> decode(ByteView bytes);
};

struct EntryMessage {
  std::uint32_t index = 0;  // In its batch.
  std::string_view key;     // Valid during the call, like `payload`.
  std::optional<base::Stamp> stamp;
  ByteView payload;
};

// Takes an entry apart. Working memory is kept between calls.
class EntryReader {
 public:
  // Checks and unpacks the whole entry before it answers how many messages are in it, so that a
  // damaged one is delivered not at all. 0 for a marker of the broker's own.
  base::Result<std::uint32_t> open(ByteView rest);

  // The messages in their order; open() must have succeeded on bytes that still live.
  void for_each(auto on_message) {
    for (std::uint32_t i = 0; i < count_; ++i) {
      if (!on_message(next(i))) return;
    }
  }

 private:
  EntryMessage next(std::uint32_t index);
  base::Result<void> check_batch() const;

  MessageMetadata metadata_;
  ByteView payload_;
  std::size_t at_ = 0;
  std::uint32_t count_ = 0;
  Bytes uncompressed_;
  std::string decoded_key_;
};

}  // namespace flow::streaming::pulsar

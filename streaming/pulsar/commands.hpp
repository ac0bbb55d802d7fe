// Pulsar's commands: what the client writes, as whole frames, and what it reads. Numbers are those
// of PulsarApi.proto (Pulsar 4.0). Enumerations are plain numbers: an unknown one must be seen, not
// lost.
// Thread: any; plain values.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "streaming/pulsar/proto.hpp"

namespace flow::streaming::pulsar {

inline constexpr std::int32_t protocol_version = 21;
inline constexpr std::uint64_t no_id = ~std::uint64_t{0};  // The broker's -1.

// BaseCommand.type; the field number of the command's own message is the same.
namespace command {
inline constexpr int connect = 2, connected = 3, subscribe = 4, producer = 5, send = 6,
                     send_receipt = 7, send_error = 8, message = 9, ack = 10, flow = 11,
                     success = 13, error = 14, close_producer = 15, close_consumer = 16,
                     producer_success = 17, ping = 18, pong = 19, partitioned_metadata = 21,
                     partitioned_metadata_response = 22, lookup = 23, lookup_response = 24,
                     get_last_message_id = 29, get_last_message_id_response = 30,
                     auth_challenge = 36, auth_response = 37, topic_migrated = 68;
}  // namespace command

namespace server_error {
inline constexpr int unknown = 0, metadata = 1, persistence = 2, authentication = 3,
                     authorization = 4, consumer_busy = 5, service_not_ready = 6,
                     quota_exceeded_error = 7, quota_exceeded_exception = 8, checksum = 9,
                     unsupported_version = 10, topic_not_found = 11, too_many_requests = 14,
                     topic_terminated = 15, producer_busy = 16, invalid_topic_name = 17,
                     incompatible_schema = 18, not_allowed = 22, producer_fenced = 25;
std::string name(int error);  // "ServiceNotReady (6)"
}  // namespace server_error

struct MessageId {
  std::uint64_t ledger = 0;
  std::uint64_t entry = 0;
  std::int32_t partition = -1;
  std::int32_t batch_index = -1;
  bool operator==(const MessageId&) const = default;
};
inline constexpr MessageId earliest{.ledger = no_id, .entry = no_id};

// --- What the client writes: complete frames. ---

struct Connect {
  std::string_view client_version;
  std::string_view token;     // Empty: no authentication.
  std::string_view proxy_to;  // host:port of the broker behind a proxy; empty: none.
};
struct CreateProducer {
  std::string_view topic;
  std::uint64_t producer_id = 0;
  std::uint64_t request_id = 0;
  std::string_view name;  // Empty: the broker makes one.
  std::uint64_t epoch = 0;
  std::string_view client_id;
};
struct Subscribe {
  std::string_view topic;
  std::string_view subscription;
  std::uint64_t consumer_id = 0;
  std::uint64_t request_id = 0;
  MessageId start;  // The broker goes on at or after it.
  std::string_view client_id;
};

Bytes encode_ping();
Bytes encode_pong();
Bytes encode_connect(const Connect& connect);
Bytes encode_auth_response(std::string_view client_version, std::string_view token);
Bytes encode_partitioned_metadata(std::string_view topic, std::uint64_t request_id);
Bytes encode_lookup(std::string_view topic, std::uint64_t request_id, bool authoritative);
Bytes encode_producer(const CreateProducer& create);
Bytes encode_subscribe(const Subscribe& subscribe);
Bytes encode_close_producer(std::uint64_t producer_id, std::uint64_t request_id);
Bytes encode_close_consumer(std::uint64_t consumer_id, std::uint64_t request_id);
Bytes encode_flow(std::uint64_t consumer_id, std::uint32_t permits);
// `ack_set`: 64 bits per word, 1 = not yet acknowledged; empty for a whole entry.
Bytes encode_ack(std::uint64_t consumer_id, bool cumulative, const MessageId& id,
                 std::span<const std::uint64_t> ack_set = {});
Bytes encode_get_last_message_id(std::uint64_t consumer_id, std::uint64_t request_id);

// A frame whose command has this type; `fill(writer)` writes the command's own fields.
Bytes encode_command(int type, auto fill);
void finish_command(Bytes& frame);  // Fills in the sizes of a frame without payload.

// --- What it reads. A decoder gives nullopt for malformed bytes or a missing required field. ---

struct Command {
  int type = 0;
  ByteView body;  // The command's own message.
};
std::optional<Command> decode_command(ByteView bytes);

struct Connected {
  std::string_view server_version;
  std::int32_t protocol_version = 0;
  std::int32_t message_bytes_max = 0;  // 0: not told.
  static std::optional<Connected> decode(ByteView body);
};
struct ErrorReply {
  std::uint64_t request_id = no_id;
  int error = 0;
  std::string_view text;
  static std::optional<ErrorReply> decode(ByteView body);
};
struct SuccessReply {
  std::uint64_t request_id = no_id;
  static std::optional<SuccessReply> decode(ByteView body);
};
struct PartitionsReply {
  std::uint64_t request_id = no_id;
  std::uint32_t partitions = 0;
  bool is_failure = false;
  int error = 0;
  std::string_view text;
  static std::optional<PartitionsReply> decode(ByteView body);
};
struct LookupReply {
  static constexpr int redirect = 0, connect = 1, failed = 2;
  std::uint64_t request_id = no_id;
  std::string_view broker_url;
  int response = failed;
  bool authoritative = false;
  bool through_proxy = false;
  int error = 0;
  std::string_view text;
  static std::optional<LookupReply> decode(ByteView body);
};
struct ProducerReply {
  std::uint64_t request_id = no_id;
  std::string_view name;
  std::int64_t last_sequence_id = -1;
  bool ready = true;
  static std::optional<ProducerReply> decode(ByteView body);
};
struct Receipt {
  std::uint64_t producer_id = 0;
  std::uint64_t sequence_id = 0;
  std::uint64_t highest_sequence_id = 0;
  MessageId id;  // Ledger and entry no_id: not newly stored.
  static std::optional<Receipt> decode(ByteView body);
};
struct SendFailure {
  std::uint64_t producer_id = 0;
  std::uint64_t sequence_id = 0;  // The last one of a batch.
  int error = 0;
  std::string_view text;
  static std::optional<SendFailure> decode(ByteView body);
};
struct ClosedByBroker {  // CLOSE_PRODUCER, CLOSE_CONSUMER
  std::uint64_t id = 0;
  std::string_view assigned_url;
  static std::optional<ClosedByBroker> decode(ByteView body);
};
struct MessageHeader {
  std::uint64_t consumer_id = 0;
  MessageId id;
  bool has_ack_set = false;
  static std::optional<MessageHeader> decode(ByteView body);
};
struct LastMessageIdReply {
  std::uint64_t request_id = no_id;
  MessageId id;  // Entry no_id: the partition is empty.
  static std::optional<LastMessageIdReply> decode(ByteView body);
};

std::optional<MessageId> decode_message_id(ByteView bytes);
void write_message_id(ProtoWriter& out, int field, const MessageId& id,
                      std::span<const std::uint64_t> ack_set = {});

Bytes encode_command(int type, auto fill) {
  Bytes frame;
  frame.reserve(96);
  frame.resize(8);
  ProtoWriter out(frame);
  out.varint(1, static_cast<std::uint64_t>(type));
  out.message(type, [&] { fill(out); });
  finish_command(frame);
  return frame;
}

}  // namespace flow::streaming::pulsar

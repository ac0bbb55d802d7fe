// SPDX-License-Identifier: Apache-2.0
#include "streaming/pulsar/commands.hpp"

#include <algorithm>
#include <array>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace flow::streaming::pulsar {
namespace {

void write_feature_flags(ProtoWriter& out, int field) {
  // supports_auth_refresh: without it the broker closes the connection when a token expires.
  out.message(field, [&] { out.varint(1, 1); });
}

void write_metadata(ProtoWriter& out, int field, std::string_view key, std::string_view value) {
  out.message(field, [&] {
    out.text(1, key);
    out.text(2, value);
  });
}

}  // namespace

std::string server_error::name(int error) {
  constexpr std::array<std::string_view, 26> names = {"UnknownError",
                                                      "MetadataError",
                                                      "PersistenceError",
                                                      "AuthenticationError",
                                                      "AuthorizationError",
                                                      "ConsumerBusy",
                                                      "ServiceNotReady",
                                                      "ProducerBlockedQuotaExceededError",
                                                      "ProducerBlockedQuotaExceededException",
                                                      "ChecksumError",
                                                      "UnsupportedVersionError",
                                                      "TopicNotFound",
                                                      "SubscriptionNotFound",
                                                      "ConsumerNotFound",
                                                      "TooManyRequests",
                                                      "TopicTerminatedError",
                                                      "ProducerBusy",
                                                      "InvalidTopicName",
                                                      "IncompatibleSchema",
                                                      "ConsumerAssignError",
                                                      "TransactionCoordinatorNotFound",
                                                      "InvalidTxnStatus",
                                                      "NotAllowedError",
                                                      "TransactionConflict",
                                                      "TransactionNotFound",
                                                      "ProducerFenced"};
  const auto index = static_cast<std::size_t>(error);
  const std::string_view text = error >= 0 && index < names.size() ? names[index] : "an error";
  return fmt::format("{} ({})", text, error);
}

void finish_command(Bytes& frame) {
  base::store_be32(frame.data(), static_cast<std::uint32_t>(frame.size() - 4));
  base::store_be32(frame.data() + 4, static_cast<std::uint32_t>(frame.size() - 8));
}

void write_message_id(ProtoWriter& out, int field, const MessageId& id,
                      std::span<const std::uint64_t> ack_set) {
  out.message(field, [&] {
    out.varint(1, id.ledger);
    out.varint(2, id.entry);
    if (id.partition >= 0) out.varint(3, static_cast<std::uint64_t>(id.partition));
    if (id.batch_index >= 0) out.varint(4, static_cast<std::uint64_t>(id.batch_index));
    for (const std::uint64_t word : ack_set) out.varint(5, word);
  });
}

Bytes encode_ping() {
  return encode_command(command::ping, [](ProtoWriter&) {});
}

Bytes encode_pong() {
  return encode_command(command::pong, [](ProtoWriter&) {});
}

Bytes encode_connect(const Connect& connect) {
  return encode_command(command::connect, [&](ProtoWriter& out) {
    out.text(1, connect.client_version);
    if (!connect.token.empty()) out.text(3, connect.token);
    out.varint(4, protocol_version);
    out.text(5, connect.token.empty() ? "none" : "token");
    if (!connect.proxy_to.empty()) out.text(6, connect.proxy_to);
    write_feature_flags(out, 10);
  });
}

Bytes encode_auth_response(std::string_view client_version, std::string_view token) {
  return encode_command(command::auth_response, [&](ProtoWriter& out) {
    out.text(1, client_version);
    out.message(2, [&] {
      out.text(1, token.empty() ? "none" : "token");
      out.text(2, token);  // Present even when empty.
    });
    out.varint(3, protocol_version);
  });
}

Bytes encode_partitioned_metadata(std::string_view topic, std::uint64_t request_id) {
  return encode_command(command::partitioned_metadata, [&](ProtoWriter& out) {
    out.text(1, topic);
    out.varint(2, request_id);
    out.varint(6, 0);  // A mistyped name must not make a topic.
  });
}

Bytes encode_lookup(std::string_view topic, std::uint64_t request_id, bool authoritative) {
  return encode_command(command::lookup, [&](ProtoWriter& out) {
    out.text(1, topic);
    out.varint(2, request_id);
    out.varint(3, authoritative ? 1 : 0);
  });
}

Bytes encode_producer(const CreateProducer& create) {
  return encode_command(command::producer, [&](ProtoWriter& out) {
    out.text(1, create.topic);
    out.varint(2, create.producer_id);
    out.varint(3, create.request_id);
    if (!create.name.empty()) out.text(4, create.name);
    if (!create.client_id.empty()) write_metadata(out, 6, "client", create.client_id);
    out.varint(8, create.epoch);
    out.varint(9, 0);  // The name is the broker's; absent would mean true.
  });
}

Bytes encode_subscribe(const Subscribe& subscribe) {
  return encode_command(command::subscribe, [&](ProtoWriter& out) {
    out.text(1, subscribe.topic);
    out.text(2, subscribe.subscription);
    out.varint(3, 0);  // Exclusive.
    out.varint(4, subscribe.consumer_id);
    out.varint(5, subscribe.request_id);
    out.varint(8, 0);  // Not durable.
    write_message_id(out, 9, subscribe.start);
    if (!subscribe.client_id.empty()) write_metadata(out, 10, "client", subscribe.client_id);
    out.varint(13, 1);  // Earliest, where `start` is no longer there.
    out.varint(15, 0);  // A mistyped name must not make a topic.
  });
}

Bytes encode_close_producer(std::uint64_t producer_id, std::uint64_t request_id) {
  return encode_command(command::close_producer, [&](ProtoWriter& out) {
    out.varint(1, producer_id);
    out.varint(2, request_id);
  });
}

Bytes encode_close_consumer(std::uint64_t consumer_id, std::uint64_t request_id) {
  return encode_command(command::close_consumer, [&](ProtoWriter& out) {
    out.varint(1, consumer_id);
    out.varint(2, request_id);
  });
}

Bytes encode_flow(std::uint64_t consumer_id, std::uint32_t permits) {
  return encode_command(command::flow, [&](ProtoWriter& out) {
    out.varint(1, consumer_id);
    out.varint(2, permits);
  });
}

Bytes encode_ack(std::uint64_t consumer_id, bool cumulative, const MessageId& id,
                 std::span<const std::uint64_t> ack_set) {
  return encode_command(command::ack, [&](ProtoWriter& out) {
    out.varint(1, consumer_id);
    out.varint(2, cumulative ? 1 : 0);
    write_message_id(out, 3, id, ack_set);
  });
}

Bytes encode_get_last_message_id(std::uint64_t consumer_id, std::uint64_t request_id) {
  return encode_command(command::get_last_message_id, [&](ProtoWriter& out) {
    out.varint(1, consumer_id);
    out.varint(2, request_id);
  });
}

std::optional<Command> decode_command(ByteView bytes) {
  std::optional<std::int32_t> type;
  ProtoReader first(bytes);
  while (first.next()) {
    if (first.field() == 1) type = first.int32();
  }
  if (!first.ok() || !type || *type <= 0) return std::nullopt;
  Command command{*type, {}};  // One that this client does not know may have no message.
  ProtoReader second(bytes);
  while (second.next()) {
    if (second.field() == *type && *type != 1) command.body = second.bytes();
  }
  if (!second.ok()) return std::nullopt;
  return command;
}

std::optional<MessageId> decode_message_id(ByteView bytes) {
  MessageId id;
  int seen = 0;
  ProtoReader in(bytes);
  while (in.next()) {
    switch (in.field()) {
      case 1:
        id.ledger = in.varint(), seen |= 1;
        break;
      case 2:
        id.entry = in.varint(), seen |= 2;
        break;
      case 3:
        id.partition = in.int32();
        break;
      case 4:
        id.batch_index = in.int32();
        break;
      default:
        break;
    }
  }
  if (!in.ok() || seen != 3) return std::nullopt;
  return id;
}

std::optional<Connected> Connected::decode(ByteView body) {
  Connected reply;
  bool seen = false;
  ProtoReader in(body);
  while (in.next()) {
    switch (in.field()) {
      case 1:
        reply.server_version = in.text(), seen = true;
        break;
      case 2:
        reply.protocol_version = in.int32();
        break;
      case 3:
        reply.message_bytes_max = in.int32();
        break;
      default:
        break;
    }
  }
  if (!in.ok() || !seen) return std::nullopt;
  return reply;
}

std::optional<ErrorReply> ErrorReply::decode(ByteView body) {
  ErrorReply reply;
  int seen = 0;
  ProtoReader in(body);
  while (in.next()) {
    switch (in.field()) {
      case 1:
        reply.request_id = in.varint(), seen |= 1;
        break;
      case 2:
        reply.error = in.int32(), seen |= 2;
        break;
      case 3:
        reply.text = in.text();
        break;
      default:
        break;
    }
  }
  if (!in.ok() || seen != 3) return std::nullopt;
  return reply;
}

std::optional<SuccessReply> SuccessReply::decode(ByteView body) {
  SuccessReply reply;
  bool seen = false;
  ProtoReader in(body);
  while (in.next()) {
    if (in.field() == 1) reply.request_id = in.varint(), seen = true;
  }
  if (!in.ok() || !seen) return std::nullopt;
  return reply;
}

std::optional<PartitionsReply> PartitionsReply::decode(ByteView body) {
  PartitionsReply reply;
  bool seen = false;
  ProtoReader in(body);
  while (in.next()) {
    switch (in.field()) {
      case 1:
        reply.partitions = static_cast<std::uint32_t>(in.varint());
        break;
      case 2:
        reply.request_id = in.varint(), seen = true;
        break;
      case 3:
        reply.is_failure = in.varint() != 0;
        break;
      case 4:
        reply.error = in.int32(), reply.is_failure = true;
        break;
      case 5:
        reply.text = in.text();
        break;
      default:
        break;
    }
  }
  if (!in.ok() || !seen) return std::nullopt;
  return reply;
}

std::optional<LookupReply> LookupReply::decode(ByteView body) {
  LookupReply reply;
  bool seen = false;
  ProtoReader in(body);
  while (in.next()) {
    switch (in.field()) {
      case 1:
        reply.broker_url = in.text();
        break;
      case 3:
        reply.response = in.int32();
        break;
      case 4:
        reply.request_id = in.varint(), seen = true;
        break;
      case 5:
        reply.authoritative = in.boolean();
        break;
      case 6:
        reply.error = in.int32();
        break;
      case 7:
        reply.text = in.text();
        break;
      case 8:
        reply.through_proxy = in.boolean();
        break;
      default:
        break;
    }
  }
  if (!in.ok() || !seen) return std::nullopt;
  return reply;
}

std::optional<ProducerReply> ProducerReply::decode(ByteView body) {
  ProducerReply reply;
  int seen = 0;
  ProtoReader in(body);
  while (in.next()) {
    switch (in.field()) {
      case 1:
        reply.request_id = in.varint(), seen |= 1;
        break;
      case 2:
        reply.name = in.text(), seen |= 2;
        break;
      case 3:
        reply.last_sequence_id = in.signed_varint();
        break;
      case 6:
        reply.ready = in.boolean();
        break;
      default:
        break;
    }
  }
  if (!in.ok() || seen != 3) return std::nullopt;
  return reply;
}

std::optional<Receipt> Receipt::decode(ByteView body) {
  Receipt receipt;
  int seen = 0;
  ProtoReader in(body);
  while (in.next()) {
    switch (in.field()) {
      case 1:
        receipt.producer_id = in.varint(), seen |= 1;
        break;
      case 2:
        receipt.sequence_id = in.varint(), seen |= 2;
        break;
      case 3: {
        const auto id = decode_message_id(in.bytes());
        if (!id) return std::nullopt;
        receipt.id = *id;
        break;
      }
      case 4:
        receipt.highest_sequence_id = in.varint();
        break;
      default:
        break;
    }
  }
  if (!in.ok() || seen != 3) return std::nullopt;
  return receipt;
}

std::optional<SendFailure> SendFailure::decode(ByteView body) {
  SendFailure failure;
  int seen = 0;
  ProtoReader in(body);
  while (in.next()) {
    switch (in.field()) {
      case 1:
        failure.producer_id = in.varint(), seen |= 1;
        break;
      case 2:
        failure.sequence_id = in.varint(), seen |= 2;
        break;
      case 3:
        failure.error = in.int32(), seen |= 4;
        break;
      case 4:
        failure.text = in.text();
        break;
      default:
        break;
    }
  }
  if (!in.ok() || seen != 7) return std::nullopt;
  return failure;
}

std::optional<ClosedByBroker> ClosedByBroker::decode(ByteView body) {
  ClosedByBroker closed;
  bool seen = false;
  ProtoReader in(body);
  while (in.next()) {
    switch (in.field()) {
      case 1:
        closed.id = in.varint(), seen = true;
        break;
      case 3:
        closed.assigned_url = in.text();
        break;
      default:
        break;
    }
  }
  if (!in.ok() || !seen) return std::nullopt;
  return closed;
}

std::optional<MessageHeader> MessageHeader::decode(ByteView body) {
  MessageHeader header;
  int seen = 0;
  ProtoReader in(body);
  while (in.next()) {
    switch (in.field()) {
      case 1:
        header.consumer_id = in.varint(), seen |= 1;
        break;
      case 2: {
        const auto id = decode_message_id(in.bytes());
        if (!id) return std::nullopt;
        header.id = *id;
        seen |= 2;
        break;
      }
      case 4:
        header.has_ack_set = true;
        break;
      default:
        break;
    }
  }
  if (!in.ok() || seen != 3) return std::nullopt;
  return header;
}

std::optional<LastMessageIdReply> LastMessageIdReply::decode(ByteView body) {
  LastMessageIdReply reply;
  int seen = 0;
  ProtoReader in(body);
  while (in.next()) {
    switch (in.field()) {
      case 1: {
        const auto id = decode_message_id(in.bytes());
        if (!id) return std::nullopt;
        reply.id = *id;
        seen |= 1;
        break;
      }
      case 2:
        reply.request_id = in.varint(), seen |= 2;
        break;
      default:
        break;
    }
  }
  if (!in.ok() || seen != 3) return std::nullopt;
  return reply;
}

}  // namespace flow::streaming::pulsar

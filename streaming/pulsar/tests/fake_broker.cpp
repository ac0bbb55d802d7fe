// SPDX-License-Identifier: Apache-2.0
#include "streaming/pulsar/tests/fake_broker.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/bytes.hpp"
#include "streaming/pulsar/compression.hpp"
#include "streaming/pulsar/crc32c.hpp"

namespace flow::streaming::pulsar::testing {
namespace {

// All fields of a message with small numbers, by number; repeated ones keep the last.
struct Fields {
  std::map<int, std::uint64_t> numbers;
  std::map<int, ByteView> texts;
  bool is_good = true;

  explicit Fields(ByteView body) {
    ProtoReader in(body);
    while (in.next()) {
      ProtoReader probe = in;
      const std::uint64_t number = probe.varint();
      if (probe.ok()) {
        numbers[in.field()] = number;
      } else {
        probe = in;
        texts[in.field()] = probe.bytes();
      }
    }
    is_good = in.ok();
  }
  bool has(int field) const { return numbers.contains(field); }
  std::uint64_t number(int field, std::uint64_t otherwise = 0) const {
    return has(field) ? numbers.at(field) : otherwise;
  }
  std::string text(int field) const {
    return texts.contains(field) ? std::string(base::as_text(texts.at(field))) : std::string{};
  }
};

}  // namespace

Bytes receipt_frame(std::uint64_t producer_id, std::uint64_t sequence_id, std::uint64_t highest,
                    std::uint64_t ledger, std::uint64_t entry) {
  return encode_command(command::send_receipt, [&](ProtoWriter& out) {
    out.varint(1, producer_id);
    out.varint(2, sequence_id);
    write_message_id(out, 3, {.ledger = ledger, .entry = entry});
    out.varint(4, highest);
  });
}

Bytes send_error_frame(std::uint64_t producer_id, std::uint64_t sequence_id, int error) {
  return encode_command(command::send_error, [&](ProtoWriter& out) {
    out.varint(1, producer_id);
    out.varint(2, sequence_id);
    out.varint(3, static_cast<std::uint64_t>(error));
    out.text(4, "scripted");
  });
}

Bytes message_frame(std::uint64_t consumer_id, std::uint64_t ledger, std::uint64_t entry,
                    ByteView rest) {
  Bytes frame = encode_command(command::message, [&](ProtoWriter& out) {
    out.varint(1, consumer_id);
    write_message_id(out, 2, {.ledger = ledger, .entry = entry});
  });
  frame.insert(frame.end(), rest.begin(), rest.end());
  base::store_be32(frame.data(), static_cast<std::uint32_t>(frame.size() - 4));
  return frame;
}

// --- Transport ---

int FakeBroker::accept() {
  connections_.emplace(next_connection_, ConnectionState{});
  return next_connection_++;
}

void FakeBroker::receive(int connection, ByteView bytes) {
  ConnectionState& state = connections_.at(connection);
  if (state.is_hung_up) return;
  state.reader.set_frame_bytes_max(message_bytes_max + frame_slack_bytes);
  state.reader.push(bytes);
  while (!state.is_hung_up) {
    const auto frame = state.reader.pull();
    if (!frame) return blame(connection, frame.error().what);
    if (!*frame) break;
    handle(connection, **frame);
  }
  pump();
}

void FakeBroker::disconnect(int connection) {
  ConnectionState& state = connections_.at(connection);
  state.is_hung_up = true;
  state.producers.clear();
  state.consumers.clear();
}

std::optional<Bytes> FakeBroker::next_output(int connection) {
  ConnectionState& state = connections_.at(connection);
  if (state.output.empty()) return std::nullopt;
  Bytes frame = std::move(state.output.front());
  state.output.pop_front();
  return frame;
}

void FakeBroker::send(int connection, Bytes frame) {
  ConnectionState& state = connections_.at(connection);
  if (!state.is_hung_up) state.output.push_back(std::move(frame));
}

void FakeBroker::send_all(const Bytes& frame) {
  for (auto& [id, state] : connections_) send(id, frame);
}

void FakeBroker::hang_up(int connection) { disconnect(connection); }

void FakeBroker::hang_up_all() {
  for (auto& [id, state] : connections_) disconnect(id);
}

void FakeBroker::blame(int connection, const std::string& what) {
  client_errors_.push_back(what);
  hang_up(connection);
}

// --- Commands ---

void FakeBroker::handle(int connection, const Frame& frame) {
  const auto command = decode_command(frame.command);
  if (!command) return blame(connection, "a malformed command");
  ++counts_[command->type];
  if (command->type == command::send) {
    send_frames.emplace_back(frame.rest.begin(), frame.rest.end());
  }
  const Verdict verdict = on_command ? on_command(connection, command->type) : Verdict::proceed;
  if (verdict == Verdict::swallow) return;
  if (verdict == Verdict::hang_up) return hang_up(connection);
  const ConnectionState& state = connections_.at(connection);
  if (!state.is_connected && command->type != command::connect) {
    return blame(connection, fmt::format("command {} before CONNECT", command->type));
  }
  dispatch(connection, *command, frame);
}

void FakeBroker::dispatch(int connection, const Command& command, const Frame& frame) {
  switch (command.type) {
    case command::connect:
      return handle_connect(connection, command.body);
    case command::ping:
      return send(connection, encode_pong());
    case command::pong:
    case command::auth_response:
      return;
    case command::partitioned_metadata:
      return handle_partitions(connection, command.body);
    case command::lookup:
      return handle_lookup(connection, command.body);
    case command::producer:
      return handle_producer(connection, command.body);
    case command::send:
      return handle_send(connection, command.body, frame);
    case command::subscribe:
      return handle_subscribe(connection, command.body);
    case command::flow:
      return handle_flow(connection, command.body);
    case command::ack:
      return;
    case command::close_producer:
    case command::close_consumer:
      return handle_close(connection, command.type, command.body);
    case command::get_last_message_id:
      return handle_last_message_id(connection, command.body);
    default:
      return blame(connection, fmt::format("command {} is not for a broker", command.type));
  }
}

void FakeBroker::handle_connect(int connection, ByteView body) {
  const Fields in(body);
  ConnectionState& state = connections_.at(connection);
  if (state.is_connected || in.text(1).empty() || in.number(4) < 17) {
    return blame(connection, "a wrong CONNECT");
  }
  if (in.text(3) != token || in.text(5) != (token.empty() ? "none" : "token")) {
    reply_error(connection, no_id, server_error::authentication);
    state.producers.clear();
    return;
  }
  state.is_connected = true;
  send(connection, encode_command(command::connected, [&](ProtoWriter& out) {
         out.text(1, "fake broker");
         out.varint(2, std::min<std::uint64_t>(21, in.number(4)));
         out.varint(3, message_bytes_max);
       }));
}

void FakeBroker::reply_error(int connection, std::uint64_t request_id, int error) {
  send(connection, encode_command(command::error, [&](ProtoWriter& out) {
         out.varint(1, request_id);
         out.varint(2, static_cast<std::uint64_t>(error));
         out.text(3, "scripted");
       }));
}

void FakeBroker::handle_partitions(int connection, ByteView body) {
  const Fields in(body);
  if (in.number(6, 1) != 0) return blame(connection, "asks for the creation of a topic");
  const auto found = topics.find(in.text(1));
  send(connection, encode_command(command::partitioned_metadata_response, [&](ProtoWriter& out) {
         if (found != topics.end()) out.varint(1, static_cast<std::uint64_t>(found->second));
         out.varint(2, in.number(2));
         out.varint(3, found == topics.end() ? 1 : 0);
         if (found == topics.end()) out.varint(4, server_error::topic_not_found);
       }));
}

void FakeBroker::handle_lookup(int connection, ByteView body) {
  const Fields in(body);
  const std::string topic = in.text(1);
  authoritative_seen.push_back(in.number(3) != 0);
  const int error = lookup_error ? lookup_error(topic) : -1;
  const auto to = redirect ? redirect(topic) : std::nullopt;
  send(connection, encode_command(command::lookup_response, [&](ProtoWriter& out) {
         if (error < 0) out.text(1, to ? *to : url);
         out.varint(3, error >= 0 ? 2 : to ? 0 : 1);
         out.varint(4, in.number(2));
         out.varint(5, to ? 1 : 0);
         if (error >= 0) out.varint(6, static_cast<std::uint64_t>(error));
       }));
}

bool FakeBroker::topic_exists(const std::string& partition) const {
  for (const auto& [name, partitions] : topics) {
    if (partitions == 0 && partition == name) return true;
    for (int i = 0; i < partitions; ++i) {
      if (partition == fmt::format("{}-partition-{}", name, i)) return true;
    }
  }
  return false;
}

void FakeBroker::handle_producer(int connection, ByteView body) {
  const Fields in(body);
  ConnectionState& state = connections_.at(connection);
  const std::uint64_t id = in.number(2);
  const std::uint64_t request_id = in.number(3);
  ProducerState made{.topic = in.text(1), .name = in.text(4), .epoch = in.number(8)};
  epochs_seen.push_back(made.epoch);
  names_seen.push_back(made.name);
  if (in.number(9, 1) != 0) return blame(connection, "calls a generated producer name its own");
  const int error = producer_error ? producer_error(made.topic) : -1;
  if (error >= 0) return reply_error(connection, request_id, error);
  if (!topic_exists(made.topic)) {
    return reply_error(connection, request_id, server_error::topic_not_found);
  }
  for (const auto& [other, other_state] : connections_) {
    for (const auto& [other_id, producer] : other_state.producers) {
      if (producer.topic != made.topic || producer.name != made.name || made.name.empty()) continue;
      const bool is_same = other == connection && other_id == id;
      if (is_same && made.epoch > producer.epoch) continue;
      return reply_error(connection, request_id, server_error::producer_busy);
    }
  }
  if (made.name.empty()) made.name = fmt::format("fake-{}", next_name_++);
  made.is_confirmed = !producer_is_ready_later;
  made.request_id = request_id;
  state.closed_producers.erase(id);
  state.fenced_producers.erase(id);
  state.producers[id] = made;
  send(connection, encode_command(command::producer_success, [&](ProtoWriter& out) {
         out.varint(1, request_id);
         out.text(2, made.name);
         out.varint(3, no_id);
         out.varint(6, made.is_confirmed ? 1 : 0);
       }));
}

void FakeBroker::make_producers_ready() {
  for (auto& [connection, state] : connections_) {
    for (auto& [id, producer] : state.producers) {
      if (std::exchange(producer.is_confirmed, true)) continue;
      const ProducerState ready = producer;
      send(connection, encode_command(command::producer_success, [&](ProtoWriter& out) {
             out.varint(1, ready.request_id);
             out.text(2, ready.name);
             out.varint(6, 1);
           }));
    }
  }
}

// Checks an entry as the real broker and a reader of it would, without the client's own code for
// entries. nullopt: something is wrong with it.
std::optional<StoredEntry> FakeBroker::parse_entry(ByteView rest, std::uint64_t first,
                                                   std::uint64_t highest, std::int64_t count) {
  if (rest.size() < 10 || rest[0] != std::byte{0x0e} || rest[1] != std::byte{0x01}) return {};
  if (base::load_be32(rest.data() + 2) != crc32c_by_table(rest.subspan(6))) return {};
  const std::size_t metadata_size = base::load_be32(rest.data() + 6);
  if (metadata_size > rest.size() - 10) return {};
  const Fields metadata(rest.subspan(10, metadata_size));
  if (!metadata.is_good || metadata.text(1).empty()) return {};
  if (metadata.number(2, no_id) != first || !metadata.has(3)) return {};
  ByteView payload = rest.subspan(10 + metadata_size);
  Bytes uncompressed;
  if (const auto codec = metadata.number(8); codec != 0) {
    if (!decompress(static_cast<int>(codec), payload, metadata.number(9), uncompressed)) return {};
    payload = uncompressed;
  }
  StoredEntry entry{
      .ledger = 0, .entry = 0, .rest = Bytes(rest.begin(), rest.end()), .messages = {}};
  if (!metadata.has(11)) {
    entry.messages.push_back({metadata.text(6), std::string(base::as_text(payload)), first});
    return entry;
  }
  if (static_cast<std::int64_t>(metadata.number(11)) != count) return {};
  if (metadata.number(24) != highest) return {};
  std::size_t at = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    if (payload.size() - at < 4) return {};
    const std::size_t size = base::load_be32(payload.data() + at);
    if (size > payload.size() - at - 4) return {};
    const Fields message(payload.subspan(at + 4, size));
    at += 4 + size;
    const std::uint64_t length = message.number(3);
    if (!message.is_good || length > payload.size() - at) return {};
    const auto text = base::as_text(payload.subspan(at, length));
    entry.messages.push_back({message.text(2), std::string(text), message.number(8)});
    at += length;
  }
  if (at != payload.size()) return {};
  if (entry.messages.front().sequence_id != first) return {};
  if (entry.messages.back().sequence_id != highest) return {};
  return entry;
}

void FakeBroker::handle_send(int connection, ByteView body, const Frame& frame) {
  const Fields in(body);
  ConnectionState& state = connections_.at(connection);
  const std::uint64_t id = in.number(1);
  if (state.closed_producers.contains(id)) return;
  const auto producer = state.producers.find(id);
  if (producer == state.producers.end() || !producer->second.is_confirmed) {
    return blame(connection, fmt::format("SEND for the unknown producer {}", id));
  }
  const std::uint64_t first = in.number(2);
  const std::uint64_t highest = in.number(6, first);
  auto entry = parse_entry(frame.rest, first, highest, static_cast<std::int64_t>(in.number(3, 1)));
  if (!entry || first > highest) return blame(connection, "SEND with a wrong entry");
  if (frame.rest.size() - 10 > message_bytes_max) return blame(connection, "an entry too large");
  auto& log = logs_[producer->second.topic];
  entry->ledger = 10 + ledgers_[producer->second.topic];
  entry->entry = log.empty() || log.back().ledger != entry->ledger ? 0 : log.back().entry + 1;
  int error = send_error ? send_error(*entry) : -1;
  // A topic that failed to write stays closed for what was sent behind it: order is kept.
  const auto fenced = state.fenced_producers.find(id);
  if (fenced != state.fenced_producers.end()) error = fenced->second;
  if (error >= 0) {
    if (error != server_error::not_allowed) state.fenced_producers[id] = error;
    return send(connection, send_error_frame(id, highest, error));
  }
  Bytes receipt = receipt_frame(id, first, highest, entry->ledger, entry->entry);
  const bool is_lost = lose_receipt && lose_receipt(*entry);
  log.push_back(std::move(*entry));
  if (is_lost) return;
  if (holds_receipts) {
    held_.push_back({connection, std::move(receipt)});
  } else {
    send(connection, std::move(receipt));
  }
}

void FakeBroker::release_receipts() {
  for (auto& held : std::exchange(held_, {})) send(held.connection, std::move(held.frame));
}

void FakeBroker::append(const std::string& partition, Bytes rest) {
  auto& log = logs_[partition];
  const std::uint64_t ledger = 10 + ledgers_[partition];
  const std::uint64_t entry = log.empty() || log.back().ledger != ledger ? 0 : log.back().entry + 1;
  log.push_back({.ledger = ledger, .entry = entry, .rest = std::move(rest), .messages = {}});
  pump();
}

std::vector<std::string> FakeBroker::payloads(const std::string& partition) {
  std::vector<std::string> all;
  for (const auto& entry : logs_[partition]) {
    for (const auto& message : entry.messages) all.push_back(message.payload);
  }
  return all;
}

void FakeBroker::handle_subscribe(int connection, ByteView body) {
  const Fields in(body);
  ConnectionState& state = connections_.at(connection);
  const std::uint64_t id = in.number(4);
  const std::uint64_t request_id = in.number(5);
  ConsumerState made{.topic = in.text(1)};
  if (in.number(8, 1) != 0 || in.number(15, 1) != 0 || in.number(3, 9) != 0) {
    return blame(connection, "a subscription that is durable, shared or makes topics");
  }
  const int error = subscribe_error ? subscribe_error(made.topic) : -1;
  if (error >= 0) return reply_error(connection, request_id, error);
  if (!topic_exists(made.topic)) {
    return reply_error(connection, request_id, server_error::topic_not_found);
  }
  const bool is_live = state.consumers.contains(id);  // Then SUCCESS, and nothing is sent again.
  const auto start = decode_message_id(Fields(body).texts.at(9));
  if (!start) return blame(connection, "a subscription without a start");
  if (!is_live) {
    // At the entry that is named, as the real broker does, not behind it.
    const auto& log = logs_[made.topic];
    while (start->ledger != no_id && made.next < log.size() &&
           std::pair(log[made.next].ledger, log[made.next].entry) <
               std::pair(start->ledger, start->entry)) {
      ++made.next;
    }
    state.consumers[id] = made;
  }
  send(connection,
       encode_command(command::success, [&](ProtoWriter& out) { out.varint(1, request_id); }));
}

void FakeBroker::handle_flow(int connection, ByteView body) {
  const Fields in(body);
  ConnectionState& state = connections_.at(connection);
  const auto consumer = state.consumers.find(in.number(1));
  if (in.number(2) == 0) return blame(connection, "FLOW(0)");
  if (consumer == state.consumers.end()) return;
  consumer->second.permits += static_cast<std::int64_t>(in.number(2));
}

void FakeBroker::pump() {
  for (auto& [connection, state] : connections_) {
    for (auto& [id, consumer] : state.consumers) {
      const auto& log = logs_[consumer.topic];
      while (consumer.permits > 0 && consumer.next < log.size()) {
        const StoredEntry& entry = log[consumer.next++];
        Bytes rest = entry.rest;
        if (damage) damage(rest);
        consumer.permits -=
            std::max<std::int64_t>(1, static_cast<std::int64_t>(entry.messages.size()));
        send(connection, message_frame(id, entry.ledger, entry.entry, rest));
      }
    }
  }
}

void FakeBroker::handle_close(int connection, int type, ByteView body) {
  const Fields in(body);
  ConnectionState& state = connections_.at(connection);
  if (type == command::close_producer) state.producers.erase(in.number(1));
  if (type == command::close_consumer) state.consumers.erase(in.number(1));
  send(connection,
       encode_command(command::success, [&](ProtoWriter& out) { out.varint(1, in.number(2)); }));
}

void FakeBroker::handle_last_message_id(int connection, ByteView body) {
  const Fields in(body);
  const ConnectionState& state = connections_.at(connection);
  const auto consumer = state.consumers.find(in.number(1));
  if (consumer == state.consumers.end()) {
    return reply_error(connection, in.number(2), server_error::metadata);
  }
  const auto& log = logs_[consumer->second.topic];
  send(connection, encode_command(command::get_last_message_id_response, [&](ProtoWriter& out) {
         MessageId last{.ledger = 10, .entry = no_id};
         if (!log.empty()) last = {.ledger = log.back().ledger, .entry = log.back().entry};
         write_message_id(out, 1, last);
         out.varint(2, in.number(2));
       }));
}

// The topic moves: its producers and consumers are closed, the connections stay. A new owner
// writes to a new ledger.
void FakeBroker::unload(const std::string& partition, std::string_view assigned_url) {
  ++ledgers_[partition];
  const auto frame = [&](int type, std::uint64_t id) {
    return encode_command(type, [&](ProtoWriter& out) {
      out.varint(1, id);
      out.varint(2, no_id);
      if (!assigned_url.empty()) out.text(3, assigned_url);
    });
  };
  for (auto& [connection, state] : connections_) {
    std::erase_if(state.producers, [&](const auto& producer) {
      if (producer.second.topic != partition) return false;
      state.closed_producers.insert(producer.first);
      send(connection, frame(command::close_producer, producer.first));
      return true;
    });
    std::erase_if(state.consumers, [&](const auto& consumer) {
      if (consumer.second.topic != partition) return false;
      send(connection, frame(command::close_consumer, consumer.first));
      return true;
    });
  }
}

std::int64_t FakeBroker::permits(const std::string& partition) const {
  std::int64_t sum = 0;
  for (const auto& [connection, state] : connections_) {
    for (const auto& [id, consumer] : state.consumers) {
      if (consumer.topic == partition) sum += consumer.permits;
    }
  }
  return sum;
}

std::size_t FakeBroker::live_producers() const {
  std::size_t count = 0;
  for (const auto& [connection, state] : connections_) count += state.producers.size();
  return count;
}

std::size_t FakeBroker::live_consumers() const {
  std::size_t count = 0;
  for (const auto& [connection, state] : connections_) count += state.consumers.size();
  return count;
}

}  // namespace flow::streaming::pulsar::testing

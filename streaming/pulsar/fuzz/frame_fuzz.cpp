// Any bytes as what a broker sends: through the frame reader, every decoder and the entry reader,
// in pieces whose sizes the input chooses.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "streaming/pulsar/commands.hpp"
#include "streaming/pulsar/entry.hpp"
#include "streaming/pulsar/frame_reader.hpp"

using namespace flow::streaming::pulsar;

namespace {

void decode_all(ByteView body) {
  Connected::decode(body);
  ErrorReply::decode(body);
  SuccessReply::decode(body);
  PartitionsReply::decode(body);
  LookupReply::decode(body);
  ProducerReply::decode(body);
  Receipt::decode(body);
  SendFailure::decode(body);
  ClosedByBroker::decode(body);
  MessageHeader::decode(body);
  LastMessageIdReply::decode(body);
}

void take(const Frame& frame, EntryReader& entries) {
  if (const auto command = decode_command(frame.command)) decode_all(command->body);
  if (!entries.open(frame.rest)) return;
  std::size_t bytes = 0;
  entries.for_each([&](const EntryMessage& message) {
    bytes += message.key.size() + message.payload.size();
    return true;
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t piece = 1 + data[0];
  ByteView left = std::as_bytes(std::span(data + 1, size - 1));
  FrameReader reader(64 * 1024);
  EntryReader entries;
  while (!left.empty()) {
    const auto part = left.first(std::min(piece, left.size()));
    left = left.subspan(part.size());
    reader.push(part);
    for (;;) {
      const auto frame = reader.pull();
      if (!frame) return 0;
      if (!*frame) break;
      take(**frame, entries);
    }
  }
  return 0;
}

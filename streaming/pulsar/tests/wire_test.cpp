// Frames, commands and entries against vectors, cut and corrupted everywhere.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/bytes.hpp"
#include "base/random.hpp"
#include "streaming/pulsar/commands.hpp"
#include "streaming/pulsar/compression.hpp"
#include "streaming/pulsar/config.hpp"
#include "streaming/pulsar/crc32c.hpp"
#include "streaming/pulsar/entry.hpp"
#include "streaming/pulsar/frame_reader.hpp"
#include "streaming/pulsar/tests/fake_broker.hpp"

namespace flow::streaming::pulsar {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Bytes hex(std::string_view text) {
  std::string digits;
  for (const char c : text) {
    if (c != ' ') digits += c;
  }
  return *base::from_hex(digits);
}

// Vectors of the wire format: lengths and checksums recomputed, commands decoded with protoc 3.21.
const Bytes ping = hex("00000009 00000005 0812 920100");
const Bytes pong = hex("00000009 00000005 0813 9a0100");
const Bytes connect_vector =
    hex("0000001f 0000001b 0802 1217 0a09 666c6f772d74657374 2015 2a04 6e6f6e65 5202 0801");
const Bytes flow_vector = hex("0000000d 00000009 080b 5a05 0809 10e807");
const Bytes ack = hex("00000012 0000000e 080a 520a 0809 1000 1a04 080c 1022");
const Bytes ack_set = hex("00000014 00000010 080a 520c 0809 1000 1a06 080c 1022 280b");
const Bytes receipt = hex("00000014 00000010 0807 3a0c 0807 1000 1a04 080c 1022 2001");
const Bytes receipt_duplicate =
    hex("00000024 00000020 0807 3a1c 0807 1005 1a16 08ffffffffffffffffff01 10ffffffffffffffffff01");
const Bytes close_producer = hex("00000015 00000011 080f 7a0d 0807 10ffffffffffffffffff01");
const Bytes send_single = hex(
    "0000002d 00000008 0806 3204 08071000 0e01 c1eb41d7 00000012 0a03702d30 1000 1880d095ffbc31 "
    "32026b31 68656c6c6f");
const Bytes send_batch =
    hex("00000046 0000000c 0806 3208 0807 1000 1802 3001 0e01 3568d37f 00000013 0a03702d30 1000 "
        "1880d095ffbc31 5802 c00101 00000008 12026b31 1802 4000 6161 00000004 1803 4001 626262");

Frame frame_of(const Bytes& bytes) {
  const ByteView view(bytes);
  const std::size_t size = base::load_be32(bytes.data() + 4);
  return {.command = view.subspan(8, size), .rest = view.subspan(8 + size)};
}
Command command_of(const Bytes& bytes) { return *decode_command(frame_of(bytes).command); }

SendEnvelope envelope(Compression compression = Compression::none) {
  return {.producer_id = 7,
          .producer_name = "p-0",
          .publish_time_ms = 1'700'000'000'000,
          .compression = compression};
}

TEST(Crc32c, IsTheKnownOne) {
  EXPECT_EQ(crc32c(base::as_bytes("123456789")), 0xE3069283U);
  EXPECT_EQ(crc32c_by_table(base::as_bytes("123456789")), 0xE3069283U);
  EXPECT_EQ(crc32c({}), 0U);
}

TEST(Crc32c, IsTheSameByTableAndInPieces) {
  base::SplitMix64 random(1);
  Bytes bytes(300);
  for (auto& byte : bytes) byte = static_cast<std::byte>(random.next());

  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    const ByteView all(bytes);
    EXPECT_EQ(crc32c(all.subspan(cut), crc32c(all.first(cut))), crc32c_by_table(all));
    EXPECT_EQ(crc32c(all.first(cut)), crc32c_by_table(all.first(cut)));
  }
}

TEST(PulsarCommands, AreWrittenAsTheVectors) {
  EXPECT_EQ(encode_ping(), ping);
  EXPECT_EQ(encode_pong(), pong);
  EXPECT_EQ(encode_connect({.client_version = "flow-test", .token = {}, .proxy_to = {}}),
            connect_vector);
  EXPECT_EQ(encode_flow(9, 1000), flow_vector);
  EXPECT_EQ(encode_ack(9, false, {.ledger = 12, .entry = 34}), ack);
  const std::uint64_t words[] = {0b1011};
  EXPECT_EQ(encode_ack(9, false, {.ledger = 12, .entry = 34}, words), ack_set);
  EXPECT_EQ(encode_close_producer(7, no_id), close_producer);
  EXPECT_EQ(testing::receipt_frame(7, 0, 1, 12, 34), receipt);
}

TEST(PulsarCommands, AreReadFromTheVectors) {
  EXPECT_EQ(command_of(ping).type, command::ping);
  EXPECT_EQ(command_of(pong).type, command::pong);

  const auto stored = Receipt::decode(command_of(receipt).body);
  ASSERT_TRUE(stored);
  EXPECT_EQ(stored->producer_id, 7U);
  EXPECT_EQ(stored->sequence_id, 0U);
  EXPECT_EQ(stored->highest_sequence_id, 1U);
  EXPECT_EQ(stored->id, (MessageId{.ledger = 12, .entry = 34}));

  const auto duplicate = Receipt::decode(command_of(receipt_duplicate).body);
  ASSERT_TRUE(duplicate);
  EXPECT_EQ(duplicate->sequence_id, 5U);
  EXPECT_EQ(duplicate->id, earliest);  // -1:-1

  const auto closed = ClosedByBroker::decode(command_of(close_producer).body);
  ASSERT_TRUE(closed);
  EXPECT_EQ(closed->id, 7U);
  EXPECT_EQ(closed->assigned_url, "");
}

TEST(PulsarCommands, KeepNumbersThatTheyDoNotKnow) {
  const Bytes unknown = encode_command(99, [](ProtoWriter& out) { out.varint(1, 5); });
  EXPECT_EQ(command_of(unknown).type, 99);

  const Bytes error = encode_command(command::error, [](ProtoWriter& out) {
    out.varint(1, 3);
    out.varint(2, 77);
    out.text(3, "new");
  });
  const auto decoded = ErrorReply::decode(command_of(error).body);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->error, 77);
  EXPECT_EQ(server_error::name(77), "an error (77)");
}

TEST(PulsarCommands, AreRefusedWhenARequiredFieldIsMissing) {
  const Bytes error = encode_command(command::error, [](ProtoWriter& out) { out.varint(1, 3); });
  EXPECT_FALSE(ErrorReply::decode(command_of(error).body));
  EXPECT_FALSE(decode_command({}));
  EXPECT_FALSE(Receipt::decode(command_of(ping).body));
}

// Goal: no decoder reads beyond its bytes or takes half of a message for a whole one silently
// crashing. Method: every prefix of every vector through every decoder.
TEST(PulsarCommands, SurviveEveryCut) {
  for (const Bytes& vector : {ping, connect_vector, flow_vector, ack, receipt, receipt_duplicate,
                              close_producer, send_single, send_batch}) {
    for (std::size_t size = 0; size <= vector.size(); ++size) {
      const Bytes cut(vector.begin(), vector.begin() + static_cast<std::ptrdiff_t>(size));
      decode_command(cut);
      Connected::decode(cut);
      ErrorReply::decode(cut);
      LookupReply::decode(cut);
      PartitionsReply::decode(cut);
      ProducerReply::decode(cut);
      Receipt::decode(cut);
      SendFailure::decode(cut);
      MessageHeader::decode(cut);
      LastMessageIdReply::decode(cut);
      split_entry(cut);
      MessageMetadata::decode(cut);
      EntryReader reader;
      reader.open(cut);
    }
  }
}

TEST(ProtoWriter, MakesRoomForLongMessages) {
  for (const std::size_t size : {0, 100, 126, 127, 128, 200, 16'383, 16'384, 70'000}) {
    const std::string text(size, 'x');
    Bytes bytes;
    ProtoWriter out(bytes);
    out.message(5, [&] { out.text(1, text); });
    out.varint(6, ~std::uint64_t{0});

    ProtoReader in(bytes);
    ASSERT_TRUE(in.next());
    EXPECT_EQ(in.field(), 5);
    ProtoReader inner(in.bytes());
    ASSERT_TRUE(inner.next());
    EXPECT_EQ(inner.text(), text);
    EXPECT_FALSE(inner.next());
    ASSERT_TRUE(in.next());
    EXPECT_EQ(in.varint(), ~std::uint64_t{0});
    EXPECT_FALSE(in.next());
    EXPECT_TRUE(in.ok());
  }
}

TEST(ProtoReader, RefusesGroupsWrongTypesAndEndlessVarints) {
  for (const auto* text : {"0b", "08ffffffffffffffffffff01", "00", "0a05aa", "0d0102", "08"}) {
    const Bytes bytes = hex(text);
    ProtoReader in(bytes);
    while (in.next()) {
    }
    EXPECT_FALSE(in.ok()) << text;
  }
  const Bytes number = hex("0801");
  ProtoReader in(number);
  ASSERT_TRUE(in.next());
  EXPECT_EQ(in.text(), "");
  EXPECT_FALSE(in.ok());
}

// TCP may cut the stream anywhere. Cut it everywhere, expect the same frames.
TEST(PulsarFrameReader, FindsTheSameFramesWhereverTheStreamIsCut) {
  Bytes stream;
  for (const Bytes& part : {ping, send_batch, receipt}) {
    stream.insert(stream.end(), part.begin(), part.end());
  }

  for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
    SCOPED_TRACE(cut);
    FrameReader reader(1024);
    std::vector<int> types;
    std::vector<std::size_t> rests;
    for (auto part : {ByteView(stream).first(cut), ByteView(stream).subspan(cut)}) {
      reader.push(part);
      for (auto frame = reader.pull(); frame.value(); frame = reader.pull()) {
        types.push_back(decode_command((*frame)->command)->type);
        rests.push_back((*frame)->rest.size());
      }
    }
    EXPECT_THAT(types, ElementsAre(command::ping, command::send, command::send_receipt));
    EXPECT_THAT(rests, ElementsAre(0U, 54U, 0U));
  }
}

TEST(PulsarFrameReader, TakesFramesLargerThanItsBuffer) {
  const Bytes big(3'000'000, std::byte{7});
  Bytes frame = testing::message_frame(1, 2, 3, big);
  FrameReader reader(4'000'000);

  for (int i = 0; i < 3; ++i) {
    reader.push(frame);
    reader.push(ByteView(ping));
    const auto first = reader.pull();
    ASSERT_TRUE(first.has_value() && first->has_value());
    EXPECT_EQ((*first)->rest.size(), big.size());
    EXPECT_TRUE(reader.pull()->has_value());
    EXPECT_FALSE(reader.pull()->has_value());
  }
}

TEST(PulsarFrameReader, RefusesImpossibleLengths) {
  for (const auto* text : {"00000000", "00000003", "00000401", "ffffffff", "00000008 00000005",
                           "00000004 00000001", "00000010 ffffffff"}) {
    FrameReader reader(1024);
    reader.push(hex(text));
    const auto frame = reader.pull();
    ASSERT_FALSE(frame.has_value()) << text;
    EXPECT_EQ(frame.error().code, base::Errc::protocol);
  }
  FrameReader reader(1024);  // The largest allowed is only incomplete.
  reader.push(hex("00000400 00000005"));
  EXPECT_FALSE(reader.pull().value());
}

// Bytes changed at random: the reader may refuse or find other frames, and nothing worse.
TEST(PulsarFrameReader, SurvivesCorruption) {
  base::SplitMix64 random(42);
  Bytes stream;
  for (const Bytes& part : {send_single, receipt, send_batch, close_producer, ping}) {
    stream.insert(stream.end(), part.begin(), part.end());
  }
  for (int round = 0; round < 20'000; ++round) {
    Bytes broken = stream;
    for (std::uint64_t i = 0, n = 1 + random.next_below(4); i < n; ++i) {
      broken[random.next_below(broken.size())] = static_cast<std::byte>(random.next());
    }
    FrameReader reader(4096);
    reader.push(broken);
    EntryReader entries;
    for (auto frame = reader.pull(); frame && *frame; frame = reader.pull()) {
      const auto command = decode_command((*frame)->command);
      if (command) Receipt::decode(command->body);
      if (entries.open((*frame)->rest)) {
        entries.for_each([](const EntryMessage& message) { return message.index < 1000; });
      }
    }
  }
}

TEST(PulsarEntry, SingleIsWrittenAsTheVector) {
  Bytes scratch;
  const SingleMessage message{
      .sequence_id = 0, .key = "k1", .stamp = {}, .payload = base::as_bytes("hello")};
  EXPECT_EQ(encode_single(envelope(), message, scratch).bytes, send_single);
}

TEST(PulsarEntry, BatchIsWrittenAsTheVector) {
  BatchBuilder batch;
  batch.append("k1", {}, base::as_bytes("aa"), 0);
  batch.append("", {}, base::as_bytes("bbb"), 1);
  Bytes scratch;
  const SendFrame frame = encode_batch(envelope(), batch, scratch);
  EXPECT_EQ(frame.bytes, send_batch);
  EXPECT_EQ(frame.message_bytes, 19U + 25U);
}

struct Got {
  std::string key, payload;
  std::optional<base::Stamp> stamp;
};
std::vector<Got> read_all(EntryReader& reader, ByteView rest) {
  std::vector<Got> all;
  const auto count = reader.open(rest);
  EXPECT_TRUE(count.has_value()) << (count ? "" : count.error().what);
  if (!count) return all;
  reader.for_each([&](const EntryMessage& message) {
    EXPECT_EQ(message.index, all.size());
    all.push_back(
        {std::string(message.key), std::string(base::as_text(message.payload)), message.stamp});
    return true;
  });
  EXPECT_EQ(all.size(), *count);
  return all;
}

TEST(PulsarEntry, VectorsAreRead) {
  EntryReader reader;
  const auto single = read_all(reader, frame_of(send_single).rest);
  ASSERT_EQ(single.size(), 1U);
  EXPECT_EQ(single[0].key, "k1");
  EXPECT_EQ(single[0].payload, "hello");

  const auto batch = read_all(reader, frame_of(send_batch).rest);
  ASSERT_EQ(batch.size(), 2U);
  EXPECT_EQ(batch[0].key, "k1");
  EXPECT_EQ(batch[0].payload, "aa");
  EXPECT_EQ(batch[1].key, "");
  EXPECT_EQ(batch[1].payload, "bbb");
}

TEST(PulsarEntry, SurvivesTheWayThroughEveryCodecWithKeyAndStamp) {
  const base::Stamp stamp{.trial = 7,
                          .request = 8,
                          .parent = 9,
                          .intended = base::UnixNanos{1'234'567},
                          .other_state = "vendor=x"};
  for (const auto codec : {Compression::none, Compression::lz4, Compression::zstd}) {
    for (const std::size_t count : {1, 2, 50}) {
      BatchBuilder batch;
      for (std::size_t i = 0; i < count; ++i) {
        batch.append(fmt::format("key-{}", i), stamp, base::as_bytes(fmt::format("payload {}", i)),
                     100 + i);
      }
      Bytes scratch;
      const SendFrame frame = encode_batch(envelope(codec), batch, scratch);
      EntryReader reader;
      const auto all = read_all(reader, frame_of(frame.bytes).rest);
      ASSERT_EQ(all.size(), count);
      EXPECT_EQ(all.back().key, fmt::format("key-{}", count - 1));
      EXPECT_EQ(all.back().payload, fmt::format("payload {}", count - 1));
      EXPECT_EQ(all.back().stamp, stamp);
    }
    Bytes scratch;
    const SingleMessage message{
        .sequence_id = 3, .key = "k", .stamp = stamp, .payload = base::as_bytes("one")};
    const SendFrame frame = encode_single(envelope(codec), message, scratch);
    EntryReader reader;
    const auto all = read_all(reader, frame_of(frame.bytes).rest);
    ASSERT_EQ(all.size(), 1U);
    EXPECT_EQ(all[0].payload, "one");
    EXPECT_EQ(all[0].stamp, stamp);
  }
}

TEST(PulsarEntry, EmptyPayloadsAreMessagesToo) {
  for (const auto codec : {Compression::none, Compression::lz4, Compression::zstd}) {
    Bytes scratch;
    EntryReader reader;
    BatchBuilder batch;
    batch.append("k", {}, {}, 1);
    const SendFrame in_batch = encode_batch(envelope(codec), batch, scratch);
    EXPECT_EQ(read_all(reader, frame_of(in_batch.bytes).rest).size(), 1U);
    const SendFrame alone = encode_single(
        envelope(codec), {.sequence_id = 1, .key = {}, .stamp = {}, .payload = {}}, scratch);
    EXPECT_EQ(read_all(reader, frame_of(alone.bytes).rest).size(), 1U);
  }
}

TEST(PulsarEntry, AnyFlippedBitIsFound) {
  Bytes rest(frame_of(send_batch).rest.begin(), frame_of(send_batch).rest.end());
  EntryReader reader;
  for (std::size_t bit = 16; bit < rest.size() * 8; ++bit) {  // Behind the magic.
    Bytes broken = rest;
    broken[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    const auto opened = reader.open(broken);
    ASSERT_FALSE(opened.has_value()) << bit;
    EXPECT_THAT(opened.error().what, HasSubstr("checksum"));
  }
}

TEST(PulsarEntry, IsReadWithBrokerMetadataAndWithoutChecksum) {
  const ByteView rest = frame_of(send_single).rest;
  Bytes with_broker_metadata = hex("0e02 00000004 08011002");
  with_broker_metadata.insert(with_broker_metadata.end(), rest.begin(), rest.end());
  const Bytes without_checksum(rest.begin() + 6, rest.end());

  EntryReader reader;
  EXPECT_EQ(read_all(reader, with_broker_metadata).at(0).payload, "hello");
  EXPECT_EQ(read_all(reader, without_checksum).at(0).payload, "hello");
  EXPECT_FALSE(reader.open(hex("0e02 000000ff 0801")));
}

// Metadata (hexadecimal) and payload without a checksum.
Bytes plain_entry(std::string_view metadata, std::string_view payload) {
  const Bytes encoded = hex(metadata);
  Bytes entry(4);
  base::store_be32(entry.data(), static_cast<std::uint32_t>(encoded.size()));
  entry.insert(entry.end(), encoded.begin(), encoded.end());
  for (const char c : payload) entry.push_back(static_cast<std::byte>(c));
  return entry;
}

TEST(PulsarEntry, LiesAreRefused) {
  const std::string required = "0a0170 1000 1801";
  EntryReader reader;
  EXPECT_TRUE(reader.open(plain_entry(required, "x")));
  EXPECT_FALSE(reader.open(plain_entry("0a0170 1000", "x")));              // No publish time.
  EXPECT_FALSE(reader.open(plain_entry(required + "5802", "x")));          // A batch of 2.
  EXPECT_FALSE(reader.open(plain_entry(required + "5800", "")));           // A batch of 0.
  EXPECT_FALSE(reader.open(plain_entry(required + "58ffffffff07", "x")));  // Of 2^31-1.
  EXPECT_FALSE(reader.open(plain_entry(required + "58ffffffffffffffffff01", "x")));  // Of -1.
  EXPECT_FALSE(reader.open(plain_entry(required + "4001 48ffffffff0f", "x")));       // LZ4, 4 GiB.
  EXPECT_FALSE(reader.open(plain_entry(required + "4001 4805", "x")));
  EXPECT_FALSE(reader.open(plain_entry(required + "4003 4805", "x")));
  EXPECT_FALSE(reader.open(plain_entry(required + "4004 4805", "x")));   // Snappy.
  EXPECT_FALSE(reader.open(plain_entry(required + "d80102", "x")));      // A chunk.
  EXPECT_FALSE(reader.open(plain_entry(required + "7203616263", "x")));  // Encrypted.
  const auto marker = reader.open(plain_entry(required + "a0010a", "x"));
  ASSERT_TRUE(marker);
  EXPECT_EQ(*marker, 0U);
}

TEST(PulsarEntry, Base64KeysAreDecoded) {
  EntryReader reader;
  const auto all = read_all(reader, plain_entry("0a0170 1000 1801 3204 61325635 880101", "x"));
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].key, "key");
}

TEST(PulsarCompression, RefusesWhatIsNotExactlyTheStatedSize) {
  Bytes packed, unpacked;
  const auto text = base::as_bytes("some text, some text, some text, some text");
  for (const auto codec : {Compression::lz4, Compression::zstd}) {
    compress(codec, text, packed);
    const int number = static_cast<int>(codec);
    EXPECT_TRUE(decompress(number, packed, text.size(), unpacked));
    EXPECT_EQ(base::as_text(unpacked), base::as_text(text));
    EXPECT_FALSE(decompress(number, packed, text.size() - 1, unpacked));
    EXPECT_FALSE(decompress(number, packed, text.size() + 1, unpacked));
    for (std::size_t size = 0; size < packed.size(); ++size) {
      EXPECT_FALSE(decompress(number, ByteView(packed).first(size), text.size(), unpacked));
    }
  }
}

TEST(PulsarConfig, ReadsWhatIsGivenAndRefusesTheRest) {
  const auto config = parse_producer_config({{"linger_ms", "5"}, {"compression", "zstd"}});
  ASSERT_TRUE(config);
  EXPECT_EQ(config->linger, std::chrono::milliseconds(5));
  EXPECT_EQ(config->compression, Compression::zstd);
  EXPECT_EQ(config->batch_bytes_max, 131'072U);

  const auto unknown = parse_producer_config({{"linger", "5"}});
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, base::Errc::config);
  EXPECT_THAT(unknown.error().what, HasSubstr("linger=5"));
  EXPECT_THAT(unknown.error().what, HasSubstr("linger_ms"));
  EXPECT_FALSE(parse_producer_config({{"compression", "gzip"}}));
  EXPECT_FALSE(parse_producer_config({{"batch_messages_max", "0"}}));
  EXPECT_FALSE(parse_producer_config({{"linger_ms", "1"}, {"linger_ms", "1"}}));
  EXPECT_FALSE(parse_consumer_config({{"receiver_queue", "-1"}}));
  EXPECT_FALSE(parse_topic_config({{"ensemble", "2"}}));
  EXPECT_FALSE(parse_topic_config({{"ensemble", "2"}, {"write_quorum", "3"}, {"ack_quorum", "1"}}));
  EXPECT_TRUE(parse_topic_config({{"ensemble", "3"}, {"write_quorum", "2"}, {"ack_quorum", "1"}}));
  EXPECT_EQ(effective_settings({}, {}, {}).front(),
            (std::pair<std::string, std::string>("producer.linger_ms", "1")));
}

TEST(PulsarConfig, ReadsServiceUrls) {
  using Hosts = std::vector<net::HostPort>;
  EXPECT_EQ(parse_service_url("pulsar://a:1,b").value(), (Hosts{{"a", 1}, {"b", 6650}}));
  EXPECT_EQ(parse_service_url("pulsar://127.0.0.1/").value(), (Hosts{{"127.0.0.1", 6650}}));
  for (const auto* wrong : {"", "http://a:1", "pulsar://", "pulsar://a:x", "pulsar://a:1,,b:2",
                            "pulsar+ssl://a:6651"}) {
    const auto hosts = parse_service_url(wrong);
    ASSERT_FALSE(hosts) << wrong;
    EXPECT_EQ(hosts.error().code, base::Errc::config) << wrong;
  }
}

TEST(PulsarConfig, CompletesTopicNames) {
  EXPECT_EQ(parse_topic_name("orders")->full(), "persistent://public/default/orders");
  EXPECT_EQ(parse_topic_name("t/n/orders")->full(), "persistent://t/n/orders");
  EXPECT_EQ(parse_topic_name("persistent://t/n/orders")->rest_path(), "persistent/t/n/orders");
  EXPECT_EQ(partition_topic(*parse_topic_name("a"), 3),
            "persistent://public/default/a-partition-3");
  for (const auto* wrong : {"", "a/b", "a/b/c/d", "persistent://a", "a b", "non-persistent://a/b/c",
                            "a?x=1", "persistent://a/b/"}) {
    EXPECT_FALSE(parse_topic_name(wrong)) << wrong;
  }
}

}  // namespace
}  // namespace flow::streaming::pulsar

// SPDX-License-Identifier: Apache-2.0
#include "base/bytes.hpp"

#include <gmock/gmock.h>

#include "base/random.hpp"

namespace flow::base {
namespace {

std::vector<std::byte> random_bytes(std::size_t size, std::uint64_t seed) {
  SplitMix64 random(seed);
  std::vector<std::byte> bytes(size);
  for (auto& byte : bytes) byte = static_cast<std::byte>(random.next() >> 56);
  return bytes;
}

TEST(Bytes, BigEndianIntegersKeepTheirBytesInOrder) {
  std::byte raw[8];
  store_be64(raw, 0x0123456789abcdef);
  EXPECT_EQ(to_hex(raw), "0123456789abcdef");
  EXPECT_EQ(load_be64(raw), 0x0123456789abcdefU);
  EXPECT_EQ(load_be32(raw), 0x01234567U);
  store_be32(raw, 0xfffefdfc);
  EXPECT_EQ(load_be32(raw), 0xfffefdfcU);
}

// RFC 4648, section 10.
TEST(Base64, MatchesTheVectorsOfTheRfc) {
  const std::pair<const char*, const char*> vectors[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, encoded] : vectors) {
    EXPECT_EQ(to_base64(as_bytes(plain)), encoded);
    const auto decoded = from_base64(encoded);
    ASSERT_TRUE(decoded) << encoded;
    EXPECT_EQ(as_text(*decoded), plain);
  }
}

TEST(Base64, RefusesEverythingThatIsNotCanonical) {
  for (const char* text : {"Z", "Zg", "Zg=", "Zg===", "Zh==", "Zm9=", "Zm9v\n", "Zm 9",
                           "====", "=m9v", "Zm-v", "Z=9v", "Zm8=Zm8="}) {
    EXPECT_FALSE(from_base64(text)) << text;
  }
  for (const char* text : {"Z", "Zg==", "Zh", "Zm+v", "Zm/v"}) {
    EXPECT_FALSE(from_base64url(text)) << text;
  }
}

TEST(Bytes, EveryTextFormReadsBackForEveryLength) {
  for (std::size_t size = 0; size < 70; ++size) {
    const auto bytes = random_bytes(size, size);
    EXPECT_EQ(from_base64(to_base64(bytes)), bytes);
    EXPECT_EQ(from_base64url(to_base64url(bytes)), bytes);
    EXPECT_EQ(from_hex(to_hex(bytes)), bytes);
  }
  EXPECT_EQ(to_base64url(from_hex("fbff").value()), "-_8");
}

TEST(Hex, ReadsBothCasesAndNothingElse) {
  EXPECT_EQ(to_hex(from_hex("00fFAb").value()), "00ffab");
  for (const char* text : {"0", "0g", " 0", "0x", "-1"}) EXPECT_FALSE(from_hex(text)) << text;
}

TEST(Hashes, MatchPublishedVectors) {
  // FNV-1a of eight zero bytes, and of the bytes 1..8 (computed apart, in Python).
  Fnv1a64 zeros;
  EXPECT_EQ(zeros.value(), 0xcbf29ce484222325U);
  zeros.add_le64(0);
  EXPECT_EQ(zeros.value(), 0xa8c7f832281a39c5U);
  Fnv1a64 ordered;
  ordered.add_le64(0x0807060504030201);
  EXPECT_EQ(ordered.value(), 0x7eb5108b368a78edU);
  // FIPS 180-2, appendix B.
  EXPECT_EQ(sha256_hex(as_bytes("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256_hex({}), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

}  // namespace
}  // namespace flow::base

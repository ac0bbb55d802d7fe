// SPDX-License-Identifier: Apache-2.0
#include "lab/packed_text.hpp"

#include <zlib.h>

#include <gtest/gtest.h>

#include "base/bytes.hpp"
#include "base/random.hpp"

namespace flow::lab {
namespace {

std::string unpacked(const std::string& base64, std::size_t size) {
  const auto bytes = base::from_base64(base64);
  std::string text(size, '\0');
  uLongf length = text.size();
  if (!bytes || uncompress(reinterpret_cast<Bytef*>(text.data()), &length,
                           reinterpret_cast<const Bytef*>(bytes->data()), bytes->size()) != Z_OK) {
    return "broken";
  }
  text.resize(length);
  return text;
}

TEST(PackedText, IsOneStreamOfAllThatWasAdded) {
  // Long, and such that it packs badly: many rounds of both buffers.
  base::SplitMix64 random(1);
  std::string noise;
  for (int i = 0; i < 3'000'000; ++i) noise += static_cast<char>('0' + random.next_below(64));
  PackedText text;
  text.add("{\"a\": ");
  text.add("");
  text.add(noise);
  text.add("}");

  EXPECT_EQ(unpacked(text.finish(), noise.size() + 100), "{\"a\": " + noise + "}");
}

TEST(PackedText, IsSmallWhereTextRepeatsItself) {
  PackedText text;
  for (int i = 0; i < 10'000; ++i) text.add("\"response_p99_ns\": 1234567, ");

  EXPECT_LT(text.finish().size(), 3'000U);
}

TEST(PackedText, OfNothingIsAnEmptyStream) {
  PackedText text;

  EXPECT_EQ(unpacked(text.finish(), 1), "");
}

}  // namespace
}  // namespace flow::lab

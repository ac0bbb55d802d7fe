// SPDX-License-Identifier: Apache-2.0
#include "measure/hdr_codec.hpp"

#include <cmath>
#include <zlib.h>

#include <gmock/gmock.h>

#include "base/bytes.hpp"
#include "base/random.hpp"

namespace flow::measure {
namespace {

using base::Errc;
using ::testing::HasSubstr;

Histogram random_histogram(std::uint64_t seed, std::size_t values,
                           Histogram::Options options = {}) {
  base::SplitMix64 random(seed);
  Histogram histogram(options);
  for (std::size_t i = 0; i < values; ++i) {
    const auto value = static_cast<std::int64_t>(std::exp(random.next_unit() * 28));
    histogram.record_n(Nanos{value}, 1 + (random.next() >> (random.next() % 40 + 24)));
  }
  return histogram;
}

// A text as an attacker would make it: any inner bytes in a valid outer frame.
std::string wrap(std::span<const std::byte> inner) {
  uLongf size = compressBound(inner.size());
  std::vector<std::byte> out(8 + size);
  compress2(reinterpret_cast<Bytef*>(out.data() + 8), &size,
            reinterpret_cast<const Bytef*>(inner.data()), inner.size(), 6);
  out.resize(8 + size);
  base::store_be32(out.data(), 0x1c849314);
  base::store_be32(out.data() + 4, static_cast<std::uint32_t>(size));
  return base::to_base64(out);
}

std::vector<std::byte> inner_of(const std::string& text) {
  const auto raw = base::from_base64(text).value();
  std::vector<std::byte> inner(1 << 20);
  uLongf size = inner.size();
  EXPECT_EQ(uncompress(reinterpret_cast<Bytef*>(inner.data()), &size,
                       reinterpret_cast<const Bytef*>(raw.data() + 8), raw.size() - 8),
            Z_OK);
  inner.resize(size);
  return inner;
}

void expect_same_buckets(const Histogram& a, const Histogram& b) {
  ASSERT_EQ(a.options(), b.options());
  for (std::size_t i = 0; i < a.bucket_count(); ++i) ASSERT_EQ(a.bucket(i), b.bucket(i)) << i;
}

TEST(HdrCodec, KeepsEveryBucketOfRandomHistograms) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    SCOPED_TRACE(seed);
    const Histogram histogram = random_histogram(seed, seed * seed * 10);

    const auto decoded = decode_hdr(encode_hdr(histogram));

    ASSERT_TRUE(decoded) << decoded.error().what;
    expect_same_buckets(*decoded, histogram);
    EXPECT_EQ(decoded->count() + histogram.overflow(), histogram.count());
  }
}

TEST(HdrCodec, KeepsOtherRangesAndPrecisions) {
  for (const int digits : {1, 2, 4, 5}) {
    const Histogram histogram = random_histogram(
        7, 500,
        {.lowest = Nanos{1000}, .highest = std::chrono::minutes(1), .significant_digits = digits});

    const auto decoded = decode_hdr(encode_hdr(histogram));

    ASSERT_TRUE(decoded) << decoded.error().what;
    expect_same_buckets(*decoded, histogram);
  }
}

TEST(HdrCodec, CarriesCountsOfAnySize) {
  for (const int bits : {0, 6, 7, 13, 14, 20, 21, 27, 28, 34, 35, 41, 42, 48, 49, 55, 56, 61}) {
    for (const std::int64_t offset : {-1, 0, 1}) {
      const auto times = static_cast<std::uint64_t>((1LL << bits) + offset);
      Histogram histogram;
      histogram.record_n(Nanos{5}, times);

      const auto decoded = decode_hdr(encode_hdr(histogram));

      ASSERT_TRUE(decoded) << decoded.error().what;
      EXPECT_EQ(decoded->count(), times);
    }
  }
}

TEST(HdrCodec, WritesTheDocumentedLayout) {
  Histogram histogram;
  histogram.record_n(Nanos{0}, 3);
  histogram.record_n(Nanos{2}, 1);
  histogram.record_n(Nanos{6}, 64);

  // 3 -> 6; one zero -> 0; 1 -> 2; three zeros -> -3 -> 5; 64 -> 128 -> 80 01.
  EXPECT_EQ(base::to_hex(inner_of(encode_hdr(histogram))),
            "1c849313"
            "00000006"
            "00000000"
            "00000003"
            "0000000000000001"
            "0000034630b8a000"
            "3ff0000000000000"
            "060002058001");
}

TEST(HdrCodec, RefusesWhatIsNoHistogram) {
  for (const char* text : {"", "AAAA", "not base64!", "HISTFAAAAAA=", "HISTFAAAAAF4"}) {
    const auto decoded = decode_hdr(text);
    ASSERT_FALSE(decoded) << text;
    EXPECT_EQ(decoded.error().code, Errc::protocol);
  }
}

TEST(HdrCodec, RefusesAnEncodingThatIsCutAnywhere) {
  const std::string text = encode_hdr(random_histogram(3, 50));
  const auto raw = base::from_base64(text).value();
  for (std::size_t size = 0; size < raw.size(); ++size) {
    EXPECT_FALSE(decode_hdr(base::to_base64(std::span(raw).first(size)))) << size;
  }
  const auto inner = inner_of(text);
  for (std::size_t size = 0; size < inner.size(); ++size) {
    EXPECT_FALSE(decode_hdr(wrap(std::span(inner).first(size)))) << size;
  }
}

TEST(HdrCodec, SurvivesEveryFlippedByteOfTheInnerEncoding) {
  auto inner = inner_of(encode_hdr(random_histogram(4, 20)));
  for (std::size_t i = 0; i < inner.size(); ++i) {
    for (const int value : {0x00, 0x01, 0x7f, 0x80, 0xff}) {
      const std::byte saved = inner[i];
      inner[i] = static_cast<std::byte>(value);
      const auto decoded = decode_hdr(wrap(inner));
      if (decoded) {
        EXPECT_LE(decoded->count(), static_cast<std::uint64_t>(INT64_MAX));
      }
      inner[i] = saved;
    }
  }
}

TEST(HdrCodec, RefusesHostilePayloads) {
  const auto header = inner_of(encode_hdr(Histogram()));
  const auto with_payload = [&](std::string_view hex) {
    auto inner = header;
    const auto payload = base::from_hex(hex).value();
    inner.insert(inner.end(), payload.begin(), payload.end());
    base::store_be32(inner.data() + 4, static_cast<std::uint32_t>(payload.size()));
    return wrap(inner);
  };

  EXPECT_TRUE(decode_hdr(with_payload("02")));
  // A run of 2^63 zeros, a run one longer than the buckets, a count that is cut off.
  EXPECT_FALSE(decode_hdr(with_payload("ffffffffffffffffff")));
  EXPECT_FALSE(
      decode_hdr(with_payload("818c04"
                              "02")));
  EXPECT_FALSE(decode_hdr(with_payload("80")));
  // Two counts of 2^62: the total leaves 63 bits.
  EXPECT_FALSE(
      decode_hdr(with_payload("808080808080808080"
                              "02"
                              "80808080808080"
                              "8080")));
  EXPECT_FALSE(
      decode_hdr(with_payload("feffffffffffffffff"
                              "feffffffffffffffff")));
}

TEST(HdrCodec, DoesNotInflateBombs) {
  std::vector<std::byte> bomb(std::size_t{60} << 20);

  const auto decoded = decode_hdr(wrap(bomb));

  ASSERT_FALSE(decoded);
  EXPECT_THAT(decoded.error().what, HasSubstr("too long"));
}

TEST(HistogramJson, KeepsTheWholeHistogram) {
  Histogram histogram = random_histogram(5, 100);
  histogram.record_n(std::chrono::hours(5), 3);
  histogram.record(Nanos{-4});

  const base::json::value stored = to_json(histogram);
  const auto back = histogram_from_json(base::JsonView(stored, "trial.json: "));

  ASSERT_TRUE(back) << back.error().what;
  EXPECT_EQ(*back, histogram);
}

TEST(HistogramJson, HasNoNumberForWhatIsNotKnown) {
  Histogram histogram;
  EXPECT_TRUE(to_json(histogram)["p99_ns"].is_null());
  EXPECT_TRUE(to_json(histogram)["max_ns"].is_null());
  const base::json::value stored = to_json(histogram);
  EXPECT_TRUE(histogram_from_json(base::JsonView(stored, "x")));

  histogram.record(std::chrono::hours(2));

  EXPECT_TRUE(to_json(histogram)["p99_ns"].is_null());
  EXPECT_EQ(to_json(histogram)["max_ns"], 7'200'000'000'000);
}

TEST(HistogramJson, NamesTheMemberThatIsWrong) {
  const Histogram histogram = random_histogram(6, 10);
  base::json::value stored = to_json(histogram);
  const auto error = [&] {
    const auto back = histogram_from_json(base::JsonView(stored, "trial.json: /hops/0"));
    return back ? std::string() : back.error().what;
  };

  stored.as_object()["count"] = 1;
  EXPECT_THAT(error(), HasSubstr("trial.json: /hops/0: count, overflow"));
  stored.as_object()["count"] = "1";
  EXPECT_THAT(error(), HasSubstr("/hops/0/count: expected a whole number"));
  stored.as_object()["hdr_v2"] = "AAAA";
  EXPECT_THAT(error(), HasSubstr("/hops/0/hdr_v2: HDR histogram"));
  stored.as_object().erase("hdr_v2");
  EXPECT_THAT(error(), HasSubstr("'hdr_v2' is missing"));
}

}  // namespace
}  // namespace flow::measure

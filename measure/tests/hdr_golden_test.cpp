// Histograms written by HdrHistogram's Java library, kept as a file, and every input that a fuzzer
// has found interesting. The exchange with a living Java is tests/cluster/hdr_java_test.cpp.
// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "base/bytes.hpp"
#include "measure/hdr_codec.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace flow::measure {
namespace {

TEST(HdrGolden, ReadsWhatJavaWrote) {
  std::ifstream file(FLOW_SOURCE_DIR "/measure/tests/golden/hdr_java.txt");
  int histograms = 0;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with('#')) continue;
    std::istringstream words(line);
    std::string name, base64, sha256;
    std::uint64_t total = 0;
    std::array<std::int64_t, 5> expected{};
    words >> name >> base64 >> total;
    for (auto& value : expected) words >> value;
    words >> sha256;
    SCOPED_TRACE(name);

    const auto histogram = decode_hdr(base64);

    ASSERT_TRUE(histogram) << histogram.error().what;
    EXPECT_EQ(histogram->count(), total);
    std::string buckets = total == 0 ? "," : "";
    histogram->for_each_bucket([&](const Histogram::Bucket& bucket) {
      buckets += fmt::format(",{}:{}:{}", bucket.lower.count(), bucket.upper.count(), bucket.count);
    });
    EXPECT_EQ(base::sha256_hex(base::as_bytes(buckets)), sha256);
    std::size_t next = 0;
    for (const double q : {0.5, 0.9, 0.99, 0.999, 1.0}) {
      EXPECT_EQ(histogram->quantile(q).count(), expected[next++]);
    }
    ++histograms;
  }
  EXPECT_EQ(histograms, 6);
}

TEST(HdrFuzzCorpus, RunsThrough) {
  int files = 0;
  const std::string folder = FLOW_SOURCE_DIR "/measure/fuzz/corpus/hdr_decode";
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    SCOPED_TRACE(entry.path().string());
    std::ifstream file(entry.path(), std::ios::binary);
    std::stringstream text;
    text << file.rdbuf();
    const std::string bytes = text.str();
    EXPECT_EQ(
        LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()),
        0);
    ++files;
  }
  EXPECT_GT(files, 10);
}

}  // namespace
}  // namespace flow::measure

// Exchanges histograms with the reference implementation of HdrHistogram (Java, from Maven
// Central), in both directions: every bucket, count and quantile must be the same.
// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <unistd.h>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/wait.h>

#include "base/bytes.hpp"
#include "base/random.hpp"
#include "measure/hdr_codec.hpp"

namespace flow::measure {
namespace {

namespace fs = std::filesystem;

constexpr const char* jar_name = "HdrHistogram-2.1.12.jar";
constexpr const char* jar_sha256 =
    "9b47fbae444feaac4b7e04f0ea294569e4bc282bc69d8c2ce2ac3f23577281e2";
constexpr double quantiles[] = {0.5, 0.9, 0.99, 0.999, 1.0};

struct Described {
  std::string base64;
  std::uint64_t total = 0;
  std::vector<std::int64_t> quantiles;
  std::string buckets;  // ",lower:upper:count,..." of the buckets with a count.
};

fs::path cache_folder() {
  if (const char* cache = std::getenv("FLOW_CACHE")) return fs::path(cache) / "hdrhistogram";
  const char* xdg = std::getenv("XDG_CACHE_HOME");
  const char* home = std::getenv("HOME");
  const fs::path base = xdg ? fs::path(xdg) : fs::path(home ? home : "/tmp") / ".cache";
  return base / "flow" / "hdrhistogram";
}

std::string content_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// Exit code and output (both streams) of a shell command.
std::pair<int, std::string> run(const std::string& command) {
  std::FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  if (!pipe) return {-1, "popen failed"};
  std::string output;
  char piece[4096];
  while (const std::size_t size = std::fread(piece, 1, sizeof piece, pipe)) {
    output.append(piece, size);
  }
  const int status = pclose(pipe);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, output};
}

bool has_jar(const fs::path& jar) {
  return fs::exists(jar) && base::sha256_hex(base::as_bytes(content_of(jar))) == jar_sha256;
}

// Fetches the library once; "" on success.
std::string fetch(const fs::path& jar) {
  if (has_jar(jar)) return "";
  fs::create_directories(jar.parent_path());
  const auto [code, output] = run(fmt::format(
      "timeout 240 mvn -B -q org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy "
      "-Dartifact=org.hdrhistogram:HdrHistogram:2.1.12 -Dmdep.overWriteReleases=true "
      "-DoutputDirectory='{}'",
      jar.parent_path().string()));
  if (code != 0) return fmt::format("mvn ended with {}: {}", code, output);
  return has_jar(jar) ? "" : "the library from Maven Central has another SHA-256 than expected";
}

std::string buckets_of(const Histogram& histogram) {
  std::string text;
  histogram.for_each_bucket([&](const Histogram::Bucket& bucket) {
    text += fmt::format(",{}:{}:{}", bucket.lower.count(), bucket.upper.count(), bucket.count);
  });
  return text.empty() ? "," : text;
}

std::map<std::string, Described> parse(const std::string& output) {
  std::map<std::string, Described> all;
  std::istringstream lines(output);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string name;
    Described described;
    words >> name >> described.base64 >> described.total;
    for (std::size_t i = 0; i < std::size(quantiles); ++i) {
      words >> described.quantiles.emplace_back();
    }
    words >> described.buckets;
    all[name] = described;
  }
  return all;
}

// Java has no exact maximum: its quantiles are those of ours before the cap.
void expect_same(const Histogram& ours, const Described& java) {
  EXPECT_EQ(ours.count() - ours.overflow(), java.total);
  EXPECT_EQ(buckets_of(ours), java.buckets);
  if (ours.overflow() > 0) return;
  for (std::size_t i = 0; i < std::size(quantiles); ++i) {
    EXPECT_EQ(ours.quantile(quantiles[i]).count(), std::min(java.quantiles[i], ours.max().count()));
  }
}

std::vector<Histogram> our_histograms() {
  std::vector<Histogram> all(1);
  for (const int digits : {1, 2, 3, 4, 5}) {
    base::SplitMix64 random(static_cast<std::uint64_t>(digits));
    Histogram& histogram = all.emplace_back(
        Histogram::Options{.lowest = Nanos{digits == 2 ? 1000 : 1}, .significant_digits = digits});
    for (int i = 0; i < 20'000; ++i) {
      const double value = std::exp(random.next_unit() * 28);
      histogram.record(Nanos{static_cast<std::int64_t>(value)});
    }
  }
  // A total below 2^52: above it the ranks of both sides are rounded.
  for (int bits = 0; bits < 51; ++bits) all[3].record_n(Nanos{1LL << (bits % 40)}, 1ULL << bits);
  all.push_back(all[3]);
  all.back().record(std::chrono::hours(2));  // Overflow: not part of the encoding.
  return all;
}

class HdrJavaTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    const fs::path jar = cache_folder() / jar_name;
    failure_ = fetch(jar);
    if (!failure_.empty()) return;
    char name[] = "/tmp/flow-hdr-XXXXXX";
    const int file = mkstemp(name);
    ours_ = our_histograms();
    std::string lines;
    for (const Histogram& histogram : ours_) lines += encode_hdr(histogram) + "\n";
    const bool is_written = write(file, lines.data(), lines.size()) == std::ssize(lines);
    close(file);
    const auto [code, output] =
        run(fmt::format("timeout 120 java -cp '{}' '{}/tests/cluster/hdr_java_test.java' {}",
                        jar.string(), FLOW_SOURCE_DIR, name));
    fs::remove(name);
    if (code != 0 || !is_written) failure_ = fmt::format("java ended with {}: {}", code, output);
    java_ = parse(output);
  }

  void SetUp() override { ASSERT_EQ(failure_, ""); }

  static inline std::string failure_;
  static inline std::vector<Histogram> ours_;
  static inline std::map<std::string, Described> java_;
};

TEST_F(HdrJavaTest, JavaReadsWhatWeWrite) {
  for (std::size_t i = 0; i < ours_.size(); ++i) {
    SCOPED_TRACE(i);
    const auto java = java_.find(fmt::format("read{}", i));
    ASSERT_NE(java, java_.end());
    expect_same(ours_[i], java->second);
  }
}

TEST_F(HdrJavaTest, WeReadWhatJavaWrites) {
  int read = 0;
  for (const auto& [name, java] : java_) {
    SCOPED_TRACE(name);
    const auto ours = decode_hdr(java.base64);
    ASSERT_TRUE(ours) << ours.error().what;
    expect_same(*ours, java);
    ++read;
  }
  EXPECT_EQ(read, 15);  // Seven of ours that Java wrote again, eight of its own.
}

TEST_F(HdrJavaTest, TheInnerEncodingIsTheSameByteForByte) {
  // Compressed bytes may differ with the zlib; what they hold may not. Decoding both gives equal
  // buckets; encoding Java's again gives the text that we wrote.
  for (std::size_t i = 0; i < ours_.size(); ++i) {
    const auto again = decode_hdr(java_.at(fmt::format("read{}", i)).base64);
    ASSERT_TRUE(again) << again.error().what;
    EXPECT_EQ(encode_hdr(*again), encode_hdr(ours_[i])) << i;
  }
}

}  // namespace
}  // namespace flow::measure

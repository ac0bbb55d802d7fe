// SPDX-License-Identifier: Apache-2.0
#include "lab/report.hpp"

#include <zlib.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/bytes.hpp"
#include "lab/result/files.hpp"
#include "lab/result/load.hpp"
#include "lab/tests/scratch_folder.hpp"

namespace flow::lab {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::string_view trial =
    R"({"id": "001-kafka", "state": "complete", "valid": true, "platform": "kafka", "block": 1,
 "words": "</script> and \"hdr_v2\": \"kept\"", "share": 0.1000000000000000055511151231257827,
 "per_second": [{"second": 0}], "settings": {"a": "b"}, "list": ["hdr_v2", "kept too"],
 "hops": {"publish_response": {"count": 5, "p99_ns": 7, "hdr_v2": "HISTFAAAabc+/=", "curve": [[0.5, 1]]}}})";

// What the page would read.
std::string data_of(const std::filesystem::path& report) {
  const auto page = read_file(report);
  if (!page) return page.error().what;
  const std::string_view before = "id=\"flow-data\">";
  const std::size_t from = page->find(before) + before.size();
  const auto packed = base::from_base64(page->substr(from, page->find('<', from) - from));
  if (!packed) return "no base64";
  std::string text(1 << 20, '\0');
  uLongf length = text.size();
  if (uncompress(reinterpret_cast<Bytef*>(text.data()), &length,
                 reinterpret_cast<const Bytef*>(packed->data()), packed->size()) != Z_OK) {
    return "no zlib stream";
  }
  text.resize(length);
  return text;
}

class ReportTest : public testing::Test {
 protected:
  ReportTest() {
    folder_.write("experiment.json", R"({"name": "x", "effective": {"platforms": ["kafka"]}})");
    folder_.write("trials/001-kafka/trial.json", trial);
  }
  test::ScratchFolder folder_;
};

TEST_F(ReportTest, CarriesTheFilesOfTheResultToTheLastDigitWithoutTheHistograms) {
  const auto path = write_report(folder_.path());

  ASSERT_TRUE(path) << path.error().what;
  const std::string data = data_of(*path);
  EXPECT_TRUE(base::parse_json(data, "data")) << data;
  EXPECT_THAT(data, HasSubstr("0.1000000000000000055511151231257827"));
  EXPECT_THAT(data, HasSubstr(R"("hdr_v2": "", "curve": [[0.5, 1]])"));
  EXPECT_THAT(data, Not(HasSubstr("HISTFAAA")));
  EXPECT_THAT(data, HasSubstr(R"(</script> and \"hdr_v2\": \"kept\")"));
  EXPECT_THAT(data, HasSubstr(R"(["hdr_v2", "kept too"])"));
  EXPECT_THAT(data, HasSubstr(R"("analysis": {"format":"flow-analysis/1")"));
}

TEST_F(ReportTest, LoadsAllOfATrialOrWhatAnAnalysisReads) {
  const auto all = load_result(folder_.path());
  const auto some = load_for_analysis(folder_.path());

  ASSERT_TRUE(all && some);
  EXPECT_TRUE(all->at("trials").at(0).as_object().contains("per_second"));
  const auto& hop = some->at("trials").at(0).at("hops").at("publish_response").as_object();
  EXPECT_FALSE(some->at("trials").at(0).as_object().contains("per_second"));
  EXPECT_FALSE(hop.contains("curve"));
  EXPECT_EQ(hop.at("hdr_v2").as_string(), "HISTFAAAabc+/=");
  EXPECT_TRUE(some->at("trials").at(0).at("valid").as_bool());
}

TEST_F(ReportTest, SaysWhichFileIsNoResult) {
  folder_.write("trials/001-kafka/trial.json", "{\"id\": ");

  const auto broken = write_report(folder_.path());
  const auto elsewhere = write_report(folder_ / "trials");

  ASSERT_FALSE(broken || elsewhere);
  EXPECT_THAT(broken.error().what, HasSubstr("001-kafka/trial.json"));
  EXPECT_THAT(elsewhere.error().what, HasSubstr("no experiment.json here"));
}

}  // namespace
}  // namespace flow::lab

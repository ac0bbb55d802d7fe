// SPDX-License-Identifier: Apache-2.0
#include "lab/result/seal.hpp"

#include <cstdlib>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lab/result/files.hpp"

namespace flow::lab {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;

class SealTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "flow-seal-XXXXXX").string();
    folder_ = mkdtemp(name.data());
    ASSERT_TRUE(make_folder(folder_ / "trials/001"));
    ASSERT_TRUE(write_file(folder_ / "experiment.json", "{}"));
    ASSERT_TRUE(write_file(folder_ / "trials/001/trial.json", "{\"count\": 10000}"));
    ASSERT_TRUE(seal(folder_));
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::vector<std::string> problems() {
    const auto check = check_seal(folder_);
    return check ? check->problems : std::vector{check.error().what};
  }

  fs::path folder_;
};

TEST_F(SealTest, HoldsForWhatWasSealedAndIgnoresTheReport) {
  ASSERT_TRUE(write_file(folder_ / "report.html", "<html>"));

  EXPECT_THAT(problems(), IsEmpty());
}

TEST_F(SealTest, FindsAChangedByteAMissingAndAnAddedFile) {
  ASSERT_TRUE(write_file(folder_ / "trials/001/trial.json", "{\"count\": 10001}"));
  fs::remove(folder_ / "experiment.json");
  ASSERT_TRUE(write_file(folder_ / "more.json", "{}"));

  EXPECT_THAT(problems(), ElementsAre("experiment.json: missing",
                                      "trials/001/trial.json: changed since it was sealed",
                                      "more.json: added after the seal"));
}

TEST_F(SealTest, SaysWhenThereIsNoSeal) {
  fs::remove(folder_ / "SHA256SUMS");

  EXPECT_THAT(problems(), ElementsAre(testing::HasSubstr("no seal here")));
}

}  // namespace
}  // namespace flow::lab

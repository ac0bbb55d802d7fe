// SPDX-License-Identifier: Apache-2.0
#include "lab/result/running_mark.hpp"

#include <chrono>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include "base/json.hpp"
#include "lab/tests/scratch_folder.hpp"

namespace flow::lab {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

TEST(RunningMark, SaysWhoRunsAnExperimentForAsLongAsItIsHeld) {
  const test::ScratchFolder folder;
  EXPECT_FALSE(is_running(folder.path()));

  {
    const auto mark = RunningMark::create(folder.path(), 90s);
    ASSERT_TRUE(mark) << mark.error().what;
    EXPECT_TRUE(is_running(folder.path()));
    const auto document = base::read_json_file((folder / "running.json").string());
    ASSERT_TRUE(document) << document.error().what;
    EXPECT_EQ(document->at("format").as_string(), "flow-running/1");
    EXPECT_EQ(document->at("pid").to_number<pid_t>(), ::getpid());
    EXPECT_EQ(document->at("estimated_seconds").to_number<double>(), 90);
    EXPECT_GT(document->at("since_unix_ns").to_number<std::int64_t>(), 1'700'000'000'000'000'000);
  }

  EXPECT_FALSE(is_running(folder.path()));
  EXPECT_FALSE(std::filesystem::exists(folder / "running.json"));
}

TEST(RunningMark, LetsNoSecondProcessIn) {
  const test::ScratchFolder folder;
  const auto mark = RunningMark::create(folder.path(), 1s);
  ASSERT_TRUE(mark);

  const auto second = RunningMark::create(folder.path(), 1s);

  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, base::Errc::config);
  EXPECT_THAT(second.error().what, HasSubstr("another flow process runs this experiment"));
  EXPECT_TRUE(is_running(folder.path()));  // Looking and failing takes nothing away.
}

TEST(RunningMark, IsVoidWhenItsOwnerWasKilled) {
  const test::ScratchFolder folder;
  const pid_t child = ::fork();
  if (child == 0) {
    const auto mark = RunningMark::create(folder.path(), 1s);
    ::_exit(mark ? 0 : 1);  // Destroys nothing, like SIGKILL.
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
  ASSERT_TRUE(std::filesystem::exists(folder / "running.json"));

  EXPECT_FALSE(is_running(folder.path()));
  EXPECT_TRUE(RunningMark::create(folder.path(), 1s));
}

}  // namespace
}  // namespace flow::lab

// SPDX-License-Identifier: Apache-2.0
#include "lab/result/line_tail.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "lab/result/bounded_file.hpp"
#include "lab/tests/scratch_folder.hpp"

namespace flow::lab {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class LineTailTest : public testing::Test {
 protected:
  TailedLines read() {
    auto read = tail_.read();
    EXPECT_TRUE(read) << read.error().what;
    return read ? *read : TailedLines{};
  }

  test::ScratchFolder folder_;
  LineTail tail_{folder_ / "lines"};
};

TEST_F(LineTailTest, GivesEachLineOnce) {
  folder_.append("lines", "a\nb\n");
  EXPECT_THAT(read().lines, ElementsAre("a", "b"));
  EXPECT_THAT(read().lines, IsEmpty());

  folder_.append("lines", "c\n");

  EXPECT_THAT(read().lines, ElementsAre("c"));
}

// Goal: a reader may look at any moment of a write. Method: let it look after every byte.
TEST_F(LineTailTest, GivesWholeLinesWhereverTheWriterWasCut) {
  const std::string text = "one\n\nthree\n";
  std::vector<std::string> all;

  for (const char c : text) {
    folder_.append("lines", std::string(1, c));
    for (auto& line : read().lines) all.push_back(line);
  }

  EXPECT_THAT(all, ElementsAre("one", "three"));
}

TEST_F(LineTailTest, NeverGivesALineThatACrashLeftOpen) {
  folder_.append("lines", "whole\nhal");

  EXPECT_THAT(read().lines, ElementsAre("whole"));
  EXPECT_THAT(read().lines, IsEmpty());
}

TEST_F(LineTailTest, SaysWhenTheFileIsAnotherOne) {
  folder_.append("lines", "of the first\n");
  EXPECT_TRUE(read().is_new);
  EXPECT_FALSE(read().is_new);

  fs::rename(folder_ / "lines", folder_ / "aside");  // As a trial that is run again.
  folder_.append("lines", "of the second\n");
  const auto second = read();

  EXPECT_TRUE(second.is_new);
  EXPECT_THAT(second.lines, ElementsAre("of the second"));
}

TEST_F(LineTailTest, BeginsAgainWhenTheFileWasCutShort) {
  folder_.append("lines", "a long first line\nhal");
  read();

  fs::resize_file(folder_ / "lines", 0);
  folder_.append("lines", "new\n");
  const auto after = read();

  EXPECT_TRUE(after.is_new);
  EXPECT_THAT(after.lines, ElementsAre("new"));
}

TEST_F(LineTailTest, SaysThatTheFileIsGoneAndFindsItAgain) {
  folder_.append("lines", "a\n");
  read();

  fs::remove(folder_ / "lines");
  const auto gone = tail_.read();
  folder_.append("lines", "b\n");

  ASSERT_FALSE(gone);
  EXPECT_THAT(gone.error().what, HasSubstr("lines: No such file"));
  EXPECT_TRUE(read().is_new);
}

TEST_F(LineTailTest, ReadsALongFileInPieces) {
  LineTail tail(folder_ / "lines", {.bytes_at_once = 10});
  folder_.append("lines", "123456\nabcdef\n");

  const auto first = tail.read();
  const auto second = tail.read();

  EXPECT_THAT(first->lines, ElementsAre("123456"));
  EXPECT_TRUE(first->has_more);
  EXPECT_THAT(second->lines, ElementsAre("abcdef"));
  EXPECT_FALSE(second->has_more);
}

TEST_F(LineTailTest, LeavesOutALineThatIsTooLong) {
  LineTail tail(folder_ / "lines", {.bytes_at_once = 8, .line_bytes_max = 16});
  folder_.append("lines", "first\n" + std::string(40, 'x') + "\nlast\n");

  std::vector<std::string> all;
  std::size_t left_out = 0;
  for (bool has_more = true; has_more;) {
    const auto read = tail.read();
    for (auto& line : read->lines) all.push_back(line);
    left_out += read->left_out;
    has_more = read->has_more;
  }

  EXPECT_THAT(all, ElementsAre("first", "last"));
  EXPECT_EQ(left_out, 1u);
}

TEST_F(LineTailTest, SkipsToTheEndOfAFileThatIsTooFarAhead) {
  LineTail tail(folder_ / "lines", {.bytes_behind_max = 12});
  folder_.append("lines", "old\nold\nold\nold\nthe cut line\nnew\n");

  const auto read = tail.read();

  EXPECT_THAT(read->lines, ElementsAre("new"));
  EXPECT_EQ(read->left_out, 1u);
}

TEST(BoundedFile, ReadsRegularFilesOnly) {
  const test::ScratchFolder folder;
  folder.append("file", "text");
  fs::create_symlink(folder / "file", folder / "link");
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);

  EXPECT_EQ(read_bounded(folder / "file", 4).value(), "text");
  EXPECT_FALSE(read_bounded(folder / "link", 4));
  EXPECT_FALSE(read_bounded(folder / "pipe", 4));  // And does not wait for a writer.
  EXPECT_FALSE(read_bounded(folder.path(), 4));
}

TEST(BoundedFile, RefusesAFileAboveItsBound) {
  const test::ScratchFolder folder;
  folder.append("file", "12345");

  const auto read = read_bounded(folder / "file", 4);

  ASSERT_FALSE(read);
  EXPECT_THAT(read.error().what, HasSubstr("larger than 4 bytes"));
}

}  // namespace
}  // namespace flow::lab

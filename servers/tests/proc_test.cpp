// SPDX-License-Identifier: Apache-2.0
#include "servers/proc.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace flow::servers {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

// A line of a real kernel; only the name was made nasty.
constexpr std::string_view stat_line =
    "4711 (a ) S 1 (x)) S 17 4711 4711 0 -1 4194560 1234 0 5 0 321 123 7 8 20 0 42 0 987654 "
    "3000000000 5555 18446744073709551615 1 1 0 0 0 0 0 4096 0 0 0 0 17 1 0 0 0 0 0\n";

TEST(Proc, ReadsAProcessWhoseNameHoldsParenthesesAndSpaces) {
  const auto stat = parse_process_stat(stat_line);

  ASSERT_TRUE(stat);
  EXPECT_EQ(stat->pid, 4711);
  EXPECT_EQ(stat->state, 'S');
  EXPECT_EQ(stat->parent, 17);
  EXPECT_EQ(stat->group, 4711);
  EXPECT_EQ(stat->user_ticks, 321u);
  EXPECT_EQ(stat->system_ticks, 123u);
  EXPECT_EQ(stat->start_time, 987654u);
  EXPECT_EQ(stat->rss_pages, 5555u);
}

TEST(Proc, RefusesALineThatIsCutAnywhereBeforeItsLastField) {
  const std::size_t needed = stat_line.find(" 5555 ") + 5;
  for (std::size_t cut = 0; cut + 4 < needed; ++cut) {
    EXPECT_FALSE(parse_process_stat(stat_line.substr(0, cut))) << cut;
  }
}

TEST(Proc, ReadsWhatWasWrittenToStorage) {
  EXPECT_EQ(parse_write_bytes("rchar: 5\nwchar: 6\nread_bytes: 7\nwrite_bytes: 81920\n"
                              "cancelled_write_bytes: 4096\n"),
            81920u);
  EXPECT_FALSE(parse_write_bytes("rchar: 5\n"));
  EXPECT_FALSE(parse_write_bytes(""));
}

TEST(Proc, ReadsWhatADeviceWasGivenToWrite) {
  const std::string_view stats =
      "   8       0 sda 100 1 800 5 40 2 1600 9 0 7 14\n"
      " 254       1 vda1 1 2 3 4 5 6 77 8 9 10 11 12 13 14 15 16 17\n"
      " 254      11 vda11 1 2 3 4 5 6\n";

  EXPECT_EQ(parse_device_write_bytes(stats, {8, 0}), 1600u * 512);
  EXPECT_EQ(parse_device_write_bytes(stats, {254, 1}), 77u * 512);
  EXPECT_FALSE(parse_device_write_bytes(stats, {254, 11}));  // Cut short.
  EXPECT_FALSE(parse_device_write_bytes(stats, {9, 0}));
  EXPECT_FALSE(parse_device_write_bytes("", {8, 0}));
}

TEST(Proc, ReadsTheDeviceBehindAMount) {
  const std::string_view mounts =
      "22 1 0:20 / /sys rw,nosuid shared:7 - sysfs sysfs rw\n"
      "36 35 0:42 /sub /mnt rw,noatime master:1 - btrfs /dev/vdb rw,space_cache\n"
      "37 35 0:43 / /cut rw -\n";

  EXPECT_EQ(parse_mount_source(mounts, {0, 42}), "/dev/vdb");
  EXPECT_EQ(parse_mount_source(mounts, {0, 43}), "");
  EXPECT_EQ(parse_mount_source(mounts, {8, 0}), "");
}

TEST(Proc, ReadsTheMachinesFirstLineOnly) {
  const auto stat = parse_machine_stat(
      "cpu  100 1 50 800 20 3 4 22 0 0\ncpu0 50 0 25 400 10 1 2 11 0 0\nintr 1\n");

  ASSERT_TRUE(stat);
  EXPECT_EQ(stat->user, 100u);
  EXPECT_EQ(stat->iowait, 20u);
  EXPECT_EQ(stat->steal, 22u);
  EXPECT_EQ(stat->total(), 1000u);
  EXPECT_FALSE(parse_machine_stat("cpu 1 2 3"));
  EXPECT_FALSE(parse_machine_stat("btime 1 2 3 4 5 6 7 8 9"));
}

TEST(ProcessTree, LeavesOutWhatIsBelowAnExceptedProcess) {
  ProcessTree tree;
  for (const auto& [pid, parent] : {std::pair{2, 1}, {3, 2}, {4, 2}, {5, 4}, {6, 5}, {9, 8}}) {
    tree.add(pid, parent);
  }

  EXPECT_THAT(tree.descendants_of(1), UnorderedElementsAre(2, 3, 4, 5, 6));
  EXPECT_THAT(tree.descendants_of(1, {4}), UnorderedElementsAre(2, 3));
  EXPECT_THAT(tree.descendants_of(5), ElementsAre(6));
  EXPECT_THAT(tree.descendants_of(6), IsEmpty());
}

}  // namespace
}  // namespace flow::servers

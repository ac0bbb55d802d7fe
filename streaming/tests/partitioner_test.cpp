// SPDX-License-Identifier: Apache-2.0
#include "streaming/partitioner.hpp"

#include <gtest/gtest.h>

namespace flow::streaming {
namespace {

// What the Java client 2.8.1 sent to a topic of 6 partitions.
TEST(Partitioner, ChoosesThePartitionsOfTheJavaClient) {
  EXPECT_EQ(partition_of("1", 6), 3);
  EXPECT_EQ(partition_of("2", 6), 2);
  EXPECT_EQ(partition_of("3", 6), 5);
  EXPECT_EQ(partition_of("4", 6), 1);
  EXPECT_EQ(partition_of("5", 6), 0);
  EXPECT_EQ(partition_of("6", 6), 4);
  EXPECT_EQ(partition_of("7", 6), 3);
  EXPECT_EQ(partition_of("8", 6), 3);
  EXPECT_EQ(partition_of("9", 6), 5);
  EXPECT_EQ(partition_of("11", 6), 0);
  EXPECT_EQ(partition_of("12", 6), 4);
  EXPECT_EQ(partition_of("13", 6), 1);
}

// org.apache.kafka.common.utils.UtilsTest.testMurmur2.
TEST(Partitioner, HashesAsKafkasOwnTestExpects) {
  EXPECT_EQ(murmur2("21"), static_cast<std::uint32_t>(-973932308));
  EXPECT_EQ(murmur2("foobar"), static_cast<std::uint32_t>(-790332482));
  EXPECT_EQ(murmur2("a-little-bit-long-string"), static_cast<std::uint32_t>(-985981536));
  EXPECT_EQ(murmur2("a-little-bit-longer-string"), static_cast<std::uint32_t>(-1486304829));
  EXPECT_EQ(murmur2("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8"),
            static_cast<std::uint32_t>(-58897971));
  EXPECT_EQ(murmur2("abc"), 479470107U);
}

}  // namespace
}  // namespace flow::streaming

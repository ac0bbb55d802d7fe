// SPDX-License-Identifier: Apache-2.0
#include "servers/registry.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace flow::servers {
namespace {

using ::testing::HasSubstr;

UpEntry entry() {
  UpEntry made;
  made.name = "mine";
  made.platform = "pulsar";
  made.level = "strong";
  made.service = "pulsar://127.0.0.1:1";
  made.admin = "http://127.0.0.1:2";
  made.directory = "/x";
  made.keeper = {"keeper", 11, 12};
  made.processes = {{"pulsar-zookeeper", 21, 22}, {"pulsar-broker-1", 31, 32}};
  made.started_unix_ns = 1'790'000'000'123'456'789;
  made.is_ready = true;
  return made;
}

TEST(UpEntry, ComesBackFromItsFileAsItWas) {
  const auto read = up_entry_from(to_json(entry()), "mine.json");

  ASSERT_TRUE(read) << read.error().what;
  EXPECT_EQ(to_json(*read), to_json(entry()));
  EXPECT_EQ(read->processes[1].start_time, 32u);
}

TEST(UpEntry, ADamagedFileIsAnErrorThatNamesThePlace) {
  for (const char* key : {"name", "keeper", "processes", "service", "started_unix_ns"}) {
    auto object = to_json(entry());
    object.erase(key);
    const auto read = up_entry_from(object, "mine.json");
    ASSERT_FALSE(read) << key;
    EXPECT_THAT(read.error().what, HasSubstr("mine.json"));
  }
}

TEST(UpName, IsAFileNameAndNothingMore) {
  EXPECT_TRUE(check_name("kafka-2_b"));
  for (const char* name : {"", "../x", "a b", "a/b", "abcdefghijklmnopqrstuvwxyz0123456789"}) {
    EXPECT_FALSE(check_name(name)) << name;
  }
}

}  // namespace
}  // namespace flow::servers

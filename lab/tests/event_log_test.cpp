// SPDX-License-Identifier: Apache-2.0
#include "lab/dashboard/event_log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace flow::lab {
namespace {

using testing::ElementsAre;

std::vector<std::string> data_of(const std::optional<std::vector<Event>>& events) {
  std::vector<std::string> data;
  if (!events) return {"not known"};
  for (const auto& event : *events) data.push_back(event.data);
  return data;
}

TEST(EventLog, GivesWhatFollowedTheEventThatAClientSawLast) {
  EventLog log("e");
  const auto first = log.add("lines", "1");
  log.add("lines", "2");
  log.add("trial", "3");

  EXPECT_EQ(first.id, "e-1");
  EXPECT_EQ(log.newest_id(), "e-3");
  EXPECT_THAT(data_of(log.after("e-1")), ElementsAre("2", "3"));
  EXPECT_THAT(data_of(log.after("e-3")), ElementsAre());
  EXPECT_THAT(data_of(log.after("e-0")), ElementsAre("1", "2", "3"));
}

TEST(EventLog, KnowsNothingOfAnotherStartOfTheProgramNorOfTheFuture) {
  EventLog log("e2");
  log.add("lines", "1");

  for (const auto* id : {"e-0", "e2-2", "e2-", "e2-x", "e2-1x", "e2--1", "e2", "", "e22-0",
                         "e2-99999999999999999999999"}) {
    EXPECT_THAT(data_of(log.after(id)), ElementsAre("not known")) << id;
  }
}

TEST(EventLog, ForgetsTheOldestByNumberAndBySize) {
  EventLog few("e", {.events_max = 2});
  EventLog small("e", {.bytes_max = 10});
  for (const auto* data : {"one", "two", "three"}) {
    few.add("lines", data);
    small.add("lines", data);
  }

  EXPECT_THAT(data_of(few.after("e-0")), ElementsAre("not known"));
  EXPECT_THAT(data_of(few.after("e-1")), ElementsAre("two", "three"));
  EXPECT_THAT(data_of(small.after("e-1")), ElementsAre("two", "three"));
  EXPECT_THAT(data_of(small.after("e-0")), ElementsAre("not known"));
}

TEST(EventLog, ForgetsAnEventThatIsLargerThanAll) {
  EventLog log("e", {.bytes_max = 4});

  log.add("current", "too large");

  EXPECT_THAT(data_of(log.after("e-0")), ElementsAre("not known"));
  EXPECT_THAT(data_of(log.after("e-1")), ElementsAre());
}

}  // namespace
}  // namespace flow::lab

// SPDX-License-Identifier: Apache-2.0
#include "lab/trial/faults.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace flow::lab {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Hands that write down what they were told; `kill` may fail.
struct Told {
  std::vector<std::string> words;
  bool is_kill_refused = false;

  FaultInjector::Hands hands() {
    const auto noting = [this](const char* what) {
      return [this, what](const std::string& role) -> base::Result<void> {
        words.push_back(std::string(what) + " " + role);
        if (is_kill_refused) return base::fail(base::Errc::io, "{}: does not run", role);
        return {};
      };
    };
    return {noting("kill"), noting("restart"), noting("freeze"), noting("thaw")};
  }
};

const Fault kill{.what = "kill", .role = "pinot-server", .at_seconds = 2, .for_seconds = 0};
const Fault pause{.what = "pause", .role = "broker", .at_seconds = 1, .for_seconds = 0};

TEST(FaultInjector, BeginsEachFaultWhenItIsDueInTheOrderOfTheirTimes) {
  Told told;
  FaultInjector faults({kill, pause}, told.hands());

  faults.begin_due(500ms);
  EXPECT_TRUE(told.words.empty());
  faults.begin_due(1s);
  faults.finish();
  faults.begin_due(2s);
  faults.finish();

  EXPECT_THAT(told.words, ElementsAre("freeze broker", "thaw broker", "kill pinot-server",
                                      "restart pinot-server"));
  EXPECT_THAT(std::string(faults.describe().at(1).at("words").as_string()),
              HasSubstr("ready again"));
}

TEST(FaultInjector, SaysWhatCouldNotBeDoneAndUndoesNothing) {
  Told told;
  told.is_kill_refused = true;
  FaultInjector faults({kill}, told.hands());

  faults.begin_due(3s);
  faults.finish();

  EXPECT_THAT(told.words, ElementsAre("kill pinot-server"));
  EXPECT_THAT(std::string(faults.describe().at(0).at("words").as_string()),
              HasSubstr("not done: pinot-server: does not run"));
}

TEST(FaultInjector, SaysWhichFaultsWereNotReached) {
  Told told;
  FaultInjector faults({kill}, told.hands());

  faults.begin_due(1s);
  faults.finish();

  EXPECT_EQ(faults.describe().at(0).at("words").as_string(), "not reached");
  EXPECT_TRUE(faults.describe().at(0).at("began_seconds").is_null());
}

}  // namespace
}  // namespace flow::lab

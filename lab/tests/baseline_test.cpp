// SPDX-License-Identifier: Apache-2.0
#include "lab/judge/baseline.hpp"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lab/judge/diff.hpp"
#include "lab/tests/scratch_folder.hpp"

namespace flow::lab {
namespace {

using base::json::array;
using base::json::object;
using ::testing::HasSubstr;
using ::testing::Not;

object result_of(double times, const char* host = "a") {
  array trials;
  for (int trial = 0; trial < 16; ++trial) {
    const int block = trial / 2 + 1;  // Each with its A/A trial.
    const double p99 = 1e7 * times * (1 + 0.004 * ((trial * 7) % 5));
    trials.push_back(
        {{"cell", "kafka-fsync-1"},
         {"workload", "bursts"},
         {"block", block},
         {"valid", true},
         {"is_repeat", trial % 2 == 1},
         {"schedule_hash", "54d2"},
         {"hops",
          {{"publish_response", {{"count", 100}, {"p99_ns", p99}, {"hdr_v2", "HISTFAAA"}}}}},
         {"per_second", array{{{"second", 0}}}}});
  }
  return {{"experiment",
           {{"name", "demo"},
            {"host", {{"host_name", host}, {"disk", "/dev/vda"}}},
            {"effective", {{"primary", "publish_response_p99"}, {"users", 100}}}}},
          {"trials", std::move(trials)}};
}

class Baseline : public ::testing::Test {
 protected:
  std::filesystem::path write(std::string_view text) {
    return folder_.write("baseline.json", text);
  }
  test::ScratchFolder folder_;
};

TEST_F(Baseline, IsComparedAsTheResultItWasMadeOf) {
  const auto before = load_comparable(write(baseline_text(make_baseline(result_of(1)))));
  ASSERT_TRUE(before) << before.error().what;

  for (const double times : {0.5, 1.0, 1.5}) {
    const auto by_file = diff_results(*before, result_of(times, "b"), "", 0.1);
    const auto by_result = diff_results(result_of(1), result_of(times, "b"), "", 0.1);

    ASSERT_TRUE(by_file && by_result);
    EXPECT_EQ(describe(*by_file), describe(*by_result)) << times;
  }
}

TEST_F(Baseline, HoldsNoHistogramAndOneLineATrial) {
  const std::string text = baseline_text(make_baseline(result_of(1)));

  EXPECT_THAT(text, Not(HasSubstr("HISTFAAA")));
  EXPECT_THAT(text, Not(HasSubstr("per_second")));
  EXPECT_EQ(std::ranges::count(text, '\n'), 4 + 16);
}

TEST_F(Baseline, RefusesAnyOtherFile) {
  for (const auto* text : {"[]", "{}", R"({"format": "flow-experiment/1"})",
                           R"({"format": "flow-baseline/1", "experiment": {}, "trials": [1]})",
                           R"({"format": "flow-baseline/1", "trials": []})"}) {
    const auto loaded = load_comparable(write(text));

    ASSERT_FALSE(loaded) << text;
    EXPECT_EQ(loaded.error().code, base::Errc::config) << text;
    EXPECT_THAT(loaded.error().what, HasSubstr("expected")) << text;
  }
}

}  // namespace
}  // namespace flow::lab

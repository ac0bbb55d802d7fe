// SPDX-License-Identifier: Apache-2.0
#include "lab/judge/components.hpp"

#include <cmath>
#include <deque>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.hpp"

namespace flow::lab {
namespace {

using base::json::object;
using base::json::value;
using testing::HasSubstr;

constexpr std::string_view primary = "publish_response_p99";

struct Times {
  double fixed_seconds = 40;
  double measured_seconds = 60;
};

value trial(std::string_view cell, double log_p99, Times times = {}) {
  const double started = 1e18, from = started + times.fixed_seconds * 1e9,
               until = from + times.measured_seconds * 1e9;
  return object{
      {"cell", cell},
      {"valid", true},
      {"platform_fell_over", false},
      {"state", "complete"},
      {"started_unix_ns", started},
      {"measured_from_unix_ns", from},
      {"measured_until_unix_ns", until},
      {"finished_unix_ns", until},
      {"hops", {{"publish_response", {{"count", 1000}, {"p99_ns", std::exp(log_p99) * 1e6}}}}}};
}

double normal(base::SplitMix64& random) {
  double sum = -6;
  for (int i = 0; i < 12; ++i) sum += random.next_unit();
  return sum;
}

// Blocks whose logarithms are made from what a block has in common, what a platform makes of a
// block, and the luck of a trial.
class Blocks {
 public:
  Blocks(int count, double block_sd, double left_sd, double run_sd, Times times = {}) {
    base::SplitMix64 random(11);
    for (int i = 1; i <= count; ++i) {
      const double common = block_sd * normal(random);
      const double kafka = common + left_sd * normal(random);
      const double pulsar = common + 0.2;
      trials_.push_back(trial("kafka", kafka + run_sd * normal(random), times));
      trials_.push_back(trial("pulsar", pulsar + run_sd * normal(random), times));
      trials_.push_back(trial("kafka", kafka + run_sd * normal(random), times));
      blocks_.push_back({static_cast<std::uint32_t>(i), &trials_[trials_.size() - 3],
                         &trials_[trials_.size() - 2], &trials_.back()});
    }
  }
  value& at(std::size_t index) { return trials_[index]; }
  Components components() const { return components_of(blocks_, primary); }
  std::vector<BlockTrials> blocks_;

 private:
  std::deque<value> trials_;
};

TEST(Components, TellTheNoiseOfABlockOfATrialAndWhatIsLeft) {
  const auto found = Blocks(4000, 0.5, 0.2, 0.1).components();

  EXPECT_NEAR(*found.between_blocks, 0.25, 0.02);
  EXPECT_NEAR(*found.run_to_run, 0.01, 0.001);
  EXPECT_NEAR(*found.left, 0.04, 0.004);
  EXPECT_NEAR(*found.of_log_ratio, 0.06, 0.004);
}

TEST(Components, AdviseBlocksWhereTrialsOfACellAreAlike) {
  // (40 / 60) (2 0.01^2 / 0.2^2): a longer trial has nothing to take away.
  const auto found = Blocks(100, 0.5, 0.2, 0.01).components();

  EXPECT_EQ(found.longer_at_most, 1U);
  EXPECT_TRUE(found.is_for_blocks());
  // 3 trials of 100 s: 12 blocks in an hour; sqrt(100 / 112).
  EXPECT_THAT(
      sentence_of(found),
      HasSubstr("more blocks (about 12 fit in and would make the interval 6 % shorter), not "
                "on longer trials"));
}

TEST(Components, AdviseLongerTrialsAtMostWhereTrialsDifferAndAreShortAgainstTheirStart) {
  // T1 = 2 0.2^2, T2 = 0.05^2, costs 10 s and 90 s: sqrt(9 32) = 17.
  const auto found =
      Blocks(4000, 0.5, 0.05, 0.2, {.fixed_seconds = 90, .measured_seconds = 10}).components();

  ASSERT_TRUE(found.longer_at_most);
  EXPECT_NEAR(static_cast<double>(*found.longer_at_most), 17, 6);
  const double r = static_cast<double>(*found.longer_at_most);
  const double within = 2 * *found.run_to_run;
  EXPECT_NEAR(found.gain_at_most,
              100 * (within + *found.left) / ((90 + r * 10) * (within / r + *found.left)), 1e-9);
  EXPECT_GT(found.gain_at_most, 3);
  EXPECT_THAT(sentence_of(found), HasSubstr("or, in a new experiment, on longer trials"));
}

TEST(Components, AreBoundedByTimeAloneWhereNothingIsLeft) {
  Blocks blocks(8, 0.5, 0, 0.2);
  // The A/A trials differ far more than the platforms do.
  for (std::size_t i = 0; i < 8; ++i) blocks.at(3 * i + 2) = trial("kafka", 5.0 + double(i));
  const auto found = blocks.components();

  EXPECT_LT(*found.left, 0);
  EXPECT_FALSE(found.longer_at_most);
  EXPECT_NEAR(found.gain_at_most, 100.0 / 60, 1e-9);
  EXPECT_THAT(sentence_of(found), HasSubstr("many times as long"));
}

TEST(Components, LeaveOutWhatFellOverOrIsNotValid) {
  Blocks blocks(6, 0.5, 0.1, 0.1);
  blocks.at(0).as_object()["platform_fell_over"] = true;
  blocks.at(4).as_object()["valid"] = false;

  const auto found = blocks.components();

  EXPECT_EQ(found.blocks, 4U);
  EXPECT_EQ(found.same_pairs, 5U);
}

TEST(Components, SayWhatIsMissingForASentence) {
  auto blocks = Blocks(6, 0.5, 0.1, 0.1);
  for (auto& block : blocks.blocks_) block.repeat = nullptr;
  const auto found = blocks.components();

  EXPECT_TRUE(found.of_log_ratio);
  EXPECT_FALSE(found.left);
  EXPECT_THAT(sentence_of(found), HasSubstr("4 A/A pairs at this level, and there are 6 and 0"));
  EXPECT_TRUE(describe(found).at("variance_left").is_null());
  EXPECT_THAT(sentence_of(components_of({}, primary)), HasSubstr("there are 0 and 0"));
}

TEST(Components, OfBlocksThatDoNotVarySayNothing) {
  const auto found = Blocks(6, 0, 0, 0).components();

  EXPECT_THAT(sentence_of(found), HasSubstr("cannot be told"));
}

}  // namespace
}  // namespace flow::lab

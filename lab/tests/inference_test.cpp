// SPDX-License-Identifier: Apache-2.0
#include "lab/judge/inference.hpp"

#include <array>
#include <cmath>

#include <gmock/gmock.h>

#include "base/random.hpp"
#include "lab/judge/inference_document.hpp"
#include "lab/judge/inference_words.hpp"

namespace flow::lab {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr double infinity = std::numeric_limits<double>::infinity();
const double nothing = std::nan("");

// Blocks in which the first platform measures 10 and the second 10 e^d.
std::vector<BlockPair> blocks_of(const std::vector<double>& log_ratios) {
  std::vector<BlockPair> blocks;
  for (const double d : log_ratios) {
    const auto number = static_cast<std::uint32_t>(blocks.size() + 1);
    blocks.push_back({.block = number, .first = 10, .second = 10 * std::exp(d)});
  }
  return blocks;
}

// k values around a centre: evenly spaced, so that their estimate is the centre itself.
std::vector<double> spread(std::size_t k, double centre, double reach) {
  std::vector<double> d;
  for (std::size_t i = 0; i < k; ++i) {
    const double place = 2 * static_cast<double>(i) / static_cast<double>(k - 1) - 1;
    d.push_back(centre + reach * place);
  }
  return d;
}

const std::vector<double> quiet = {0.01, -0.02, 0.015, -0.005, 0.02, -0.01, 0.005, -0.015};

LevelBlocks level_of(const std::vector<BlockPair>& blocks, const std::string& name = "fsync-1") {
  return {.level = name,
          .primary = {.metric = "p99 of publish response", .blocks = blocks},
          .secondaries = {},
          .same = blocks_of(quiet)};
}

InferenceInput one_level(const std::vector<BlockPair>& blocks) {
  InferenceInput input;
  input.primaries = 3;
  input.levels = {level_of(blocks)};
  return input;
}

LevelInference judge(const InferenceInput& input) { return infer(input).at(0); }
LevelInference judge(const std::vector<double>& log_ratios) {
  return judge(one_level(blocks_of(log_ratios)));
}

TEST(Inference, NamesThePlatformThatIsLowerByMoreThanTheMargin) {
  const auto level = judge(spread(10, 0.3, 0.1));

  EXPECT_EQ(level.verdict, Verdict::lower);
  EXPECT_TRUE(level.tests_agree);
  EXPECT_EQ(level.words, "Kafka lower p99 of publish response by at least 20 %");
  EXPECT_EQ(level.sentence,
            "At level fsync-1, Kafka has the lower p99 of publish response, by at least 20 % "
            "(Pulsar/Kafka 1.35, 98.3 % interval 1.26 to 1.44, 10 blocks).");
}

TEST(Inference, TurnsRoundWithThePlatforms) {
  const auto level = judge(spread(10, -0.3, 0.1));

  EXPECT_EQ(level.verdict, Verdict::lower);
  EXPECT_EQ(level.words, "Pulsar lower p99 of publish response by at least 20 %");
  EXPECT_THAT(level.sentence, HasSubstr("(Pulsar/Kafka 0.74, 98.3 % interval 0.69 to 0.79"));
}

TEST(Inference, CallsADifferenceThatReachesTheMarginMaybeTooSmall) {
  const auto level = judge(spread(10, 0.12, 0.1));

  ASSERT_TRUE(level.simultaneous->excludes_zero());
  EXPECT_EQ(level.verdict, Verdict::different);
  EXPECT_EQ(level.doubt, Doubt::none);
  EXPECT_EQ(level.words, "different, maybe too small to matter");
  EXPECT_THAT(level.sentence,
              HasSubstr("Kafka has the lower p99 of publish response, by at least 5 %: different, "
                        "maybe too small to matter (Pulsar/Kafka 1.13"));
}

TEST(Inference, CallsASmallDifferenceThatIsCertainEquivalentAllTheSame) {
  const auto level = judge(spread(10, 0.04, 0.02));

  EXPECT_EQ(level.verdict, Verdict::different_but_equivalent);
  EXPECT_EQ(level.words, "different but practically equivalent");
  EXPECT_THAT(level.sentence, HasSubstr("Kafka is lower by at least 2 %, and all of the interval "
                                        "lies within a factor of 1.10"));
}

TEST(Inference, CallsPlatformsEquivalentWithinTheMargin) {
  const auto level = judge(spread(10, 0.0, 0.05));

  EXPECT_EQ(level.verdict, Verdict::equivalent);
  EXPECT_EQ(level.words, "practically equivalent");
  EXPECT_THAT(level.sentence,
              AllOf(HasSubstr("the p99 of publish response of Kafka and Pulsar is practically "
                              "equivalent: 90 % interval 0.98 to 1.02, within a factor of 1.10"),
                    HasSubstr("10 blocks")));
}

TEST(Inference, CannotTellAndSaysHowManyBlocksWould) {
  const auto level = judge(spread(10, 0.1, 0.35));

  EXPECT_EQ(level.verdict, Verdict::inconclusive);
  EXPECT_EQ(level.doubt, Doubt::blocks);
  ASSERT_TRUE(level.blocks_needed);
  EXPECT_NEAR(static_cast<double>(*level.blocks_needed), 65,
              10);  // sd 0.236: about 12 sd^2/margin^2.
  const auto more = std::to_string(*level.blocks_needed - 10);
  EXPECT_EQ(level.words, "inconclusive: need about " + more + " more blocks (" +
                             std::to_string(*level.blocks_needed) + " in all)");
  EXPECT_THAT(level.sentence,
              AllOf(HasSubstr("At level fsync-1, Flow cannot tell whether Kafka or Pulsar has the "
                              "lower p99 of publish response"),
                    HasSubstr("need about " + more + " more blocks")));
}

TEST(Inference, AsksForAnIntervalAsShortAsTheMarginWhenItCannotTell) {
  // The noise is small enough for 10 blocks to find the margin, the true ratio lies between.
  const auto level = judge(spread(10, 0.06, 0.1));

  ASSERT_EQ(level.verdict, Verdict::inconclusive);
  ASSERT_EQ(level.doubt, Doubt::blocks);
  ASSERT_TRUE(level.blocks_needed);
  // sd 0.0673: 2 t sd / sqrt(3 k / pi) is the margin for k between 15 and 16, t from Student.
  EXPECT_NEAR(static_cast<double>(*level.blocks_needed), 15.5, 1.5);
}

TEST(Inference, GivesNumbersAndNoVerdictBelowTheSmallestNumberOfBlocks) {
  const auto level = judge(spread(6, 0.5, 0.05));

  EXPECT_EQ(level.verdict, Verdict::estimate);
  EXPECT_EQ(level.blocks_min, 7u);
  EXPECT_NEAR(level.log_ratio, 0.5, 1e-12);
  EXPECT_EQ(level.words, "ESTIMATE, no verdict: 6 of at least 7 blocks");
  EXPECT_THAT(level.sentence, AllOf(testing::StartsWith("ESTIMATE: at level fsync-1, no verdict"),
                                    HasSubstr("6 blocks count, and fewer than 7 decide nothing"),
                                    HasSubstr("Pulsar/Kafka 1.65, 95 % interval"),
                                    testing::Not(HasSubstr("lower"))));
  EXPECT_EQ(judge(spread(7, 0.5, 0.05)).verdict, Verdict::lower);
}

TEST(Inference, NamesTheBlocksThatAnEstimateLacks) {
  auto blocks = blocks_of(spread(9, 0.5, 0.3));
  for (const std::size_t lost : {0U, 3U, 8U}) blocks[lost].first = nothing;

  EXPECT_THAT(judge(one_level(blocks)).sentence,
              HasSubstr("6 blocks count, and fewer than 7 decide nothing; no valid pair in blocks "
                        "1, 4, 9; a difference as large as the margin takes about "));
}

TEST(Inference, NeedsMoreBlocksForMorePrimaries) {
  auto input = one_level(blocks_of(spread(7, 0.5, 0.05)));
  input.primaries = 4;

  const auto level = judge(input);

  EXPECT_EQ(level.blocks_min, 8u);
  EXPECT_EQ(level.verdict, Verdict::estimate);
}

TEST(Inference, OfOneTwoThreeOrNoBlocksIsAnEstimate) {
  for (std::size_t k = 0; k <= 3; ++k) {
    const auto level = judge(std::vector<double>(k, 0.3));

    EXPECT_EQ(level.verdict, Verdict::estimate) << k;
    EXPECT_FALSE(level.plain) << k;
    EXPECT_THAT(level.sentence, HasSubstr("no verdict"));
  }
  EXPECT_THAT(judge(std::vector<double>{}).sentence, HasSubstr("Pulsar/Kafka unknown, 0 blocks"));
}

TEST(Inference, CannotTellWhenTheTestsDisagree) {
  // Every block says the same; the mean is ruled by one of them, and the t test does not see it.
  const auto level = judge({0.2, 0.21, 0.22, 0.23, 0.24, 0.25, 6.0});

  ASSERT_TRUE(level.simultaneous->excludes_zero());
  EXPECT_FALSE(level.tests_agree);
  EXPECT_EQ(level.verdict, Verdict::inconclusive);
  EXPECT_EQ(level.doubt, Doubt::disagreement);
  EXPECT_THAT(level.words, testing::StartsWith("inconclusive: the three tests disagree"));
  EXPECT_THAT(level.sentence, HasSubstr("the tests disagree (adjusted p: signed-rank 0.047, "
                                        "sign-flip 0.047, paired t "));
}

TEST(Inference, DoesNotCallPlatformsEquivalentWhenOneTestSeesADifference) {
  // One block of eight says the opposite: ranks and signs see no difference, the t test does.
  const auto level = judge({0.01, -0.011, 0.05, 0.051, 0.052, 0.053, 0.054, 0.055});

  ASSERT_TRUE(level.ninety->is_inside(std::log1p(0.10)));
  ASSERT_FALSE(level.simultaneous->excludes_zero());
  EXPECT_GT(level.p_holm.signed_rank, 0.05);
  EXPECT_LT(*level.p_holm.paired_t, 0.05);
  EXPECT_EQ(level.verdict, Verdict::inconclusive);
  EXPECT_EQ(level.doubt, Doubt::disagreement);
}

TEST(Inference, CannotTellADifferenceFromTheNoiseFloor) {
  auto input = one_level(blocks_of(spread(10, 0.3, 0.1)));
  input.levels[0].same = blocks_of({0.9, -0.8, 0.7, -0.9, 0.8, 1.0, -0.7, 0.6});

  const auto level = judge(input);

  ASSERT_GT(*level.noise_floor, 0.3);
  EXPECT_EQ(level.verdict, Verdict::inconclusive);
  EXPECT_EQ(level.doubt, Doubt::noise_floor);
  EXPECT_THAT(level.words, testing::StartsWith("inconclusive: not above the noise floor"));
  EXPECT_THAT(level.sentence, HasSubstr("that a platform shows against itself"));
}

TEST(Inference, DoesNotSayByHowMuchWithoutANoiseFloor) {
  auto input = one_level(blocks_of(spread(10, 0.3, 0.1)));
  input.levels[0].same = blocks_of({0.01, -0.02, 0.01});

  const auto level = judge(input);

  EXPECT_FALSE(level.noise_floor);
  EXPECT_EQ(level.verdict, Verdict::different);
  EXPECT_EQ(level.doubt, Doubt::floor_unknown);
  EXPECT_EQ(level.words, "different; the noise floor is unknown");
  EXPECT_THAT(level.sentence, HasSubstr("by how much is not said"));
}

TEST(Inference, TakesTheNoiseFloorOfAnotherLevelInProportionToTheNoise) {
  InferenceInput input;
  input.primaries = 3;
  input.levels = {level_of(blocks_of(spread(10, 0.0, 0.1)), "measured"),
                  level_of(blocks_of(spread(10, 0.5, 0.2)), "twice as noisy")};
  input.levels[1].same = {};

  const auto levels = infer(input);

  EXPECT_EQ(levels[0].floor_level, "measured");
  EXPECT_EQ(levels[1].floor_level, "measured");
  EXPECT_NEAR(*levels[1].noise_floor, 2 * *levels[0].noise_floor, 1e-12);
  EXPECT_EQ(levels[1].verdict, Verdict::lower);
}

TEST(Inference, StandsOnTheRightSideOfTheMargin) {
  // All blocks equal: the interval is a point.
  const double margin = std::log1p(0.10);
  EXPECT_EQ(judge(std::vector<double>(10, margin + 1e-6)).verdict, Verdict::lower);
  EXPECT_EQ(judge(std::vector<double>(10, margin - 1e-6)).verdict,
            Verdict::different_but_equivalent);
  EXPECT_EQ(judge(std::vector<double>(10, -margin + 1e-6)).verdict,
            Verdict::different_but_equivalent);
  EXPECT_EQ(judge(std::vector<double>(10, -margin - 1e-6)).verdict, Verdict::lower);
  EXPECT_EQ(judge(std::vector<double>(10, 0.0)).verdict, Verdict::equivalent);
}

TEST(Inference, TakesTheMarginOfTheExperiment) {
  auto input = one_level(blocks_of(spread(10, 0.12, 0.1)));
  input.margin = 0.03;

  EXPECT_EQ(judge(input).verdict, Verdict::lower);
}

TEST(Inference, RanksAPlatformThatFellOverWorst) {
  auto blocks = blocks_of(spread(10, 0.3, 0.1));
  blocks[0].second = infinity;
  blocks[1].second = infinity;

  const auto level = judge(one_level(blocks));

  EXPECT_EQ(level.verdict, Verdict::lower);
  EXPECT_EQ(level.second_fell_over, 2u);
  EXPECT_FALSE(level.p.paired_t);
  EXPECT_FALSE(level.sd);
  EXPECT_THAT(level.sentence, AllOf(HasSubstr("98.3 % interval above 1."),
                                    testing::EndsWith("Pulsar fell over in 2 of 10 blocks, which "
                                                      "rank as its worst.")));
}

TEST(Inference, HasNoRatioForAPlatformThatAlwaysFellOver) {
  auto blocks = blocks_of(spread(10, 0.3, 0.1));
  for (auto& block : blocks) block.first = infinity;

  const auto level = judge(one_level(blocks));

  EXPECT_EQ(level.verdict, Verdict::lower);
  EXPECT_EQ(level.words, "Pulsar lower p99 of publish response");
  EXPECT_THAT(level.sentence,
              AllOf(HasSubstr("Pulsar has the lower"), HasSubstr("Kafka fell over in 10 of 10")));
}

TEST(Inference, NeverCallsAPlatformThatFellOverEquivalent) {
  auto blocks = blocks_of(spread(10, 0.0, 0.04));
  blocks[3].second = infinity;
  const auto one = judge(one_level(blocks));
  blocks[3].first = infinity;
  const auto both = judge(one_level(blocks));

  ASSERT_TRUE(one.ninety->is_inside(std::log1p(0.10)));
  EXPECT_EQ(one.verdict, Verdict::inconclusive);
  EXPECT_EQ(one.doubt, Doubt::fell_over);
  EXPECT_EQ(one.words, "inconclusive: near each other, but not both stood");
  EXPECT_EQ(both.verdict, Verdict::inconclusive);
  EXPECT_EQ(both.both_fell_over, 1u);
  EXPECT_THAT(both.sentence, HasSubstr("Both did in 1: a tie."));
}

TEST(Inference, CannotTellWhenPlatformsFellOverInTurns) {
  auto blocks = blocks_of(spread(10, 0.0, 0.04));
  for (std::size_t i = 0; i < 10; ++i) (i % 2 == 0 ? blocks[i].first : blocks[i].second) = infinity;

  const auto level = judge(one_level(blocks));

  EXPECT_EQ(level.verdict, Verdict::inconclusive);
  EXPECT_THAT(level.sentence, HasSubstr("Pulsar/Kafka unknown"));
}

TEST(Inference, LeavesOutAndListsBlocksWithoutAValidValue) {
  auto blocks = blocks_of(spread(10, 0.3, 0.1));
  blocks[2].first = nothing;
  blocks[5].second = 0;
  blocks[7].second = -1;

  const auto level = judge(one_level(blocks));

  EXPECT_THAT(level.incomplete, testing::ElementsAre(3, 6, 8));
  EXPECT_EQ(level.ratios.size(), 7u);
  EXPECT_EQ(level.verdict, Verdict::lower);
}

TEST(Inference, DoesNotDependOnTheUnitOrTheOrderOfBlocks) {
  auto blocks = blocks_of(spread(10, 0.12, 0.1));
  const auto milliseconds = judge(one_level(blocks));
  std::ranges::reverse(blocks);
  for (auto& block : blocks) {
    block.first *= 1e6;
    block.second *= 1e6;
  }
  const auto nanoseconds = judge(one_level(blocks));

  EXPECT_EQ(milliseconds.sentence, nanoseconds.sentence);
  EXPECT_NEAR(milliseconds.log_ratio, nanoseconds.log_ratio, 1e-12);
}

TEST(Inference, HoldsAllLevelsToOneFamily) {
  InferenceInput input;
  input.primaries = 3;
  for (const double centre : {0.3, 0.0, 0.1}) {
    input.levels.push_back(level_of(blocks_of(spread(10, centre, 0.2)),
                                    "level-" + std::to_string(input.levels.size())));
  }
  const auto levels = infer(input);

  EXPECT_NEAR(levels[0].p_holm.signed_rank, 3 * levels[0].p.signed_rank, 1e-12);
  EXPECT_NEAR(levels[2].p_holm.signed_rank, 2 * levels[2].p.signed_rank, 1e-12);
  EXPECT_NEAR(levels[1].simultaneous->confidence, 1 - 0.05 / 3, 1e-12);
  EXPECT_EQ(levels[0].verdict, Verdict::lower);
}

TEST(Inference, CountsPrimariesThatGaveNoData) {
  auto input = one_level(blocks_of(spread(10, 0.3, 0.1)));
  input.primaries = 6;

  const auto level = judge(input);

  EXPECT_NEAR(level.p_holm.signed_rank, 6 * level.p.signed_rank, 1e-12);
  EXPECT_NEAR(level.simultaneous->confidence, 1 - 0.05 / 6, 1e-12);
}

TEST(Inference, InterpretsSecondariesOnlyOfADecidedLevel) {
  InferenceInput input;
  input.primaries = 2;
  input.levels = {level_of(blocks_of(spread(10, 0.3, 0.1)), "decided"),
                  level_of(blocks_of(spread(10, 0.1, 0.4)), "open")};
  for (auto& level : input.levels) {
    level.secondaries = {
        {.metric = "p50 of publish response", .blocks = blocks_of(spread(10, -0.3, 0.1))},
        {.metric = "end-to-end p99", .blocks = blocks_of(spread(10, 0.01, 0.2))}};
  }
  const auto levels = infer(input);

  const auto& decided = levels[0].secondaries;
  EXPECT_EQ(decided[0].sentence.substr(0, 74),
            "Exploratory: at level decided Pulsar has the lower p50 of publish response");
  EXPECT_TRUE(decided[0].is_different && decided[0].is_interpreted);
  EXPECT_FALSE(decided[1].is_different);
  EXPECT_THAT(decided[1].sentence, HasSubstr("no difference of the end-to-end p99 is shown"));
  EXPECT_NEAR(decided[0].p_adjusted, 2 * decided[0].p, 1e-12);  // Two of four are that small.
  const auto& open = levels[1].secondaries;
  EXPECT_TRUE(open[0].is_different);
  EXPECT_FALSE(open[0].is_interpreted);
  EXPECT_THAT(open[0].sentence, testing::StartsWith("Exploratory, not interpreted: at level open"));
}

TEST(Inference, ReportsWhatThePlatformShowsAgainstItself) {
  auto input = one_level(blocks_of(spread(10, 0.3, 0.1)));
  input.levels[0].same = blocks_of(spread(8, 0.3, 0.1));

  const auto level = judge(input);

  EXPECT_EQ(level.same_pairs, 8u);
  EXPECT_LT(*level.same_p, 0.01);
}

TEST(InferenceDocument, HoldsRatiosAndNoInfinity) {
  auto blocks = blocks_of(spread(10, 0.3, 0.1));
  blocks[0].second = infinity;
  blocks[1].second = infinity;
  auto input = one_level(blocks);
  input.levels[0].secondaries = {{.metric = "p50", .blocks = blocks}};

  const auto document = describe(judge(input), input);
  const auto text = base::json::serialize(document);

  EXPECT_EQ(document.at("verdict").as_string(), "lower");
  EXPECT_NEAR(document.at("ratio").as_double(), 1.42697, 5e-6);
  EXPECT_TRUE(document.at("interval_simultaneous").as_object().at("upper").is_null());
  EXPECT_TRUE(document.at("p").as_object().at("paired_t").is_null());
  EXPECT_EQ(document.at("secondaries").as_array()[0].as_object().at("label").as_string(),
            "exploratory");
  const auto& first = document.at("ratios").as_array()[0].as_object();
  EXPECT_TRUE(first.at("ratio").is_null());
  EXPECT_TRUE(first.at("second_fell_over").as_bool());
  EXPECT_TRUE(base::parse_json(text, "inference"));
  EXPECT_EQ(text.find("1e99999"), std::string::npos);
}

TEST(InferenceDocument, OfNoBlocksHasNulls) {
  const auto input = one_level({});

  const auto document = describe(judge(input), input);

  EXPECT_EQ(document.at("verdict").as_string(), "estimate");
  EXPECT_TRUE(document.at("ratio").is_null());
  EXPECT_TRUE(document.at("interval_95").is_null());
}

TEST(FormatShareLower, NeverSaysMoreThanTheIntervalDoes) {
  EXPECT_EQ(format_share_lower(std::log(1.10)), "9 %");  // 1 - 1 / 1.10 = 9.09 %.
  EXPECT_EQ(format_share_lower(-std::log(1.10)), "9 %");
  EXPECT_EQ(format_share_lower(std::log(2)), "50 %");
  EXPECT_EQ(format_share_lower(std::log(1 / 0.9)), "10 %");
  EXPECT_EQ(format_share_lower(0.0099), "0.9 %");
  EXPECT_EQ(format_share_lower(0), "0.0 %");
}

TEST(FormatRatio, KeepsThreeDigits) {
  EXPECT_EQ(format_ratio(std::log(1.123)), "1.12");
  EXPECT_EQ(format_ratio(std::log(12.34)), "12.3");
  EXPECT_EQ(format_ratio(std::log(123.4)), "123");
  EXPECT_EQ(format_ratio(std::log(0.0123)), "0.012");
  EXPECT_EQ(format_ratio(infinity), "unbounded");
  EXPECT_EQ(format_ratio(nothing), "unknown");
}

}  // namespace
}  // namespace flow::lab

// SPDX-License-Identifier: Apache-2.0
#include "traffic/cascade.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include <gmock/gmock.h>

#include "traffic/warp.hpp"

namespace flow::traffic {
namespace {

using ::testing::ElementsAre;

std::vector<double> rounded(std::vector<double> volumes) {
  for (double& volume : volumes) volume = std::round(volume * 1e6) / 1e6;
  return volumes;
}

// The vectors were computed by two independent implementations (Python and C++).
TEST(Cascade, MakesTheKnownVolumes) {
  EXPECT_THAT(rounded(cascade(0.7, 3, 1000, 42)), ElementsAre(63, 147, 147, 343, 63, 27, 63, 147));
  EXPECT_THAT(rounded(cascade(0.7, 4, 10000, 42)),
              ElementsAre(189, 441, 441, 1029, 1029, 2401, 1029, 441, 189, 441, 81, 189, 1029, 441,
                          441, 189));
  EXPECT_THAT(
      rounded(cascade(0.8, 4, 10000, 42)),
      ElementsAre(64, 256, 256, 1024, 1024, 4096, 1024, 256, 64, 256, 16, 64, 1024, 256, 256, 64));
}

TEST(Cascade, MakesTheKnownWholeCounts) {
  EXPECT_THAT(whole_counts(cascade(0.75, 5, 100000, 7)),
              ElementsAre(879, 2637, 293, 879, 97, 293, 293, 879, 879, 293, 2637, 879, 7910, 2636,
                          2637, 879, 7910, 2637, 2637, 879, 2636, 7910, 7911, 23730, 2637, 7910,
                          879, 2637, 878, 2637, 879, 293));
}

TEST(Cascade, HasTheKnownHashes) {
  const auto counts = whole_counts(cascade(0.7, 9, 600000, 2002));
  EXPECT_EQ(count_hash(counts), 0x54d2fc914faa7c29U);
  EXPECT_EQ(*std::ranges::min_element(counts), 11U);
  EXPECT_EQ(*std::ranges::max_element(counts), 24213U);
  EXPECT_EQ(std::ranges::max_element(counts) - counts.begin(), 170);

  const auto seven = whole_counts(cascade(0.7, 10, 1e6, 2002));
  EXPECT_EQ(count_hash(seven), 0x7b6e42d6f39f7babU);
  EXPECT_THAT(std::vector(seven.begin(), seven.begin() + 8),
              ElementsAre(408, 953, 409, 175, 953, 2223, 953, 409));
  EXPECT_EQ(seven[493], 28248U);

  const auto eight = whole_counts(cascade(0.8, 10, 1e6, 2002));
  EXPECT_EQ(count_hash(eight), 0xe37ff303e89f27e5U);
  EXPECT_EQ(std::ranges::count(eight, 0U), 8);

  const auto twelve = whole_counts(cascade(0.7, 12, 1e7, 1));
  EXPECT_EQ(count_hash(twelve), 0xb1a95c5d5f4a12f5U);
  EXPECT_EQ(std::ranges::max_element(twelve) - twelve.begin(), 297);
  EXPECT_EQ(*std::ranges::max_element(twelve), 138413U);
}

TEST(Cascade, SeedOnlyPermutesTheVolumes) {
  // C(10, j) ticks of volume N b^j (1-b)^(10-j), whatever the seed.
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    std::map<long, int> ticks_of;
    for (const double volume : cascade(0.7, 10, 1e12, seed)) ++ticks_of[std::lround(volume)];
    EXPECT_EQ(ticks_of.size(), 11U);
    int choose = 1;
    for (int j = 0; j <= 10; ++j) {
      const auto volume = std::lround(1e12 * std::pow(0.7, j) * std::pow(0.3, 10 - j));
      const auto near = ticks_of.lower_bound(volume - 2);
      ASSERT_NE(near, ticks_of.end());
      EXPECT_LE(std::abs(near->first - volume), 2);
      EXPECT_EQ(near->second, choose);
      choose = choose * (10 - j) / (j + 1);
    }
  }
}

TEST(Cascade, ConservesTheVolumeOfEveryInterval) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    auto volumes = cascade(0.83, 8, 12345, seed);
    while (volumes.size() > 1) {
      std::vector<double> parents;
      for (std::size_t i = 0; i < volumes.size(); i += 2) {
        const double parent = volumes[i] + volumes[i + 1];
        EXPECT_NEAR(std::max(volumes[i], volumes[i + 1]) / parent, 0.83, 1e-9);
        parents.push_back(parent);
      }
      volumes = parents;
    }
    EXPECT_NEAR(volumes[0], 12345, 1e-6);
  }
}

TEST(Cascade, GivesEveryLevelItsOwnShare) {
  const auto volumes = cascade(std::vector{0.9, 0.5, 0.6}, 1000, 3);

  const double left = std::accumulate(volumes.begin(), volumes.begin() + 4, 0.0);
  EXPECT_NEAR(std::max(left, 1000 - left), 900, 1e-9);
  EXPECT_NEAR(volumes[0] + volumes[1], left / 2, 1e-9);
  EXPECT_NEAR(std::max(volumes[0], volumes[1]), 0.3 * left, 1e-9);
}

TEST(WholeCounts, EveryPrefixIsRightToHalfAnEvent) {
  const auto volumes = cascade(0.71, 10, 54321, 5);
  const auto counts = whole_counts(volumes);
  double exact = 0;
  double whole = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    exact += volumes[i];
    whole += static_cast<double>(counts[i]);
    EXPECT_LE(std::abs(exact - whole), 0.5 + 1e-9);
  }
  EXPECT_EQ(whole, 54321);
}

const std::vector<double> known_volumes = {343, 147, 147, 63, 147, 63, 63, 27};

TEST(Warp, InvertsTheCumulativeVolume) {
  const Warp warp(known_volumes);
  const std::vector<std::pair<double, double>> vectors = {{0.5, .001458},    {1.5, .004373},
                                                          {2.5, .007289},    {342.5, .998542},
                                                          {343.5, 1.003401}, {999.5, 7.981481}};
  for (const auto& [volume, time] : vectors) {
    EXPECT_NEAR(warp.time_of(volume), time, 1e-6);
    EXPECT_NEAR(warp.volume_at(warp.time_of(volume)), volume, 1e-9);
  }
}

TEST(Warp, MapsOperationalTime) {
  const Warp warp(known_volumes);
  const std::vector<std::pair<double, double>> vectors = {
      {.5, .182216}, {1, .364431},  {2, .728863},   {4, 2.068027},
      {6, 4.340136}, {7, 5.444444}, {7.9, 7.537037}};
  for (const auto& [tau, time] : vectors) {
    EXPECT_NEAR(warp.time_of(warp.total() * tau / 8), time, 1e-6);
  }
}

TEST(Warp, StaysInsideAndSkipsEmptyTicks) {
  const Warp warp(std::vector<double>{0, 10, 0, 10, 0});
  EXPECT_EQ(warp.time_of(0), 0);
  EXPECT_EQ(warp.time_of(5), 1.5);
  EXPECT_EQ(warp.time_of(10), 2);
  EXPECT_EQ(warp.time_of(15), 3.5);
  EXPECT_EQ(warp.time_of(20), 4);
  EXPECT_EQ(warp.time_of(21), 4);
  EXPECT_EQ(warp.volume_at(9), 20);
}

}  // namespace
}  // namespace flow::traffic

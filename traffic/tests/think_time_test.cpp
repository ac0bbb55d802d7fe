// SPDX-License-Identifier: Apache-2.0
#include "traffic/think_time.hpp"

#include <cmath>
#include <utility>

#include <gtest/gtest.h>

namespace flow::traffic {
namespace {

TEST(ThinkTime, HasTheParetoQuantiles) {
  const ThinkTime think;
  EXPECT_NEAR(think.mean(), 5, 1e-12);
  const std::pair<double, double> vectors[] = {
      {.25, 2.244337}, {.5, 2.891645}, {.75, 4.459527}, {.9, 7.906809}, {.99, 33.342739}};
  for (const auto& [u, seconds_] : vectors) EXPECT_NEAR(think.quantile(u), seconds_, 1e-6);
  EXPECT_NEAR(think.quantile(.999), 140.6, .05);
  EXPECT_NEAR(think.quantile(.9999), 592.9, .05);
}

TEST(ThinkTime, StartsAPopulationInEquilibrium) {
  const ThinkTime think;
  EXPECT_NEAR(think.residual_share(1.875), .375, 1e-12);
  for (const double u : {.01, .2, .374, .376, .5, .9, .999}) {
    EXPECT_NEAR(think.residual_share(think.residual_quantile(u)), u, 1e-9);
  }
}

TEST(ThinkTime, KnowsWhatTruncationDoesToTheLoad) {
  const ThinkTime think;
  const double limits[] = {60, 120, 300, 600};
  const double redrawn[] = {4.392, 4.594, 4.764, 4.844};
  const double clipped[] = {4.609, 4.742, 4.851, 4.902};
  for (int i = 0; i < 4; ++i) {
    EXPECT_NEAR(think.mean_when_redrawn_above(limits[i]), redrawn[i], 6e-4);
    EXPECT_NEAR(think.mean_when_clipped_at(limits[i]), clipped[i], 6e-4);
  }
}

TEST(ThinkTime, KnowsWhatAClosedPopulationOmitsInAStall) {
  const ThinkTime think;
  const std::pair<double, double> vectors[] = {{.5, 0},   {1, 0},     {1.875, 0}, {3, .119},
                                               {5, .347}, {10, .614}, {30, .853}};
  for (const auto& [stall, share] : vectors) {
    EXPECT_NEAR(think.share_omitted_in_stall(stall), share, 6e-4);
  }
}

TEST(ThinkTime, DrawsTheSameForTheSameSeed) {
  base::SplitMix64 random(3);
  double least = 1e9;
  int below_xm = 0;
  for (int i = 0; i < 10'000; ++i) {
    least = std::min(least, ThinkTime{}.draw(random));
    below_xm += ThinkTime{}.draw_residual(random) < 1.875;
  }
  EXPECT_GE(least, 1.875);
  EXPECT_NEAR(below_xm, 3750, 250);
}

TEST(BoundedThinkTime, MakesMoreLoadThanTheUnlimitedLaw) {
  const std::pair<double, double> clipped[] = {{60, .085}, {600, .020}};
  const std::pair<double, double> redrawn[] = {{60, .138}, {600, .032}};
  for (const auto& [limit, change] : clipped) {
    EXPECT_NEAR((BoundedThinkTime{.limit_seconds = limit}.rate_change()), change, 6e-4);
  }
  for (const auto& [limit, change] : redrawn) {
    const BoundedThinkTime think{.limit_seconds = limit, .limit_kind = ThinkLimit::redraw};
    EXPECT_NEAR(think.rate_change(), change, 6e-4);
  }
  EXPECT_EQ(BoundedThinkTime{}.rate_change(), 0);
}

TEST(BoundedThinkTime, DrawsTheMeanThatItStates) {
  for (const ThinkLimit kind : {ThinkLimit::clip, ThinkLimit::redraw}) {
    const BoundedThinkTime think{.limit_seconds = 60, .limit_kind = kind};
    constexpr int draws = 1'000'000;
    double sum = 0;
    double most = 0;
    for (int i = 0; i < draws; ++i) {
      const double wait = think.quantile((i + .5) / draws);
      sum += wait;
      most = std::max(most, wait);
    }
    EXPECT_NEAR(sum / draws, think.mean(), 1e-4);
    EXPECT_LE(most, 60);
    EXPECT_GT(most, 59.9);
  }
}

// The share of residual lives below z is the integral of P(wait > x) from 0 to z over the mean:
// here by counting, from the waits' own quantiles.
TEST(BoundedThinkTime, StartsInTheEquilibriumOfItsOwnWaits) {
  for (const ThinkLimit kind : {ThinkLimit::clip, ThinkLimit::redraw}) {
    SCOPED_TRACE(name_of(kind));
    const BoundedThinkTime think{.limit_seconds = 20, .limit_kind = kind};
    for (const double u : {.1, .3, .5, .8, .95, .999}) {
      const double z = think.residual_quantile(u);
      constexpr int draws = 200'000;
      double integral = 0;  // Mean of min(wait, z).
      for (int i = 0; i < draws; ++i) {
        integral += std::min(think.quantile((i + .5) / draws), z) / draws;
      }
      EXPECT_NEAR(integral / think.mean(), u, 1e-4);
    }
    EXPECT_LE(think.residual_quantile(1 - 0x1p-53), 20);
  }
  EXPECT_EQ(BoundedThinkTime{}.residual_quantile(.7), ThinkTime{}.residual_quantile(.7));
}

TEST(BoundedThinkTime, ReadsTheNamesOfItsKinds) {
  EXPECT_EQ(parse_think_limit("redraw").value(), ThinkLimit::redraw);
  EXPECT_EQ(parse_think_limit("clip").value(), ThinkLimit::clip);
  EXPECT_EQ(parse_think_limit("cut").error().what, "think limit 'cut': expected clip or redraw");
}

}  // namespace
}  // namespace flow::traffic

// SPDX-License-Identifier: Apache-2.0
#include "traffic/visit_document.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace flow::traffic {
namespace {

base::Result<VisitSpec> read(std::string_view text, VisitSpec spec = {}) {
  auto map = base::load_yaml(text, "w.yaml");
  if (!map) return std::unexpected(map.error());
  read_visit_keys(*map, spec);
  if (const auto done = map->finish(); !done) return std::unexpected(done.error());
  return spec;
}

TEST(VisitKeys, AreReadInto) {
  const auto spec = read(
      "mode: population\nusers_min: 7\nnew_share: 0.5\nsteps_mean: 3\nthink_alpha: 2\n"
      "think_xm_seconds: 0.5\nthink_limit_seconds: 60\nthink_limit_kind: redraw\n"
      "first_wait: none\n");

  ASSERT_TRUE(spec) << spec.error().what;
  EXPECT_EQ(spec->mode, Mode::population);
  EXPECT_EQ(spec->users_min, 7U);
  EXPECT_EQ(spec->new_share, 0.5);
  EXPECT_EQ(spec->steps_mean, 3);
  EXPECT_EQ(spec->think.pareto.alpha, 2);
  EXPECT_EQ(spec->think.pareto.xm_seconds, 0.5);
  EXPECT_EQ(spec->think.limit_seconds, 60);
  EXPECT_EQ(spec->think.limit_kind, ThinkLimit::redraw);
  EXPECT_EQ(spec->first_wait, FirstWait::none);
}

TEST(VisitKeys, HaveTheDefaultsOfTheirMode) {
  VisitSpec before;
  before.users = 5000;

  EXPECT_EQ(read("{}", before)->mode, before.mode);
  EXPECT_EQ(read("mode: sessions")->new_share, new_share_default);
  EXPECT_EQ(read("mode: closed")->new_share, 0);
  EXPECT_EQ(read("mode: population", before)->users_min, 100U);
  EXPECT_FALSE(read("mode: closed")->think.is_limited());
}

TEST(VisitKeys, NameWhatTheyDoNotTake) {
  EXPECT_THAT(read("mode: half").error().what, ::testing::HasSubstr("half"));
  EXPECT_THAT(read("users_min: 101").error().what, ::testing::HasSubstr("101"));
  EXPECT_THAT(read("first_wait: long").error().what, ::testing::HasSubstr("first_wait"));
}

TEST(VisitSpecDocument, SaysWhatALimitDoesToTheLoad) {
  VisitSpec spec;
  spec.think.limit_seconds = 60;

  const auto object = describe(spec);

  EXPECT_EQ(object.at("mode"), "sessions");
  EXPECT_NEAR(object.at("think_limit_rate_change").as_double(), .0847, 1e-4);
  EXPECT_NEAR(object.at("think_mean_seconds").as_double(), 4.609, 1e-3);
  EXPECT_FALSE(object.contains("users_min"));
  spec.mode = Mode::open;
  EXPECT_EQ(describe(spec).size(), 1U);
}

}  // namespace
}  // namespace flow::traffic

// SPDX-License-Identifier: Apache-2.0
#include "lab/plan/workload_mode.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace flow::lab {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using traffic::Mode;

// An experiment whose one workload has these lines.
base::Result<Experiment> read(const std::string& lines, const std::string& more = "") {
  std::string yaml = "name: x\nplatforms: [kafka]\nlevels: [fsync-1]\nblocks: 2\n" + more +
                     "workloads:\n  - name: w\n";
  std::size_t from = 0;
  while (from < lines.size()) {
    const std::size_t until = lines.find('\n', from);
    yaml += "    " + lines.substr(from, until - from) + "\n";
    from = until == std::string::npos ? lines.size() : until + 1;
  }
  return parse_experiment(yaml, "x.yaml");
}

Workload workload(const std::string& lines) {
  const auto experiment = read(lines);
  EXPECT_TRUE(experiment) << experiment.error().what;
  return experiment ? experiment->workloads.at(0) : Workload{};
}

std::string error_of(const std::string& lines) {
  const auto experiment = read(lines);
  return experiment ? "no error" : experiment.error().what;
}

TEST(WorkloadMode, IsOpenUnlessSomebodySaysOtherwise) {
  const Workload silent = workload("ticks: 8");

  EXPECT_EQ(silent.customers.mode, Mode::open);
  EXPECT_EQ(describe_mode(silent), (base::json::object{{"mode", "open"}}));
  EXPECT_THAT(comparison_words(silent), IsEmpty());
}

TEST(WorkloadMode, ReadsWhoComesAndHowTheyThink) {
  const Workload sessions = workload(
      "mode: sessions\nrequests_per_second: 50\nsteps_mean: 3\nnew_share: 0.1\nthink_alpha: 2\n"
      "think_xm_seconds: 0.5\nthink_limit_seconds: 60\nthink_limit_kind: redraw");

  EXPECT_EQ(sessions.customers.mode, Mode::sessions);
  EXPECT_EQ(sessions.requests_per_second, 50);
  const auto described = describe_mode(sessions);
  EXPECT_EQ(described.at("steps_mean"), 3.0);
  EXPECT_EQ(described.at("think_limit_kind"), "redraw");
}

TEST(WorkloadMode, TakesTheRateFromUsersAndPausesWhereNobodyGivesOne) {
  // 2 requests a step, 5 s of think time on average.
  const Workload closed = workload("mode: closed\nusers: 500");
  EXPECT_DOUBLE_EQ(closed.requests_per_second, 200);
  EXPECT_DOUBLE_EQ(closed.warm_up_requests_per_second, 200);

  // Flat: the busiest tick is every tick.
  const Workload flat = workload("mode: population\nusers: 500\nbias: 0.5\nticks: 8");
  EXPECT_DOUBLE_EQ(flat.requests_per_second, 200);

  // The busiest of 2 ticks has 0.75, the other 0.25 of all.
  const Workload uneven = workload("mode: population\nusers: 300\nbias: 0.75\nticks: 2");
  EXPECT_DOUBLE_EQ(uneven.requests_per_second, 80);
  EXPECT_EQ(workload("mode: closed\nwarm_up_requests_per_second: 7").warm_up_requests_per_second,
            7);
}

TEST(WorkloadMode, RefusesAKeyThatWouldDoNothing) {
  EXPECT_THAT(error_of("steps_mean: 3"),
              AllOf(HasSubstr("x.yaml:7: /workloads/0/steps_mean"),
                    HasSubstr("only with mode sessions"), HasSubstr("this workload's is open")));
  EXPECT_THAT(error_of("mode: closed\nrequests_per_second: 9"),
              HasSubstr("only with mode open or sessions"));
  EXPECT_THAT(error_of("mode: closed\nbias: 0.7"), HasSubstr("bias"));
  EXPECT_THAT(error_of("mode: sessions\nusers_min: 9"), HasSubstr("only with mode population"));
  EXPECT_THAT(error_of("mode: closed-warped\nplacement: even"), HasSubstr("placement"));
  EXPECT_THAT(error_of("mode: closed\nthink_limit_kind: clip"),
              HasSubstr("only with think_limit_seconds"));
  EXPECT_THAT(error_of("mode: closed\nthink_limit_seconds: 1"),
              HasSubstr("above think_xm_seconds"));
  EXPECT_THAT(error_of("mode: sometimes"), HasSubstr("'sometimes'"));
  EXPECT_THAT(error_of("mode: population\nusers: 5\nusers_min: 6"), HasSubstr("users_min"));
}

TEST(WorkloadMode, PlaysTheSameUnderOneSeedAndAnotherUnderAnother) {
  for (const std::string mode : {"open", "sessions", "population", "closed", "closed-warped"}) {
    const Workload played = workload("ticks: 8\nusers: 50\nmode: " + mode);

    const auto one = make_traffic(played, 1);
    const auto again = make_traffic(played, 1);
    const auto other = make_traffic(played, 2);

    ASSERT_TRUE(one && again && other) << mode;
    EXPECT_EQ(one->visits.has_value(), mode != "open");
    EXPECT_EQ(one->schedule.hash, again->schedule.hash) << mode;
    EXPECT_NE(one->schedule.hash, other->schedule.hash) << mode;
    if (one->visits) {
      EXPECT_EQ(one->schedule.hash, one->visits->hash);
      EXPECT_EQ(one->schedule.intended.size(), one->visits->actions.size());
    }
  }
}

TEST(WorkloadMode, IsAboutAsBusyAsItSays) {
  for (const std::string mode : {"sessions", "population", "closed", "closed-warped"}) {
    const Workload played = workload("ticks: 128\nusers: 300\nmode: " + mode);

    const auto traffic = make_traffic(played, 3);

    ASSERT_TRUE(traffic) << mode;
    const double rate = static_cast<double>(traffic->schedule.intended.size()) / 128;
    EXPECT_NEAR(rate / played.requests_per_second, 1, 0.15) << mode;
  }
}

TEST(WorkloadMode, HasRatesByTickWhereTheModelMakesThem) {
  EXPECT_TRUE(has_rate_by_tick(workload("ticks: 8")));
  EXPECT_TRUE(has_rate_by_tick(workload("mode: population")));
  EXPECT_TRUE(has_rate_by_tick(workload("mode: closed-warped")));
  EXPECT_FALSE(has_rate_by_tick(workload("mode: sessions")));
  // A fixed number of customers is flat: all ticks are alike.
  EXPECT_EQ(workload("mode: closed").bias, 0.5);
}

TEST(WorkloadMode, NeedsAConnectionForEveryCustomerUnderEverySeed) {
  const auto experiment = read("mode: closed\nusers: 30", "connections_max: 29\n");
  ASSERT_TRUE(experiment);
  EXPECT_THAT(check_mode(*experiment).error().what,
              AllOf(HasSubstr("workload w: mode closed"), HasSubstr("connections_max 29"),
                    HasSubstr("30 customers")));

  EXPECT_TRUE(check_mode(*read("mode: closed\nusers: 30", "connections_max: 30\n")));
  EXPECT_TRUE(check_mode(*read("users: 30", "connections_max: 1\n")));
}

TEST(WorkloadMode, LeavesNoEventForTheProbeToLookFor) {
  const std::string lines = "mode: closed\nticks: 4";
  EXPECT_THAT(check_mode(*read(lines, "analytics: true\n")).error().what,
              HasSubstr("probe_queries_per_second: 0"));
  EXPECT_TRUE(check_mode(*read(lines, "analytics: true\nprobe_queries_per_second: 0\n")));
  EXPECT_TRUE(check_mode(*read("ticks: 4", "analytics: true\n")));
}

TEST(WorkloadMode, SaysWhatItMeansForComparing) {
  EXPECT_THAT(comparison_words(workload("mode: population")),
              AllOf(HasSubstr("workload w: mode population"), HasSubstr("omitted"),
                    HasSubstr("same visits, actions and pauses")));
}

}  // namespace
}  // namespace flow::lab

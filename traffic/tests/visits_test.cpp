// SPDX-License-Identifier: Apache-2.0
#include "traffic/visits.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <string>

#include <gmock/gmock.h>

#include "traffic/arrivals.hpp"
#include "traffic/visit_facts.hpp"

namespace flow::traffic {
namespace {

using namespace std::chrono_literals;
using base::Nanos;

VisitSpec spec_of(Mode mode, std::uint32_t ticks, Nanos tick = 1s) {
  VisitSpec spec;
  spec.mode = mode;
  spec.shape = {.ticks = ticks, .tick = tick, .requests_per_second = 300, .seed = 42};
  return spec;
}

double sum_of(const std::vector<std::uint64_t>& counts, std::size_t from, std::size_t until) {
  return static_cast<double>(std::accumulate(counts.begin() + static_cast<std::ptrdiff_t>(from),
                                             counts.begin() + static_cast<std::ptrdiff_t>(until),
                                             std::uint64_t{0}));
}

// Steps per second between two moments that are multiples of the tick; a step is two requests.
double step_rate(const VisitPlan& plan, double from, double until) {
  const double tick = std::chrono::duration<double>(plan.tick).count();
  const auto index = [&](double at) { return static_cast<std::size_t>(std::round(at / tick)); };
  return sum_of(plan.counts, index(from), index(until)) / 2 / (until - from);
}

struct Window {
  double from, until, steps_per_second;
};

VisitPlan five_thousand(FirstWait first_wait) {
  VisitSpec spec = spec_of(Mode::closed, 1920, 625ms);
  spec.users = 5000;
  spec.first_wait = first_wait;
  return make_visits(spec).value();
}

// 5000 customers who think 5 s on average make 1000 steps/s; from the first moment on, when each
// begins with the rest of a pause. Bounds: 4.5 standard deviations of a Poisson count.
TEST(ClosedVisits, HaveTheirRateFromTheFirstSecondInEquilibrium) {
  const VisitPlan plan = five_thousand(FirstWait::equilibrium);

  const double edges[] = {0, 1.875, 2.5, 3.75, 5, 10, 20, 30, 60, 120, 300, 600, 1200};
  for (std::size_t i = 0; i + 1 < std::size(edges); ++i) {
    SCOPED_TRACE(edges[i]);
    const double seconds = edges[i + 1] - edges[i];
    EXPECT_NEAR(step_rate(plan, edges[i], edges[i + 1]), 1000, 4.5 * std::sqrt(1000 / seconds) + 5);
  }
  EXPECT_EQ(plan.present_max, 5000U);
  EXPECT_DOUBLE_EQ(plan.present_mean, 5000);
}

// The same customers, all set off at once. The figures are those of a simulation of this law by
// other code, 20 repetitions: nothing for 1.875 s, then three times the rate, and minutes of
// excess.
TEST(ClosedVisits, AreABurstWithALongTailWhenTheySetOffTogether) {
  const VisitPlan plan = five_thousand(FirstWait::none);

  const Window windows[] = {{1.875, 2.5, 2960}, {2.5, 3.75, 1201}, {5, 10, 1223},
                            {10, 20, 1160},     {30, 60, 1089},    {60, 120, 1061},
                            {120, 300, 1036},   {300, 600, 1022},  {600, 1200, 1014}};
  EXPECT_EQ(sum_of(plan.counts, 0, 3), 2 * 5000);  // The first step of each, at 0; then nobody.
  for (const Window& window : windows) {
    SCOPED_TRACE(window.from);
    const double seconds = window.until - window.from;
    EXPECT_NEAR(step_rate(plan, window.from, window.until), window.steps_per_second,
                4.5 * std::sqrt(window.steps_per_second / seconds) + 5);
  }
}

TEST(ClosedVisits, SendMoreWhenTheirPausesAreLimited) {
  VisitSpec spec = spec_of(Mode::closed, 600);
  spec.users = 2000;
  const auto requests = [&](double limit, ThinkLimit kind) {
    spec.think = {.limit_seconds = limit, .limit_kind = kind};
    return static_cast<double>(make_visits(spec).value().actions.size());
  };
  const double unlimited = requests(1e9, ThinkLimit::clip);

  EXPECT_NEAR(unlimited, 2 * 2000 / 5.0 * 600, 0.01 * unlimited);
  EXPECT_NEAR(requests(60, ThinkLimit::clip) / unlimited, 1.085, 0.01);
  EXPECT_NEAR(requests(60, ThinkLimit::redraw) / unlimited, 1.138, 0.01);
}

TEST(OperationalTime, HasTheVectorsOfTheWarp) {
  const std::vector<double> volumes = {343, 147, 147, 63, 147, 63, 63, 27};
  const OperationalTime clock(volumes, 1s);
  const std::pair<double, double> vectors[] = {{.5, .182216},  {1, .364431},  {2, .728863},
                                               {4, 2.068027},  {6, 4.340136}, {7, 5.444444},
                                               {7.9, 7.537037}};
  for (const auto& [pause, at] : vectors) {
    const Nanos end = clock.advance(0s, Nanos{static_cast<std::int64_t>(pause * 1e9)});
    EXPECT_NEAR(static_cast<double>(end.count()) * 1e-9, at, 1e-6);
  }
  EXPECT_EQ(clock.advance(3s, 100s), 8s);
  const Nanos in_two_parts = clock.advance(clock.advance(0s, 3s), 3s);
  EXPECT_NEAR(static_cast<double>((in_two_parts - clock.advance(0s, 6s)).count()), 0, 5);
}

TEST(ClosedWarpedVisits, FollowTheVolumesThoughNobodyComesOrGoes) {
  VisitSpec spec = spec_of(Mode::closed_warped, 128);
  spec.shape.bias = 0.7;
  spec.users = 5000;

  const VisitPlan plan = make_visits(spec).value();

  const auto volumes = tick_volumes(spec.shape, 2 * 1000.0 * 128).value();  // Requests.
  for (std::size_t i = 0; i < volumes.size(); ++i) {
    SCOPED_TRACE(i);
    EXPECT_NEAR(static_cast<double>(plan.counts[i]), volumes[i],
                2 * 4.5 * std::sqrt(volumes[i] / 2) + 0.01 * volumes[i] + 4);
  }
  EXPECT_EQ(plan.present_max, 5000U);
}

TEST(SessionVisits, AskForTheRateOfRequestsAndKeepTheCountOfSessions) {
  VisitSpec spec = spec_of(Mode::sessions, 512);
  spec.shape.bias = 0.5;
  spec.new_share = 0.02;

  const VisitPlan plan = make_visits(spec).value();

  // 300 requests/s of 10.04 requests each; 4 pauses of 5 s each, so 20 s a session.
  const double sessions = std::round(300 / 10.04 * 512);
  const double carried = std::round(300 / 10.04 * 20);
  EXPECT_EQ(static_cast<double>(plan.visits.size()), sessions + carried);
  EXPECT_EQ(sum_of(plan.arrivals, 1, 512) + static_cast<double>(plan.arrivals[0]) - carried,
            sessions);
  EXPECT_EQ(static_cast<double>(plan.new_visits), std::floor(sessions * 0.02));
  EXPECT_NEAR(plan.present_mean, carried, 0.1 * carried);
  // As much in the first part as in the last: the shop is not empty when the run begins.
  for (std::size_t from = 0; from < 512; from += 64) {
    EXPECT_NEAR(sum_of(plan.counts, from, from + 64) / 64, 300, 15) << from;
  }
}

TEST(SessionVisits, FindAnEmptyShopOnlyWhenAskedFor) {
  VisitSpec spec = spec_of(Mode::sessions, 64);
  spec.shape.bias = 0.5;
  spec.first_wait = FirstWait::none;

  const VisitPlan plan = make_visits(spec).value();

  EXPECT_LT(plan.counts[0], 100U);  // Of 300.
  EXPECT_EQ(plan.visits.size(), 64U * 30);
}

TEST(SessionVisits, HaveGeometricLengths) {
  VisitSpec spec = spec_of(Mode::sessions, 4096);
  spec.shape.bias = 0.5;
  spec.shape.requests_per_second = 100;
  spec.first_wait = FirstWait::none;

  const VisitPlan plan = make_visits(spec).value();

  std::map<std::uint32_t, double> share;  // By steps; of those that end long before the run does.
  double whole = 0;
  for (const Visit& visit : plan.visits) {
    if (visit.arrives > 2000s) break;
    ++share[visit.requests / 2];
    ++whole;
  }
  EXPECT_NEAR(share[1] / whole, 0.2, 0.01);
  EXPECT_NEAR(share[2] / whole, 0.16, 0.01);
  EXPECT_NEAR(share[5] / whole, 0.2 * std::pow(0.8, 4), 0.01);
  EXPECT_EQ(share.count(0), 0U);
}

// Burstiness of arrivals is not burstiness of requests: all but the first step of a session follow
// its pauses.
TEST(SessionVisits, SpreadABurstOfArrivalsOverTheirPauses) {
  const VisitPlan plan = make_visits(spec_of(Mode::sessions, 32)).value();

  const double arrivals_peak = static_cast<double>(*std::ranges::max_element(plan.arrivals));
  const double requests_peak = static_cast<double>(*std::ranges::max_element(plan.counts));
  // The first arrivals are those of before.
  EXPECT_GT(arrivals_peak / (30.0), 5);
  EXPECT_LT(requests_peak / 300, 3);
}

TEST(Visits, DoWholeStepsWithPausesBetweenThemAndNoneInside) {
  for (const Mode mode : {Mode::sessions, Mode::population, Mode::closed, Mode::closed_warped}) {
    SCOPED_TRACE(name_of(mode));
    VisitSpec spec = spec_of(mode, 64);
    spec.new_share = 0.1;
    const VisitPlan plan = make_visits(spec).value();
    ASSERT_GT(plan.visits.size(), 99U);
    ASSERT_EQ(plan.actions.size(), plan.pauses.size());
    EXPECT_EQ(sum_of(plan.counts, 0, 64), static_cast<double>(plan.actions.size()));
    EXPECT_TRUE(std::ranges::is_sorted(plan.visits, {}, &Visit::arrives));

    std::uint64_t next = 0;
    std::uint64_t admitted = 0;
    for (const Visit& visit : plan.visits) {
      EXPECT_EQ(visit.first, next);
      next += visit.requests;
      EXPECT_LT(visit.arrives, visit.until);
      EXPECT_EQ(visit.is_new, visit.user >= spec.users);
      EXPECT_EQ(visit.requests % 2, 0U);
      std::uint32_t at = 0;
      if (visit.is_new && visit.requests > 0) {
        ++admitted;
        EXPECT_EQ(plan.actions[visit.first].kind, ActionKind::register_user);
        EXPECT_EQ(plan.actions[visit.first + 1].kind, ActionKind::sign_in);
        EXPECT_EQ(plan.pauses[visit.first + 1], 0s);
        at = 2;
        EXPECT_EQ(plan.pauses[visit.first + 2], 0s);
      }
      for (; at < visit.requests; at += 2) {
        const Action& first = plan.actions[visit.first + at];
        const Action& second = plan.actions[visit.first + at + 1];
        EXPECT_EQ(first.user, visit.user);
        EXPECT_EQ(second.user, visit.user);
        const bool orders = second.kind == ActionKind::place_order;
        EXPECT_EQ(first.kind, orders ? ActionKind::view_product : ActionKind::list_products);
        EXPECT_EQ(plan.pauses[visit.first + at + 1], 0s);
        if (at > 2) {
          EXPECT_GE(plan.pauses[visit.first + at], 1875ms);
        }
      }
    }
    EXPECT_EQ(next, plan.actions.size());
    EXPECT_GT(admitted, 0U);
  }
}

TEST(Visits, OrderOnceInThirtyOneStepsAndNotInTheSameForAll) {
  VisitSpec spec = spec_of(Mode::closed, 120);
  spec.users = 5000;
  const VisitPlan plan = make_visits(spec).value();

  const auto orders =
      static_cast<double>(std::ranges::count(plan.actions, ActionKind::place_order, &Action::kind));
  const double steps = static_cast<double>(plan.actions.size()) / 2;
  EXPECT_NEAR(orders / steps, 1.0 / 31, 4.5 * std::sqrt(1.0 / 31 / steps));
  std::size_t first_steps = 0;
  for (const Visit& visit : plan.visits) {
    if (visit.requests == 0) continue;
    first_steps += plan.actions[visit.first + 1].kind == ActionKind::place_order;
  }
  EXPECT_NEAR(static_cast<double>(first_steps), 5000.0 / 31, 4.5 * std::sqrt(5000.0 / 31));
}

TEST(Visits, AreTheSameBytesForTheSameSeedAndOthersForAnother) {
  for (const Mode mode : {Mode::sessions, Mode::population, Mode::closed_warped}) {
    VisitSpec spec = spec_of(mode, 32);
    const VisitPlan one = make_visits(spec).value();
    const VisitPlan two = make_visits(spec).value();
    EXPECT_EQ(one.visits, two.visits);
    EXPECT_EQ(one.actions, two.actions);
    EXPECT_EQ(one.pauses, two.pauses);
    EXPECT_EQ(one.hash, two.hash);

    spec.shape.seed = 43;
    EXPECT_NE(make_visits(spec).value().hash, one.hash);
    spec = spec_of(mode, 32);
    spec.think.limit_seconds = 30;
    EXPECT_NE(make_visits(spec).value().hash, one.hash);
  }
}

VisitSpec study() {
  VisitSpec spec = spec_of(Mode::population, 120, 10s);
  spec.shape.bias = 0.705;
  spec.users = 5000;
  spec.users_min = 100;
  return spec;
}

TEST(Population, IsScaledToItsBusiestTickAndHasAFloor) {
  const auto targets = population_targets(study()).value();

  ASSERT_EQ(targets.size(), 120U);
  EXPECT_EQ(*std::ranges::max_element(targets), 5000U);
  EXPECT_EQ(*std::ranges::min_element(targets), 100U);
  const auto volumes = tick_volumes(study().shape, 1).value();
  const double most = *std::ranges::max_element(volumes);
  for (std::size_t i = 0; i < targets.size(); ++i) {
    EXPECT_EQ(targets[i], std::max(100.0, std::round(5000 * volumes[i] / most)));
  }
}

TEST(Population, ComesAndLeavesWithinASecondAndWhoCameLastLeavesFirst) {
  const std::vector<std::uint32_t> targets = {10, 14, 114, 12};

  const auto lives = lives_of(targets, 10s, FirstWait::equilibrium);

  ASSERT_EQ(lives.size(), 114U);
  for (std::size_t i = 0; i < 10; ++i) EXPECT_EQ(lives[i].arrives, 0s);
  EXPECT_EQ(lives[10].arrives, 10s);
  EXPECT_EQ(lives[13].arrives, 10s + 60ms);  // 50 a second at least.
  EXPECT_EQ(lives[14].arrives, 20s);
  EXPECT_EQ(lives[113].arrives, 20s + 990ms);  // 100 a second.
  EXPECT_EQ(lives[113].until, 30s);
  EXPECT_EQ(lives[12].until, 30s + Nanos{1s} * 101 / 102);
  EXPECT_EQ(lives[11].until, 40s);
  EXPECT_EQ(lives[0].until, 40s);
  for (std::size_t i = 0; i < lives.size(); ++i) EXPECT_EQ(lives[i].lane, i);
}

TEST(Population, MakesRequestsInProportionToItsNumberFromTheStartOfEachTick) {
  const VisitPlan plan = make_visits(study()).value();

  const auto targets = population_targets(study()).value();
  for (std::size_t i = 0; i < targets.size(); ++i) {
    SCOPED_TRACE(i);
    const double before = i == 0 ? targets[0] : targets[i - 1];
    const double customers =
        targets[i] + 0.05 * (before - targets[i]);  // Half of the first second.
    const double steps = customers / 5 * 10;
    EXPECT_NEAR(static_cast<double>(plan.counts[i]) / 2, steps, 4.5 * std::sqrt(steps) + 6);
  }
  const double mean = std::accumulate(targets.begin(), targets.end(), 0.0) / 120;
  EXPECT_NEAR(plan.present_mean, mean, 0.02 * mean);
  EXPECT_EQ(plan.present_max, 5000U);
}

TEST(Visits, AreRefusedWithTheFieldThatIsOutOfRange) {
  const auto what = [](auto&& change) {
    VisitSpec spec = spec_of(Mode::sessions, 32);
    change(spec);
    const auto plan = make_visits(spec);
    EXPECT_FALSE(plan);
    return plan ? std::string() : plan.error().what;
  };
  using ::testing::HasSubstr;
  EXPECT_THAT(what([](VisitSpec& s) { s.mode = Mode::open; }), HasSubstr("mode open"));
  EXPECT_THAT(what([](VisitSpec& s) { s.users = 0; }), HasSubstr("users 0"));
  EXPECT_THAT(what([](VisitSpec& s) { s.new_share = 1.5; }), HasSubstr("new_share 1.5"));
  EXPECT_THAT(what([](VisitSpec& s) { s.new_share = std::nan(""); }), HasSubstr("new_share nan"));
  EXPECT_THAT(what([](VisitSpec& s) { s.steps_mean = 0; }), HasSubstr("steps_mean 0"));
  EXPECT_THAT(what([](VisitSpec& s) { s.think.pareto.alpha = 1; }), HasSubstr("think alpha 1"));
  EXPECT_THAT(what([](VisitSpec& s) { s.think.pareto.xm_seconds = 0; }), HasSubstr("think xm 0"));
  EXPECT_THAT(what([](VisitSpec& s) { s.think.limit_seconds = 1; }), HasSubstr("think limit 1"));
  EXPECT_THAT(what([](VisitSpec& s) { s.shape.bias = 2; }), HasSubstr("sessions: bias 2"));
  EXPECT_THAT(what([](VisitSpec& s) { s.shape.requests_per_second = 0; }),
              HasSubstr("sessions: rate 0"));
  EXPECT_THAT(what([](VisitSpec& s) {
                s.mode = Mode::population;
                s.users_min = 200;
              }),
              HasSubstr("users_min 200: expected 1 to users, which is 100"));
  EXPECT_THAT(what([](VisitSpec& s) {
                s.mode = Mode::closed;
                s.users = 1;
                s.shape.ticks = 1;
                s.shape.tick = 1ms;
              }),
              HasSubstr("nobody asks for anything within 0.001 s"));
  // Each would take gigabytes; refused before it does.
  EXPECT_THAT(what([](VisitSpec& s) { s.think.pareto.alpha = 1.00001; }), HasSubstr("visits"));
  EXPECT_THAT(what([](VisitSpec& s) {
                s.mode = Mode::population;
                s.users = 1'000'000;
                s.shape.ticks = 4096;
              }),
              HasSubstr("visits: expected at most 5000000"));
  EXPECT_THAT(what([](VisitSpec& s) {
                s.mode = Mode::closed;
                s.users = 100'000;
                s.shape.ticks = 600'000;
                s.think.pareto.xm_seconds = 0.001;
              }),
              HasSubstr("requests: expected at most 50000000"));
}

TEST(VisitFacts, SayWhatIsToComeBeforeAnythingIsSent) {
  VisitSpec spec = spec_of(Mode::sessions, 64);
  spec.new_share = 0.5;
  const VisitPlan plan = make_visits(spec).value();

  const std::vector<double> capacities = {300};
  const VisitFacts facts = visit_facts_of(plan, capacities);

  const double sessions = std::round(300.0 / 11 * 64);
  EXPECT_EQ(facts.arrivals.total, sessions);
  EXPECT_EQ(static_cast<double>(facts.carried), std::round(300.0 / 11 * 20));
  EXPECT_EQ(facts.requests.total, static_cast<double>(plan.actions.size()));
  EXPECT_EQ(static_cast<double>(facts.admitted), std::floor(sessions / 2));
  EXPECT_DOUBLE_EQ(facts.passwords_per_second, 2 * static_cast<double>(facts.admitted) / 64);
  // Half of the busiest tick's arrivals, two hashes each.
  EXPECT_NEAR(facts.passwords_peak_per_second, facts.arrivals.peak_per_second, 1);
  EXPECT_EQ(facts.requests.overload.size(), 1U);
  EXPECT_GT(facts.arrivals.peak_factor, 1.5 * facts.requests.peak_factor);
}

TEST(VisitFacts, CountNobodyAsArrivingInAClosedPopulation) {
  const VisitFacts facts = visit_facts_of(make_visits(spec_of(Mode::closed, 64)).value());

  EXPECT_EQ(facts.carried, 100U);
  EXPECT_EQ(facts.arrivals.total, 0);
  EXPECT_EQ(facts.passwords_peak_per_second, 0);
}

TEST(VisitFacts, AreThoseOfTheExpectedSchedule) {
  const VisitPlan plan = make_visits(spec_of(Mode::population, 64)).value();

  const Schedule schedule = expected_schedule(plan);

  ASSERT_EQ(schedule.intended.size(), plan.actions.size());
  EXPECT_TRUE(std::ranges::is_sorted(schedule.intended));
  std::vector<std::uint64_t> counts(64);
  for (const Nanos at : schedule.intended) ++counts[static_cast<std::size_t>(at / plan.tick)];
  EXPECT_EQ(counts, plan.counts);
  EXPECT_EQ(schedule.counts, plan.counts);
  EXPECT_EQ(schedule.hash, plan.hash);
  EXPECT_EQ(facts_of(schedule).peak_factor, visit_facts_of(plan).requests.peak_factor);
}

TEST(Modes, HaveNames) {
  for (const Mode mode :
       {Mode::open, Mode::sessions, Mode::population, Mode::closed, Mode::closed_warped}) {
    EXPECT_EQ(parse_mode(name_of(mode)).value(), mode);
  }
  EXPECT_EQ(parse_mode("half-open").error().code, base::Errc::config);
  EXPECT_EQ(parse_first_wait("none").value(), FirstWait::none);
  EXPECT_EQ(parse_first_wait("zero").error().code, base::Errc::config);
}

}  // namespace
}  // namespace flow::traffic

// SPDX-License-Identifier: Apache-2.0
#include "apps/traffic_flags.hpp"

#include <fmt/format.h>

#include "measure/quantiles.hpp"
#include "traffic/facts.hpp"
#include "traffic/visit_document.hpp"

namespace flow::apps {
namespace {

using base::Errc;
using base::fail;
using base::Nanos;
using base::Result;
using traffic::Mode;

std::string plural(std::uint64_t count, std::string_view one, std::string_view more) {
  return fmt::format("{} {}", count, count == 1 ? one : more);
}

std::string tail_text(std::size_t ticks) {
  std::string text = fmt::format("{} hold{} the busiest 1 % of the requests",
                                 plural(ticks, "tick", "ticks"), ticks == 1 ? "s" : "");
  if (ticks < traffic::tail_ticks_wanted) text += ": p99 rests on few bursts";
  return text;
}

std::string arrivals_text(const traffic::VisitPlan& plan, const traffic::VisitFacts& facts) {
  if (plan.mode == Mode::closed || plan.mode == Mode::closed_warped) {
    return fmt::format("{} customers, from start to end", facts.carried);
  }
  std::string text = plan.mode == Mode::sessions
                         ? fmt::format("{} there at the start, ",
                                       plural(facts.carried, "session is", "sessions are"))
                         : fmt::format("{} there at the start, ",
                                       plural(facts.carried, "customer is", "customers are"));
  text += fmt::format("{:.0f} come", facts.arrivals.total);
  if (facts.arrivals.total > 0) {
    text += fmt::format(": mean {:.1f}/s, busiest tick {:.0f}/s ({:.1f} times the mean)",
                        facts.arrivals.mean_per_second, facts.arrivals.peak_per_second,
                        facts.arrivals.peak_factor);
  }
  return text;
}

std::string think_text(const traffic::BoundedThinkTime& think) {
  std::string text = fmt::format("think time Pareto({:g}, {:g} s), mean {:.4g} s",
                                 think.pareto.alpha, think.pareto.xm_seconds, think.pareto.mean());
  if (think.is_limited()) {
    text += fmt::format("; limited to {:g} s ({}) the mean is {:.4g} s: {:.1f} % more load",
                        think.limit_seconds, name_of(think.limit_kind), think.mean(),
                        100 * think.rate_change());
  }
  return text;
}

}  // namespace

void add_traffic_flags(CLI::App& command, TrafficFlags& flags) {
  command
      .add_option("--mode", flags.mode,
                  "open: every request by the schedule; sessions: visits start by it, customers "
                  "wait and think inside; population: their number follows it; closed: a fixed "
                  "number; closed-warped: a fixed number that thinks in bursts")
      ->capture_default_str();
  command.add_option("--rate", flags.rate, "Mean requests per second: open, sessions")
      ->capture_default_str();
  command
      .add_option("--bias", flags.bias,
                  "Burstiness: share of the heavier half, 0.5 (flat) to below 1")
      ->capture_default_str();
  command.add_option("--ticks", flags.ticks, "Number of ticks, best a power of two")
      ->capture_default_str();
  command.add_option("--tick-ms", flags.tick_ms, "Length of a tick in milliseconds")
      ->capture_default_str();
  command.add_option("--placement", flags.placement, "Inside a tick: uniform, even or poisson")
      ->capture_default_str();
  command.add_option("--seed", flags.seed, "The same seed makes the same traffic")
      ->capture_default_str();
  command
      .add_option("--users", flags.users,
                  "Customers signed in beforehand; population: those of the busiest tick; closed: "
                  "all")
      ->check(CLI::Range(1U, 1'000'000U))
      ->capture_default_str();
  command.add_option("--users-min", flags.users_min,
                     "population: customers in the calmest tick [a fiftieth of --users]");
  command.add_option("--new-share", flags.new_share,
                     "Share of the visits that begin with registering and signing in, which costs "
                     "the shop two bcrypt hashes [sessions 0.02, else 0]");
  command.add_option("--steps", flags.steps_mean, "sessions: mean number of steps of two requests")
      ->capture_default_str();
  command
      .add_option("--think-alpha", flags.think_alpha, "Pareto think time: P(Z > z) = (xm/z)^alpha")
      ->capture_default_str();
  command.add_option("--think-xm", flags.think_xm_seconds, "The shortest think time in seconds")
      ->capture_default_str();
  command
      .add_option("--think-limit", flags.think_limit_seconds,
                  "The longest think time in seconds, 0 for none; it raises the load")
      ->capture_default_str();
  command
      .add_option("--think-limit-kind", flags.think_limit_kind,
                  "clip: longer ones become the limit; redraw: they are drawn again")
      ->capture_default_str();
  command
      .add_option("--first-wait", flags.first_wait,
                  "equilibrium: customers begin in the middle of their lives; none: all at once")
      ->capture_default_str();
}

Result<traffic::VisitSpec> visit_spec_of(const TrafficFlags& flags) {
  const auto mode = traffic::parse_mode(flags.mode);
  if (!mode) return std::unexpected(mode.error());
  const auto placement = traffic::parse_placement(flags.placement);
  if (!placement) return std::unexpected(placement.error());
  const auto first_wait = traffic::parse_first_wait(flags.first_wait);
  if (!first_wait) return std::unexpected(first_wait.error());
  const auto limit_kind = traffic::parse_think_limit(flags.think_limit_kind);
  if (!limit_kind) return std::unexpected(limit_kind.error());
  if (!(flags.tick_ms > 0 && flags.tick_ms <= 604'800'000)) {
    return fail(Errc::config, "--tick-ms {}: expected above 0 and at most 7 days", flags.tick_ms);
  }
  traffic::VisitSpec spec;
  spec.mode = *mode;
  spec.shape = {.bias = flags.bias,
                .ticks = flags.ticks,
                .tick = Nanos{static_cast<std::int64_t>(flags.tick_ms * 1e6)},
                .requests_per_second = flags.rate,
                .placement = *placement,
                .seed = flags.seed};
  spec.users = flags.users;
  spec.users_min = flags.users_min > 0 ? flags.users_min : traffic::default_users_min(flags.users);
  spec.new_share = flags.new_share.value_or(traffic::default_new_share(*mode));
  spec.steps_mean = flags.steps_mean;
  spec.think.pareto = {.alpha = flags.think_alpha, .xm_seconds = flags.think_xm_seconds};
  if (flags.think_limit_seconds != 0) spec.think.limit_seconds = flags.think_limit_seconds;
  spec.think.limit_kind = *limit_kind;
  spec.first_wait = *first_wait;
  return spec;
}

std::string schedule_text(const traffic::Schedule& schedule) {
  const traffic::Facts facts = traffic::facts_of(schedule);
  return fmt::format(
      "traffic      {}\n"
      "             {} requests in {}, mean {:.0f}/s, busiest tick {:.0f}/s ({:.1f} times the mean,"
      " {:.0f} % of all requests)\n"
      "             schedule {}; {}\n",
      traffic::sparkline(schedule.counts), schedule.intended.size(),
      measure::format_duration(schedule.duration), facts.mean_per_second, facts.peak_per_second,
      facts.peak_factor, 100 * facts.busiest_share, traffic::format_hash(schedule.hash),
      tail_text(facts.tail_ticks));
}

std::string visits_text(const traffic::VisitPlan& plan, const traffic::VisitSpec& spec) {
  const traffic::VisitFacts facts = traffic::visit_facts_of(plan);
  std::string text = fmt::format(
      "traffic      {}\n"
      "             {}: {}\n"
      "             {} requests in {} when every answer comes at once, fewer when not; mean "
      "{:.0f}/s, busiest tick {:.0f}/s ({:.1f} times the mean)\n"
      "             {:.1f} customers present on average, {} at most: a connection each\n"
      "             {}\n",
      traffic::sparkline(plan.counts), name_of(plan.mode), arrivals_text(plan, facts),
      plan.actions.size(), measure::format_duration(plan.duration), facts.requests.mean_per_second,
      facts.requests.peak_per_second, facts.requests.peak_factor, plan.present_mean,
      plan.present_max, think_text(spec.think));
  if (facts.admitted > 0) {
    text += fmt::format(
        "             {} register: {:.1f} passwords hashed a second, {:.0f} in the busiest tick\n",
        plural(facts.admitted, "new customer", "new customers"), facts.passwords_per_second,
        facts.passwords_peak_per_second);
  }
  return text + fmt::format("             plan {}; {}\n", traffic::format_hash(plan.hash),
                            tail_text(facts.requests.tail_ticks));
}

base::json::object describe(const traffic::VisitSpec& spec) {
  base::json::object object{{"bias", spec.shape.bias},
                            {"ticks", spec.shape.ticks},
                            {"tick_ns", spec.shape.tick.count()},
                            {"rate_per_second", spec.shape.requests_per_second},
                            {"placement", name_of(spec.shape.placement)},
                            {"seed", spec.shape.seed},
                            {"users", spec.users}};
  for (auto& [key, value] : traffic::describe(spec)) object[key] = value;
  return object;
}

base::json::object describe(const traffic::VisitPlan& plan, const traffic::VisitFacts& facts) {
  return {{"plan_hash", traffic::format_hash(plan.hash)},
          {"duration_ns", plan.duration.count()},
          {"requests_expected", plan.actions.size()},
          {"mean_per_second", facts.requests.mean_per_second},
          {"peak_per_second", facts.requests.peak_per_second},
          {"peak_factor", facts.requests.peak_factor},
          {"busiest_tick", facts.requests.busiest_tick},
          {"busiest_share", facts.requests.busiest_share},
          {"tail_ticks", facts.requests.tail_ticks},
          {"visits", plan.visits.size()},
          {"visits_carried", facts.carried},
          {"arrivals_per_second", facts.arrivals.mean_per_second},
          {"arrivals_peak_per_second", facts.arrivals.peak_per_second},
          {"present_mean", plan.present_mean},
          {"present_max", plan.present_max},
          {"new_customers", facts.admitted},
          {"passwords_per_second", facts.passwords_per_second},
          {"passwords_peak_per_second", facts.passwords_peak_per_second},
          {"counts", base::json::array(plan.counts.begin(), plan.counts.end())},
          {"arrivals", base::json::array(plan.arrivals.begin(), plan.arrivals.end())}};
}

}  // namespace flow::apps

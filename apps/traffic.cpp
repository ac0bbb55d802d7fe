// flow traffic: a schedule, or the visits of a closed mode, and what it will do to a server, before
// anything is sent.
// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <fstream>
#include <memory>

#include <fmt/format.h>

#include "apps/command.hpp"
#include "apps/traffic_flags.hpp"
#include "base/json.hpp"
#include "traffic/cascade.hpp"
#include "traffic/facts.hpp"
#include "traffic/schedule.hpp"
#include "traffic/visit_facts.hpp"

namespace flow::apps {
namespace {

struct Flags {
  TrafficFlags traffic;
  std::vector<double> capacities;
  std::string csv_path;
  bool as_json = false;
};

std::vector<double> capacities_of(const Flags& flags, double mean) {
  if (!flags.capacities.empty()) return flags.capacities;
  return {mean, 2 * mean, 3 * mean, 4 * mean, 5 * mean};
}

base::json::array overload_rows(const std::vector<traffic::Overload>& overload) {
  base::json::array rows;
  for (const auto& row : overload) {
    rows.push_back({{"capacity_per_second", row.capacity_per_second},
                    {"time_share", row.time_share},
                    {"request_share", row.request_share}});
  }
  return rows;
}

base::json::object to_json(const traffic::VisitSpec& spec, const traffic::Schedule& schedule,
                           const traffic::Facts& facts) {
  base::json::object object = describe(spec);
  object["schedule_hash"] = traffic::format_hash(schedule.hash);
  object["count_hash"] = traffic::format_hash(traffic::count_hash(schedule.counts));
  object["requests"] = schedule.intended.size();
  object["duration_ns"] = schedule.duration.count();
  object["mean_per_second"] = facts.mean_per_second;
  object["peak_per_second"] = facts.peak_per_second;
  object["peak_factor"] = facts.peak_factor;
  object["busiest_tick"] = facts.busiest_tick;
  object["busiest_share"] = facts.busiest_share;
  object["tail_ticks"] = facts.tail_ticks;
  object["overload"] = overload_rows(facts.overload);
  object["counts"] = base::json::array(schedule.counts.begin(), schedule.counts.end());
  return object;
}

void print_overload(const traffic::Facts& facts) {
  fmt::print("\n  a server that takes   is overloaded for   by requests\n");
  for (const auto& row : facts.overload) {
    fmt::print("  {:>12.0f}/s       {:>10.1f} % of time  {:>10.1f} %\n", row.capacity_per_second,
               100 * row.time_share, 100 * row.request_share);
  }
}

void print_tail(const traffic::Facts& facts) {
  if (facts.tail_ticks >= traffic::tail_ticks_wanted) return;
  fmt::print(
      "\nThe fastest 1 % of the requests come from {} tick(s), fewer than {}: one run\n"
      "holds about as many independent looks at p99. Compare runs of several seeds.\n",
      facts.tail_ticks, traffic::tail_ticks_wanted);
}

void print_table(const traffic::ScheduleSpec& spec, const traffic::Schedule& schedule,
                 const traffic::Facts& facts) {
  const double seconds = static_cast<double>(schedule.duration.count()) * 1e-9;
  fmt::print("{}\n\n", traffic::sparkline(schedule.counts));
  fmt::print("  requests        {} in {:g} s, {:.1f}/s on average\n", schedule.intended.size(),
             seconds, facts.mean_per_second);
  fmt::print("  shape           bias {:g}, {} ticks of {:g} ms, {} in a tick, seed {}\n", spec.bias,
             spec.ticks, static_cast<double>(spec.tick.count()) * 1e-6, name_of(spec.placement),
             spec.seed);
  fmt::print("  busiest tick    number {}, {:.0f} requests, {:.1f} % of all\n",
             facts.busiest_tick + 1,
             facts.peak_per_second * static_cast<double>(spec.tick.count()) * 1e-9,
             100 * facts.busiest_share);
  fmt::print("  peak            {:.0f}/s, {:.2f} times the mean\n", facts.peak_per_second,
             facts.peak_factor);
  fmt::print("  p99 rests on    {} tick(s)\n", facts.tail_ticks);
  fmt::print("  schedule hash   {}\n", traffic::format_hash(schedule.hash));
  print_overload(facts);
  print_tail(facts);
}

base::Result<void> write_csv(const std::string& path, const auto& write) {
  std::ofstream file(path);
  write(file);
  file.close();
  if (!file) return base::fail(base::Errc::config, "--csv {}: cannot be written", path);
  return {};
}

// One line per request: slot, intended nanoseconds, tick.
void write_requests(std::ofstream& file, const traffic::Schedule& schedule) {
  file << "slot,intended_ns,tick\n";
  std::size_t slot = 0;
  for (const base::Nanos at : schedule.intended) {
    file << fmt::format("{},{},{}\n", slot++, at.count(), at / schedule.tick);
  }
}

// One line per request of each visit: when it is meant for if every answer comes at once.
void write_requests(std::ofstream& file, const traffic::VisitPlan& plan) {
  file << "visit,user,action,pause_ns,earliest_ns\n";
  for (std::size_t i = 0; i < plan.visits.size(); ++i) {
    const traffic::Visit& visit = plan.visits[i];
    base::Nanos at = visit.arrives;
    for (std::uint64_t k = visit.first; k < visit.first + visit.requests; ++k) {
      at = plan.end_of_pause(at, plan.pauses[k]);
      file << fmt::format("{},{},{},{},{}\n", i, visit.user, name_of(plan.actions[k].kind),
                          plan.pauses[k].count(), at.count());
    }
  }
}

base::Result<void> show_schedule(const Flags& flags, const traffic::VisitSpec& spec) {
  const auto schedule = traffic::make_schedule(spec.shape);
  if (!schedule) return std::unexpected(schedule.error());
  const auto facts =
      traffic::facts_of(*schedule, capacities_of(flags, spec.shape.requests_per_second));
  if (flags.as_json) {
    fmt::print("{}", base::pretty_json(to_json(spec, *schedule, facts)));
  } else {
    print_table(spec.shape, *schedule, facts);
  }
  if (flags.csv_path.empty()) return {};
  return write_csv(flags.csv_path, [&](std::ofstream& file) { write_requests(file, *schedule); });
}

base::Result<void> show_visits(const Flags& flags, const traffic::VisitSpec& spec) {
  const auto plan = traffic::make_visits(spec);
  if (!plan) return std::unexpected(plan.error());
  const double mean = traffic::visit_facts_of(*plan).requests.mean_per_second;
  const auto facts = traffic::visit_facts_of(*plan, capacities_of(flags, mean));
  if (flags.as_json) {
    base::json::object object = describe(spec);
    for (auto& [key, value] : describe(*plan, facts)) object[key] = value;
    object["overload"] = overload_rows(facts.requests.overload);
    fmt::print("{}", base::pretty_json(object));
  } else {
    fmt::print("{}", visits_text(*plan, spec));
    print_overload(facts.requests);
    print_tail(facts.requests);
  }
  if (flags.csv_path.empty()) return {};
  return write_csv(flags.csv_path, [&](std::ofstream& file) { write_requests(file, *plan); });
}

int run_traffic(const Flags& flags) {
  const auto spec = visit_spec_of(flags.traffic);
  if (!spec) return report_error(base::with_context("traffic", spec.error()).error());
  const bool is_open = spec->mode == traffic::Mode::open;
  const auto shown = is_open ? show_schedule(flags, *spec) : show_visits(flags, *spec);
  return shown ? 0 : report_error(base::with_context("traffic", shown.error()).error());
}

}  // namespace

void add_traffic(CLI::App& root, int& exit_code) {
  auto flags = std::make_shared<Flags>();
  auto* command = root.add_subcommand(
      "traffic", "Show a bursty schedule and what it will do to a server; sends nothing");
  command->footer(
      "Examples: flow traffic --rate 300 --bias 0.705 --capacity 600 --capacity 1200\n"
      "          flow traffic --mode sessions --rate 300 --think-limit 60\n"
      "          flow traffic --mode population --ticks 120 --tick-ms 10000 --users 5000");
  add_traffic_flags(*command, flags->traffic);
  command->add_option("--capacity", flags->capacities,
                      "Requests per second a server takes, for the overload table (repeatable)");
  command->add_flag("--json", flags->as_json, "Print JSON instead of the table");
  command->add_option("--csv", flags->csv_path, "Write every request's time to this file");
  command->callback([flags, &exit_code] { exit_code = run_traffic(*flags); });
}

}  // namespace flow::apps

// flow traffic: a schedule and what it will do to a server, before anything is sent.
// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <fstream>
#include <memory>

#include <fmt/format.h>

#include "apps/command.hpp"
#include "base/json.hpp"
#include "traffic/cascade.hpp"
#include "traffic/facts.hpp"
#include "traffic/schedule.hpp"

namespace flow::apps {
namespace {

struct TrafficFlags {
  traffic::ScheduleSpec spec;
  double tick_ms = 1000;
  std::string placement = "uniform";
  std::vector<double> capacities;
  std::string csv_path;
  bool as_json = false;
};

// What the table and the JSON show: one schedule and its facts.
struct Preview {
  traffic::ScheduleSpec spec;
  traffic::Schedule schedule;
  traffic::Facts facts;
};

base::Result<Preview> make_preview(const TrafficFlags& flags) {
  const auto placement = traffic::parse_placement(flags.placement);
  if (!placement) return base::with_context("traffic", placement.error());
  if (!(flags.tick_ms > 0 && flags.tick_ms <= 604'800'000)) {
    return base::fail(base::Errc::config, "--tick-ms {}: expected above 0 and at most 7 days",
                      flags.tick_ms);
  }
  Preview preview{.spec = flags.spec, .schedule = {}, .facts = {}};
  preview.spec.placement = *placement;
  preview.spec.tick = base::Nanos{static_cast<std::int64_t>(flags.tick_ms * 1e6)};
  auto schedule = traffic::make_schedule(preview.spec);
  if (!schedule) return base::with_context("traffic", schedule.error());
  preview.schedule = std::move(*schedule);
  auto capacities = flags.capacities;
  const double mean = preview.spec.requests_per_second;
  if (capacities.empty()) capacities = {mean, 2 * mean, 3 * mean, 4 * mean, 5 * mean};
  preview.facts = traffic::facts_of(preview.schedule, capacities);
  return preview;
}

base::json::value to_json(const Preview& preview) {
  base::json::array overload;
  for (const auto& row : preview.facts.overload) {
    overload.push_back({{"capacity_per_second", row.capacity_per_second},
                        {"time_share", row.time_share},
                        {"request_share", row.request_share}});
  }
  const auto& [spec, schedule, facts] = preview;
  base::json::array counts(schedule.counts.begin(), schedule.counts.end());
  return {{"bias", spec.bias},
          {"ticks", spec.ticks},
          {"tick_ns", spec.tick.count()},
          {"rate_per_second", spec.requests_per_second},
          {"placement", std::string(name_of(spec.placement))},
          {"seed", spec.seed},
          {"schedule_hash", traffic::format_hash(schedule.hash)},
          {"count_hash", traffic::format_hash(traffic::count_hash(schedule.counts))},
          {"requests", schedule.intended.size()},
          {"duration_ns", schedule.duration.count()},
          {"mean_per_second", facts.mean_per_second},
          {"peak_per_second", facts.peak_per_second},
          {"peak_factor", facts.peak_factor},
          {"busiest_tick", facts.busiest_tick},
          {"busiest_share", facts.busiest_share},
          {"tail_ticks", facts.tail_ticks},
          {"overload", std::move(overload)},
          {"counts", std::move(counts)}};
}

void print_overload(const traffic::Facts& facts) {
  fmt::print("\n  a server that takes   is overloaded for   by requests\n");
  for (const auto& row : facts.overload) {
    fmt::print("  {:>12.0f}/s       {:>10.1f} % of time  {:>10.1f} %\n", row.capacity_per_second,
               100 * row.time_share, 100 * row.request_share);
  }
}

void print_table(const Preview& preview) {
  const auto& [spec, schedule, facts] = preview;
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
  if (facts.tail_ticks < traffic::tail_ticks_wanted) {
    fmt::print(
        "\nThe fastest 1 % of the requests come from {} tick(s), fewer than {}: one run\n"
        "holds about as many independent looks at p99. Compare runs of several seeds.\n",
        facts.tail_ticks, traffic::tail_ticks_wanted);
  }
}

// One line per request: slot, intended nanoseconds, tick.
base::Result<void> write_csv(const std::string& path, const traffic::Schedule& schedule) {
  std::ofstream file(path);
  file << "slot,intended_ns,tick\n";
  std::size_t slot = 0;
  for (const base::Nanos at : schedule.intended) {
    file << fmt::format("{},{},{}\n", slot++, at.count(), at / schedule.tick);
  }
  file.close();
  if (!file) return base::fail(base::Errc::config, "--csv {}: cannot be written", path);
  return {};
}

int run_traffic(const TrafficFlags& flags) {
  const auto preview = make_preview(flags);
  if (!preview) return report_error(preview.error());
  if (!flags.csv_path.empty()) {
    const auto written = write_csv(flags.csv_path, preview->schedule);
    if (!written) return report_error(written.error());
  }
  if (flags.as_json) {
    fmt::print("{}", base::pretty_json(to_json(*preview)));
  } else {
    print_table(*preview);
  }
  return 0;
}

}  // namespace

void add_traffic(CLI::App& root, int& exit_code) {
  auto flags = std::make_shared<TrafficFlags>();
  flags->spec.requests_per_second = 300;
  flags->spec.seed = 1;
  auto* command = root.add_subcommand(
      "traffic", "Show a bursty schedule and what it will do to a server; sends nothing");
  command->footer("Example: flow traffic --rate 300 --bias 0.705 --capacity 600 --capacity 1200");
  auto& spec = flags->spec;
  command->add_option("--bias", spec.bias, "Share of the heavier half, 0.5 (flat) to below 1")
      ->capture_default_str();
  command->add_option("--ticks", spec.ticks, "Number of ticks, best a power of two")
      ->capture_default_str();
  command->add_option("--tick-ms", flags->tick_ms, "Length of a tick in milliseconds")
      ->capture_default_str();
  command->add_option("--rate", spec.requests_per_second, "Mean requests per second")
      ->capture_default_str();
  command->add_option("--placement", flags->placement, "Inside a tick: uniform, even or poisson")
      ->capture_default_str();
  command->add_option("--seed", spec.seed, "The same seed makes the same schedule")
      ->capture_default_str();
  command->add_option("--capacity", flags->capacities,
                      "Requests per second a server takes, for the overload table (repeatable)");
  command->add_flag("--json", flags->as_json, "Print JSON instead of the table");
  command->add_option("--csv", flags->csv_path, "Write every request's time to this file");
  command->callback([flags, &exit_code] { exit_code = run_traffic(*flags); });
}

}  // namespace flow::apps

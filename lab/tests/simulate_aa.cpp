// The proof of the inference in full: thousands of simulated experiments, as Markdown tables on
// stdout, progress on stderr. tools/simulate-aa builds and runs it; docs/concepts/statistics.md has
// its figures. The small version in the unit tests is aa_simulation_test.cpp.
//   simulate_aa [EXPERIMENTS] [THREADS]
// Thread: experiments are shared out among THREADS; each is seeded by its number, so that the
// figures do not depend on how many there are.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <numeric>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include "base/random.hpp"
#include "lab/tests/aa_simulation.hpp"
#include "measure/paired_t.hpp"
#include "measure/planning.hpp"

namespace {

using namespace flow::lab;
using namespace flow::lab::simulation;

std::size_t threads = 2;

void in_parallel(const std::string& what, std::size_t count, auto&& work) {
  std::atomic<std::size_t> next{0};
  const auto loop = [&] {
    for (std::size_t i = next++; i < count; i = next++) {
      work(i);
      if (i % 50 == 0) fmt::print(stderr, "{}: {} of {}\n", what, i, count);
    }
  };
  std::vector<std::jthread> others;
  for (std::size_t i = 1; i < threads; ++i) others.emplace_back(loop);
  loop();
}

std::vector<Outcome> run_all(const std::string& what, const Setting& setting, std::size_t count,
                             const std::function<RequestTests(std::size_t)>& request_tests) {
  std::vector<Outcome> outcomes(count);
  in_parallel(what, count,
              [&](std::size_t i) { outcomes[i] = run_experiment(setting, i, request_tests(i)); });
  return outcomes;
}

RequestTests no_request_tests(std::size_t) { return RequestTests::none; }

// "3.2 % (0.4)": a share and its standard error.
std::string share(double hits, double count) {
  if (count == 0) return "-";
  const double p = hits / count;
  return fmt::format("{:.1f} % ({:.1f})", 100 * p, 100 * std::sqrt(p * (1 - p) / count));
}

double count_of(const std::vector<Outcome>& outcomes, std::size_t level, auto&& holds) {
  double count = 0;
  for (const auto& outcome : outcomes) count += holds(outcome[level]) ? 1 : 0;
  return count;
}

double count_any(const std::vector<Outcome>& outcomes, auto&& holds) {
  double count = 0;
  for (const auto& outcome : outcomes) {
    count += std::any_of(outcome.begin(), outcome.end(), holds) ? 1 : 0;
  }
  return count;
}

void print_verdicts(const std::vector<Outcome>& outcomes) {
  const auto n = static_cast<double>(outcomes.size());
  fmt::print(
      "\n| capacity / mean | lower | different | different but equivalent | equivalent | "
      "inconclusive | sd of log ratio |\n|---|---|---|---|---|---|---|\n");
  for (std::size_t i = 0; i < capacity_factors.size(); ++i) {
    fmt::print("| {} ", capacity_factors[i]);
    for (const auto verdict :
         {Verdict::lower, Verdict::different, Verdict::different_but_equivalent,
          Verdict::equivalent, Verdict::inconclusive}) {
      fmt::print("| {} ", share(count_of(outcomes, i,
                                         [&](const LevelOutcome& level) {
                                           return level.inference.verdict == verdict;
                                         }),
                                n));
    }
    double squares = 0;
    for (const auto& outcome : outcomes)
      squares += std::pow(outcome[i].inference.sd.value_or(0), 2);
    fmt::print("| {:.3f} |\n", std::sqrt(squares / n));
  }
}

// Of a nominal 5 % test, how often it calls equal servers different.
void print_request_test(const std::vector<Outcome>& outcomes, const char* name,
                        std::optional<bool> LevelOutcome::* result) {
  fmt::print("| {} ", name);
  for (std::size_t i = 0; i < capacity_factors.size(); ++i) {
    const double asked =
        count_of(outcomes, i, [&](const auto& level) { return (level.*result).has_value(); });
    fmt::print("| {} ", share(count_of(outcomes, i,
                                       [&](const auto& level) { return level.*result == true; }),
                              asked));
  }
  fmt::print("|\n");
}

void print_equal_servers(const Setting& setting, std::size_t experiments) {
  const auto outcomes =
      run_all(fmt::format("equal servers, noise {}", setting.run_sd), setting, experiments,
              [](std::size_t i) {
                return i % 10 == 0 ? RequestTests::pooled_too : RequestTests::first_block;
              });
  const auto n = static_cast<double>(experiments);
  const auto family = [&](auto&& p_of) {
    return share(
        count_any(outcomes,
                  [&](const LevelOutcome& level) { return p_of(level.inference) <= 0.05; }),
        n);
  };
  fmt::print("\n### Equal servers, run-to-run noise {:.0f} %: {} experiments of {} blocks\n\n",
             100 * setting.run_sd, experiments, setting.blocks);
  fmt::print("- any false difference among three levels: {}\n",
             share(count_any(outcomes,
                             [](const LevelOutcome& level) {
                               return claims_difference(level.inference.verdict);
                             }),
                   n));
  fmt::print("- one test alone, with Holm: signed-rank {}, sign-flip {}, paired t {}\n",
             family([](const LevelInference& level) { return level.p_holm.signed_rank; }),
             family([](const LevelInference& level) { return level.p_holm.sign_flip; }),
             family([](const LevelInference& level) { return level.p_holm.paired_t.value_or(1); }));
  print_verdicts(outcomes);
  fmt::print("\n| nominal 5 % test of requests |");
  for (const double factor : capacity_factors) fmt::print(" capacity {} |", factor);
  fmt::print("\n|---|---|---|---|\n");
  print_request_test(outcomes, "Mann-Whitney, one run each", &LevelOutcome::differ_by_mann_whitney);
  print_request_test(outcomes, "p99 with i.i.d. error, one run each", &LevelOutcome::differ_by_p99);
  print_request_test(outcomes, "Mann-Whitney, all runs pooled",
                     &LevelOutcome::pooled_differ_by_mann_whitney);
  print_request_test(outcomes, "p99 with i.i.d. error, all runs pooled",
                     &LevelOutcome::pooled_differ_by_p99);
}

// True effect and noise from all blocks of all experiments; what the plan then promises, and what
// the experiments found.
void print_power(const std::vector<Outcome>& outcomes, const Setting& setting) {
  const auto n = static_cast<double>(outcomes.size());
  for (std::size_t i = 0; i < capacity_factors.size(); ++i) {
    std::vector<double> all;
    for (const auto& outcome : outcomes) {
      for (const auto& block : outcome[i].inference.ratios) all.push_back(block.log_ratio);
    }
    const auto t = flow::measure::paired_t_test(all);
    const double planned = flow::measure::power_of(t->mean / t->sd, setting.blocks, 0.05 / 3);
    const double found = count_of(outcomes, i, [](const LevelOutcome& level) {
      return claims_difference(level.inference.verdict) && level.inference.log_ratio > 0;
    });
    const double by_rank = count_of(outcomes, i, [](const LevelOutcome& level) {
      return level.inference.simultaneous->lower > 0;
    });
    const double wrong = count_of(outcomes, i, [](const LevelOutcome& level) {
      return claims_difference(level.inference.verdict) && level.inference.log_ratio < 0;
    });
    fmt::print("| {:.0f} % | {} | {} | {:.2f} | {:.3f} | {:.1f} % | {} | {} | {:.0f} |\n",
               100 * (setting.slower - 1), setting.blocks, capacity_factors[i], std::exp(t->mean),
               t->sd, 100 * planned, share(by_rank, n), share(found, n), wrong);
  }
}

void print_slower_servers(double run_sd, std::size_t experiments) {
  fmt::print("\n### A slower server, run-to-run noise {:.0f} %: {} experiments each\n\n",
             100 * run_sd, experiments);
  fmt::print(
      "| slower by | blocks | capacity / mean | p99 ratio | sd of log ratio | planned | interval "
      "excludes 1 | verdict says so | wrong server |\n|---|---|---|---|---|---|---|---|---|\n");
  for (const std::size_t blocks : {8u, 10u}) {
    for (const double slower : {1.1, 1.2}) {
      const Setting setting{.blocks = blocks, .run_sd = run_sd, .slower = slower};
      const auto what = fmt::format("slower by {:.0f} %, {} blocks, noise {}", 100 * (slower - 1),
                                    blocks, run_sd);
      print_power(run_all(what, setting, experiments, no_request_tests), setting);
    }
  }
}

void print_gate(std::size_t runs) {
  fmt::print("\n### Stationarity gate (KPSS at 1 %): {} runs, ticks of 1 s, 1,000 requests/s\n\n",
             runs);
  fmt::print(
      "| bias | ticks | capacity / mean | false alarms | warm-up of 50 % seen "
      "|\n|---|---|---|---|---|"
      "\n");
  struct Case {
    double bias;
    std::uint32_t ticks;
    double factor;
  };
  for (const auto& [bias, ticks, factor] :
       {Case{0.6, 64, 8}, Case{0.6, 512, 8}, Case{0.7, 64, 30}, Case{0.7, 512, 30},
        Case{0.6, 512, 4}, Case{0.6, 64, 2.5}, Case{0.6, 512, 2.5}, Case{0.7, 64, 6},
        Case{0.7, 512, 6}}) {
    const Setting setting{.bias = bias, .ticks = ticks, .requests_per_second = 1'000};
    std::vector<int> alarms(runs), seen(runs);
    in_parallel("gate", runs, [&, b = factor](std::size_t i) {
      alarms[i] = is_steady_run(setting, b, 0, i) == false ? 1 : 0;
      seen[i] = is_steady_run(setting, b, 0.5, i) == false ? 1 : 0;
    });
    const auto sum = [](const std::vector<int>& hits) {
      return std::accumulate(hits.begin(), hits.end(), 0.0);
    };
    fmt::print("| {} | {} | {} | {} | {} |\n", bias, ticks, factor,
               share(sum(alarms), static_cast<double>(runs)),
               share(sum(seen), static_cast<double>(runs)));
  }
}

// Equal servers again, and an impatient person: as long as some level is inconclusive, one more
// block is run and all is judged again. Normal log ratios of sd 0.1, three levels.
void print_peeking(std::size_t experiments) {
  constexpr std::uint32_t from = 8, until = 40;
  std::vector<int> at_once(experiments), at_last(experiments);
  in_parallel("peeking", experiments, [&](std::size_t i) {
    flow::base::SplitMix64 random(flow::base::derive_seed(i, 7));
    InferenceInput input;
    input.primaries = 3;
    input.levels.resize(3);
    const auto add_block = [&](std::uint32_t number) {
      for (auto& level : input.levels) {
        level.primary.blocks.push_back(
            {.block = number, .first = 1, .second = std::exp(0.1 * standard_normal(random))});
      }
    };
    bool is_false = false, is_open = true;
    for (std::uint32_t number = 1; number <= until && is_open && !is_false; ++number) {
      add_block(number);
      if (number < from) continue;
      is_open = false;
      for (const auto& level : infer(input)) {
        is_false = is_false || claims_difference(level.verdict);
        is_open = is_open || !is_decided(level.verdict);
      }
      if (number == from) at_once[i] = is_false ? 1 : 0;
    }
    at_last[i] = is_false ? 1 : 0;
  });
  const auto n = static_cast<double>(experiments);
  fmt::print("\n### Peeking: {} experiments without a difference, normal log ratios, sd 0.1\n\n",
             experiments);
  fmt::print("- {} blocks, judged once: {} with a false difference\n", from,
             share(std::accumulate(at_once.begin(), at_once.end(), 0.0), n));
  fmt::print("- judged after every block from {} to {}, until no level is inconclusive: {}\n", from,
             until, share(std::accumulate(at_last.begin(), at_last.end(), 0.0), n));
}

}  // namespace

int main(int argc, char** argv) {
  const auto number = [&](int at, std::size_t otherwise) {
    return argc > at ? static_cast<std::size_t>(std::strtoul(argv[at], nullptr, 10)) : otherwise;
  };
  const bool is_gate_only = argc > 1 && std::string_view(argv[1]) == "gate";
  if (is_gate_only) {
    --argc;
    ++argv;
  }
  const std::size_t experiments = number(1, 2'000);
  threads = number(2, 2);
  if (experiments < 10 || threads < 1 || argc > 3) {
    fmt::print(stderr,
               "usage: simulate_aa [gate] [EXPERIMENTS, at least 10] [THREADS, at least 1]\n");
    return 2;
  }
  std::setvbuf(stdout, nullptr, _IOLBF, 0);  // A long run shows what it has.
  const auto started = std::chrono::steady_clock::now();
  if (is_gate_only) {
    print_gate(experiments);
    return 0;
  }
  for (const double run_sd : {0.03, 0.08}) {
    print_equal_servers(Setting{.run_sd = run_sd}, experiments);
    print_slower_servers(run_sd, experiments / 4);
  }
  print_gate(experiments / 10);
  print_peeking(experiments);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - started;
  fmt::print(stderr, "{:.0f} s\n", took.count());
  return 0;
}

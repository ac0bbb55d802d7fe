// SPDX-License-Identifier: Apache-2.0
#include "lab/tests/aa_simulation.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <span>
#include <vector>

#include <fmt/format.h>

#include "base/check.hpp"
#include "measure/class_residuals.hpp"
#include "measure/distributions.hpp"
#include "measure/histogram.hpp"
#include "measure/mann_whitney.hpp"
#include "measure/quantile_interval.hpp"
#include "traffic/cascade.hpp"
#include "traffic/schedule.hpp"

namespace flow::lab::simulation {
namespace {

using base::Nanos;
using base::SplitMix64;

double speed(double sd, SplitMix64& random) { return std::exp(sd * standard_normal(random)); }

double seconds_of(Nanos time) { return std::chrono::duration<double>(time).count(); }

std::vector<Nanos> schedule_of(const Setting& setting, std::uint64_t seed) {
  auto schedule = traffic::make_schedule({.bias = setting.bias,
                                          .ticks = setting.ticks,
                                          .requests_per_second = setting.requests_per_second,
                                          .seed = seed});
  FLOW_CHECK(schedule.has_value());
  return std::move(schedule->intended);
}

// Calls visit(request, response in s) in the order of the requests. slowness(t): factor of service.
void serve(std::span<const Nanos> intended, double capacity, SplitMix64& random, auto&& slowness,
           auto&& visit) {
  double free_at = 0;
  for (std::size_t i = 0; i < intended.size(); ++i) {
    const double arrival = seconds_of(intended[i]);
    const double service = random.next_exponential() / capacity * slowness(arrival);
    free_at = std::max(arrival, free_at) + service;
    visit(i, free_at - arrival);
  }
}

double order_statistic(std::vector<double>& values, std::uint64_t rank) {
  const auto nth = values.begin() + static_cast<std::ptrdiff_t>(rank - 1);
  std::nth_element(values.begin(), nth, values.end());
  return *nth;
}

double p99_of(std::vector<double> values) {
  return order_statistic(values, measure::rank_of(0.99, values.size()));
}

struct P99 {
  double log_value;
  double log_error;  // Standard error, from the distance of the ranks of a 95 % interval.
};

P99 p99_of_independent(std::span<const double> responses) {
  std::vector<double> values(responses.begin(), responses.end());
  const auto ranks = measure::quantile_ranks(values.size(), 0.99, 0.95);
  FLOW_CHECK(ranks.lower && ranks.upper);
  const double lower = order_statistic(values, *ranks.lower);
  const double upper = order_statistic(values, *ranks.upper);
  return {.log_value = std::log(order_statistic(values, measure::rank_of(0.99, values.size()))),
          .log_error = std::log(upper / lower) / (2 * measure::normal_quantile(0.975))};
}

// Response times of both platforms at one level.
struct Requests {
  std::vector<double> first;
  std::vector<double> second;
};
using RequestsOfLevels = std::array<Requests, capacity_factors.size()>;

std::vector<double> response_seconds(std::span<const Nanos> intended, double capacity,
                                     SplitMix64& random) {
  std::vector<double> responses(intended.size());
  serve(
      intended, capacity, random, [](double) { return 1.0; },
      [&](std::size_t i, double response) { responses[i] = response; });
  return responses;
}

// Adds a block to `input`.
RequestsOfLevels run_block(const Setting& setting, std::uint64_t seed, std::uint32_t number,
                           InferenceInput& input) {
  const auto intended = schedule_of(setting, base::derive_seed(seed, 1));
  SplitMix64 random(base::derive_seed(seed, 2));
  const double block_speed = speed(setting.block_sd, random);
  const auto run = [&](double factor, double slower) {
    const double capacity =
        factor * setting.requests_per_second / slower * block_speed * speed(setting.run_sd, random);
    return response_seconds(intended, capacity, random);
  };
  RequestsOfLevels requests;
  std::vector<double> again;
  for (std::size_t i = 0; i < capacity_factors.size(); ++i) {
    requests[i] = {run(capacity_factors[i], 1), run(capacity_factors[i], setting.slower)};
    if (i == 1) again = run(capacity_factors[i], 1);
    input.levels[i].primary.blocks.push_back({.block = number,
                                              .first = p99_of(requests[i].first),
                                              .second = p99_of(requests[i].second)});
  }
  input.levels[1].same.push_back(
      {.block = number, .first = p99_of(requests[1].first), .second = p99_of(again)});
  return requests;
}

void pool(const RequestsOfLevels& block, RequestsOfLevels& all) {
  for (std::size_t i = 0; i < block.size(); ++i) {
    all[i].first.insert(all[i].first.end(), block[i].first.begin(), block[i].first.end());
    all[i].second.insert(all[i].second.end(), block[i].second.begin(), block[i].second.end());
  }
}

bool differ_by_mann_whitney(const Requests& requests) {
  return measure::mann_whitney_test(requests.first, requests.second).p <= 0.05;
}

bool differ_by_p99(const Requests& requests) {
  const P99 a = p99_of_independent(requests.first), b = p99_of_independent(requests.second);
  const double error = std::hypot(a.log_error, b.log_error);
  return std::abs(b.log_value - a.log_value) > measure::normal_quantile(0.975) * error;
}

}  // namespace

double standard_normal(SplitMix64& random) {  // Box and Muller, one of the two.
  return std::sqrt(2 * random.next_exponential()) *
         std::cos(2 * std::numbers::pi * random.next_unit());
}

Outcome run_experiment(const Setting& setting, std::uint64_t seed, RequestTests request_tests) {
  InferenceInput input;
  input.primaries = capacity_factors.size();
  input.levels.resize(capacity_factors.size());
  RequestsOfLevels first_block, pooled;
  for (std::uint32_t number = 1; number <= setting.blocks; ++number) {
    auto requests = run_block(setting, base::derive_seed(seed, 100 + number), number, input);
    if (request_tests == RequestTests::pooled_too) pool(requests, pooled);
    if (number == 1) first_block = std::move(requests);
  }
  Outcome outcome;
  auto inferences = infer(input);
  for (std::size_t i = 0; i < capacity_factors.size(); ++i) {
    outcome[i].inference = std::move(inferences[i]);
    if (request_tests == RequestTests::none) continue;
    outcome[i].differ_by_mann_whitney = differ_by_mann_whitney(first_block[i]);
    outcome[i].differ_by_p99 = differ_by_p99(first_block[i]);
    if (request_tests != RequestTests::pooled_too) continue;
    outcome[i].pooled_differ_by_mann_whitney = differ_by_mann_whitney(pooled[i]);
    outcome[i].pooled_differ_by_p99 = differ_by_p99(pooled[i]);
  }
  return outcome;
}

bool claims_difference(Verdict verdict) {
  return verdict == Verdict::lower || verdict == Verdict::different ||
         verdict == Verdict::different_but_equivalent;
}

std::optional<bool> is_steady_run(const Setting& setting, double capacity_factor, double warm_up,
                                  std::uint64_t seed) {
  const auto intended = schedule_of(setting, base::derive_seed(seed, 1));
  SplitMix64 random(base::derive_seed(seed, 2));
  std::vector<double> sums(setting.ticks, 0.0), counts(setting.ticks, 0.0);
  serve(
      intended, capacity_factor * setting.requests_per_second, random,
      [&](double t) { return 1 + warm_up * std::exp(-t / 60); },
      [&](std::size_t i, double response) {
        const auto tick = static_cast<std::size_t>(seconds_of(intended[i]));
        sums[tick] += std::log(response);
        counts[tick] += 1;
      });
  for (std::size_t tick = 0; tick < sums.size(); ++tick) sums[tick] /= counts[tick];
  const auto levels = static_cast<int>(std::lround(std::log2(setting.ticks)));
  const auto volumes = traffic::cascade(setting.bias, levels, 1, base::derive_seed(seed, 1));
  const auto found = measure::steadiness_of(
      measure::class_residuals(measure::volume_classes(volumes), measure::without_queues(sums, 1)));
  if (!found) return std::nullopt;
  return found->is_steady;
}

}  // namespace flow::lab::simulation

// SPDX-License-Identifier: Apache-2.0
#include "traffic/schedule.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>
#include <span>

#include <fmt/format.h>

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "base/random.hpp"
#include "traffic/cascade.hpp"
#include "traffic/warp.hpp"

namespace flow::traffic {
namespace {

using base::Errc;
using base::fail;
using base::Nanos;

constexpr double requests_max = 50e6;
constexpr std::uint32_t ticks_max = 1U << 20;
constexpr Nanos duration_max = std::chrono::hours(7 * 24);
constexpr std::uint64_t placement_purpose = 1;

// Ticks, not necessarily of equal length, and what each is to hold.
struct Plan {
  std::vector<Nanos> edges;  // One more than volumes: starts, and the end of the last.
  std::vector<double> volumes;
};

// A moment in tick `i`, `share` (0 to 1) of the way through it; never its end.
Nanos moment_in(const Plan& plan, std::size_t i, double share) {
  const Nanos width = plan.edges[i + 1] - plan.edges[i];
  const auto offset = static_cast<std::int64_t>(share * static_cast<double>(width.count()));
  return plan.edges[i] + Nanos{std::clamp<std::int64_t>(offset, 0, width.count() - 1)};
}

void place_evenly(const Plan& plan, Schedule& schedule) {
  double sent = 0;
  std::uint64_t k = 0;
  for (std::size_t i = 0; i < plan.volumes.size(); ++i) {
    for (std::uint64_t n = 0; n < schedule.counts[i]; ++n, ++k) {
      const double share = (static_cast<double>(k) + 0.5 - sent) / plan.volumes[i];
      schedule.intended.push_back(moment_in(plan, i, share));
    }
    sent += plan.volumes[i];
  }
}

void place_uniformly(const Plan& plan, base::SplitMix64 random, Schedule& schedule) {
  for (std::size_t i = 0; i < plan.volumes.size(); ++i) {
    const auto first = static_cast<std::ptrdiff_t>(schedule.intended.size());
    for (std::uint64_t n = 0; n < schedule.counts[i]; ++n) {
      schedule.intended.push_back(moment_in(plan, i, random.next_unit()));
    }
    std::sort(schedule.intended.begin() + first, schedule.intended.end());
  }
}

void place_poisson(const Plan& plan, base::SplitMix64 random, Schedule& schedule) {
  const Warp warp(plan.volumes);
  std::ranges::fill(schedule.counts, 0);
  for (double sent = random.next_exponential(); sent < warp.total();
       sent += random.next_exponential()) {
    const double time = warp.time_of(sent);
    const auto i = std::min(static_cast<std::size_t>(time), plan.volumes.size() - 1);
    schedule.intended.push_back(moment_in(plan, i, time - static_cast<double>(i)));
    ++schedule.counts[i];
  }
}

Schedule place(const Plan& plan, Placement placement, std::uint64_t seed) {
  Schedule schedule;
  schedule.counts = whole_counts(plan.volumes);
  schedule.duration = plan.edges.back();
  schedule.tick = plan.edges[1];
  schedule.intended.reserve(
      std::accumulate(schedule.counts.begin(), schedule.counts.end(), std::size_t{0}));
  const base::SplitMix64 random(base::derive_seed(seed, placement_purpose));
  switch (placement) {
    case Placement::uniform:
      place_uniformly(plan, random, schedule);
      break;
    case Placement::even:
      place_evenly(plan, schedule);
      break;
    case Placement::poisson:
      place_poisson(plan, random, schedule);
      break;
  }
  FLOW_CHECK(std::ranges::is_sorted(schedule.intended));
  schedule.hash = schedule_hash(schedule);
  return schedule;
}

bool is_share(double bias) { return bias >= 0.5 && bias < 1; }

// The share of each level, when ticks and shares are what they may be.
base::Result<std::vector<double>> profile_of(const ScheduleSpec& spec) {
  if (spec.ticks < 1 || spec.ticks > ticks_max) {
    return fail(Errc::config, "ticks {}: expected 1 to {}", spec.ticks, ticks_max);
  }
  if (spec.tick <= Nanos{0} || spec.tick > duration_max / spec.ticks) {
    return fail(Errc::config, "tick {} ms: expected above 0 and at most 7 days in all",
                static_cast<double>(spec.tick.count()) * 1e-6);
  }
  const auto levels = static_cast<std::size_t>(std::bit_width(spec.ticks - 1));
  if (spec.profile.empty()) {
    if (!is_share(spec.bias)) {
      return fail(Errc::config, "bias {}: expected a share from 0.5 to below 1", spec.bias);
    }
    return std::vector<double>(levels, spec.bias);
  }
  if (spec.profile.size() != levels) {
    return fail(Errc::config, "profile: {} ticks have {} levels, found {} shares", spec.ticks,
                levels, spec.profile.size());
  }
  for (const double share : spec.profile) {
    if (!is_share(share)) {
      return fail(Errc::config, "profile: {}: expected shares from 0.5 to below 1", share);
    }
  }
  return spec.profile;
}

// round(rate * duration), when that is a number of requests that fits into memory.
base::Result<double> total_of(double requests_per_second, Nanos duration) {
  if (!(requests_per_second > 0) || !std::isfinite(requests_per_second)) {
    return fail(Errc::config, "rate {}: expected requests per second above 0", requests_per_second);
  }
  if (duration <= Nanos{0} || duration > duration_max) {
    return fail(Errc::config, "duration {} s: expected above 0 and at most 7 days",
                static_cast<double>(duration.count()) * 1e-9);
  }
  const double total =
      std::round(requests_per_second * (static_cast<double>(duration.count()) * 1e-9));
  if (total < 1 || total > requests_max) {
    return fail(Errc::config, "rate {} over {} s makes {} requests: expected 1 to {}",
                requests_per_second, static_cast<double>(duration.count()) * 1e-9, total,
                requests_max);
  }
  return total;
}

// The cascade's first `ticks` volumes, scaled to `total` when others were cut off.
std::vector<double> volumes_of(const ScheduleSpec& spec, std::span<const double> profile,
                               double total) {
  std::vector<double> volumes = cascade(profile, total, spec.seed);
  if (volumes.size() == spec.ticks) return volumes;
  volumes.resize(spec.ticks);
  const double kept = std::accumulate(volumes.begin(), volumes.end(), 0.0);
  for (double& volume : volumes) volume *= total / kept;
  return volumes;
}

}  // namespace

std::string_view name_of(Placement placement) {
  switch (placement) {
    case Placement::uniform:
      return "uniform";
    case Placement::even:
      return "even";
    case Placement::poisson:
      return "poisson";
  }
  return "uniform";
}

base::Result<Placement> parse_placement(std::string_view text) {
  for (const Placement placement : {Placement::uniform, Placement::even, Placement::poisson}) {
    if (text == name_of(placement)) return placement;
  }
  return fail(Errc::config, "placement '{}': expected uniform, even or poisson", text);
}

base::Result<std::vector<double>> tick_volumes(const ScheduleSpec& spec, double total) {
  const auto profile = profile_of(spec);
  if (!profile) return std::unexpected(profile.error());
  return volumes_of(spec, *profile, total);
}

base::Result<Schedule> make_schedule(const ScheduleSpec& spec) {
  const auto profile = profile_of(spec);
  if (!profile) return std::unexpected(profile.error());
  const auto total = total_of(spec.requests_per_second, spec.tick * spec.ticks);
  if (!total) return std::unexpected(total.error());
  Plan plan;
  plan.volumes = volumes_of(spec, *profile, *total);
  for (std::uint32_t i = 0; i <= spec.ticks; ++i) plan.edges.push_back(spec.tick * i);
  return place(plan, spec.placement, spec.seed);
}

base::Result<Schedule> constant_schedule(double requests_per_second, Nanos duration,
                                         Placement placement, std::uint64_t seed) {
  const auto total = total_of(requests_per_second, duration);
  if (!total) return std::unexpected(total.error());
  Plan plan;
  for (Nanos at{0}; at < duration; at += std::chrono::seconds(1)) plan.edges.push_back(at);
  plan.edges.push_back(duration);
  for (std::size_t i = 0; i + 1 < plan.edges.size(); ++i) {
    const auto width = static_cast<double>((plan.edges[i + 1] - plan.edges[i]).count());
    plan.volumes.push_back(*total * width / static_cast<double>(duration.count()));
  }
  return place(plan, placement, seed);
}

std::uint64_t schedule_hash(const Schedule& schedule) {
  base::Fnv1a64 hash;
  for (const std::uint64_t count : schedule.counts) hash.add_le64(count);
  for (const Nanos at : schedule.intended) hash.add_le64(static_cast<std::uint64_t>(at.count()));
  return hash.value();
}

std::string format_hash(std::uint64_t hash) { return fmt::format("{:016x}", hash); }

}  // namespace flow::traffic

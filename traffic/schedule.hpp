// When each request of a run is meant to start: bursty by the b-model, fixed by a seed before the
// run begins, never changed by an answer. The same spec gives the same nanoseconds on every
// machine; the hash proves it.
// Thread: any; pure functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace flow::traffic {

// Where the requests of a tick lie inside it.
enum class Placement : std::uint8_t {
  uniform,  // At random: a Poisson process of which the count of every tick is known.
  even,     // Equally spaced: the smoothest arrivals with these counts.
  // A Poisson process with the tick rates; counts and total are random. Its draws go through log1p,
  // whose last bit is the C library's: across machines compare the hash first.
  poisson,
};

std::string_view name_of(Placement placement);
base::Result<Placement> parse_placement(std::string_view text);  // Errc::config.

struct ScheduleSpec {
  double bias = 0.705;  // Share of the heavier half at every halving, 0.5 (flat) to below 1.
  // Where this is no power of two, 2^ceil(log2 ticks) are made, the first `ticks` kept and scaled
  // to the total: the busiest tick then depends on the seed a little.
  std::uint32_t ticks = 32;
  base::Nanos tick = std::chrono::seconds(1);
  double requests_per_second = 0;  // Mean over the whole schedule.
  Placement placement = Placement::uniform;
  std::uint64_t seed = 0;
  std::vector<double> profile =
      {};  // When not empty: a share per level, coarse to fine, for `bias`.
};

struct Schedule {
  std::vector<base::Nanos> intended;  // Sorted, from 0 to below `duration`; one per request.
  std::vector<std::uint64_t> counts;  // How many of them lie in each tick.
  std::uint64_t hash = 0;             // schedule_hash() of the two.
  base::Nanos duration{0};            // ticks * tick.
  base::Nanos tick{0};
};

// round(rate * duration) requests, exactly for `even` and `uniform`. Errc::config names the field
// that is out of range: more than 50 million requests, 2^20 ticks or 7 days among them.
base::Result<Schedule> make_schedule(const ScheduleSpec& spec);

// The volumes of the ticks of `spec`, with the sum `total`; its rate and placement do not matter.
// Errc::config as make_schedule().
base::Result<std::vector<double>> tick_volumes(const ScheduleSpec& spec, double total);

// Constant mean rate, for a warm-up: one-second ticks of equal volume (the last one shorter).
base::Result<Schedule> constant_schedule(double requests_per_second, base::Nanos duration,
                                         Placement placement, std::uint64_t seed);

// FNV-1a, 64 bits, over counts and then intended nanoseconds, as little-endian u64.
std::uint64_t schedule_hash(const Schedule& schedule);

// The hash as people read and compare it: 16 hexadecimal digits.
std::string format_hash(std::uint64_t hash);

}  // namespace flow::traffic

// Latency against offered rate, from one bursty run. The ticks of a b-model have few different
// volumes; those of equal volume form a class, and what was measured in a class is what the server
// did at that rate.
// Thread: any; a TickTally belongs to one.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/json.hpp"
#include "lab/join/hops.hpp"
#include "traffic/schedule.hpp"

namespace flow::lab {

// The ticks of a schedule. A tick's class says how often it was in the heavier half on its way down
// the cascade, from 0: the same class is the same rate under every seed.
struct Ticks {
  base::Nanos length{0};
  std::vector<std::size_t> classes;     // One per tick.
  std::vector<std::uint64_t> requests;  // Planned, one per tick.
};

// `requests`: the counts that make_schedule() gave for this spec. Other than `ticks` of them (the
// trial ended before there was a schedule): no ticks.
Ticks ticks_of(const traffic::ScheduleSpec& spec, std::span<const std::uint64_t> requests);

enum class ClassHop : std::uint8_t { response_time, publish_response, queryable };
inline constexpr std::size_t class_hops = 3;
std::string_view name_of(ClassHop hop);

struct VolumeClass {
  std::size_t number = 0;
  std::size_t ticks = 0;
  std::uint64_t requests = 0;  // Planned.
  std::array<Hop, class_hops> hops;
};

// What was measured, by the tick in which it was intended.
class TickTally {
 public:
  // `from`: when the first tick began.
  TickTally(Ticks ticks, base::UnixNanos from);

  // nullopt: it ended without a value. Outside the ticks it is not counted.
  void add(ClassHop hop, std::int64_t intended_unix_ns, std::optional<base::Nanos> took);

  const Ticks& ticks() const { return ticks_; }
  const std::vector<VolumeClass>& classes() const { return classes_; }  // By ascending rate.
  double requests_per_second(const VolumeClass& one) const;             // Planned.
  // Mean of the logarithm of the values in ns, one per tick; NaN where a tick has none.
  std::vector<double> mean_logs(ClassHop hop) const;

 private:
  struct Logs {
    double sum = 0;
    std::uint64_t count = 0;
  };

  Ticks ticks_;
  std::int64_t from_;
  std::vector<VolumeClass> classes_;
  std::vector<std::size_t> index_;  // Into classes_, one per tick.
  std::array<std::vector<Logs>, class_hops> logs_;
};

// p50 and p99 are null where they lie beyond what was measured, and where so few samples cannot
// tell them from the maximum.
base::json::array describe(const TickTally& tally, bool has_analytics);

}  // namespace flow::lab

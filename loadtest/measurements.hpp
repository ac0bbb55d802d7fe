// What one shard, or all of them merged, measured: histograms, outcomes by cause, and the raw
// material of the generator's own health.
// Invariant (conserves()): intended = answered + failed + unanswered, answered = sum of by_status.
// Thread: one owner; merged after join.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "measure/histogram.hpp"

namespace flow::loadtest {

using base::Nanos;
using base::TimePoint;

enum class FailureCause : std::uint8_t {
  connect,   // No connection: refused, unreachable.
  local,     // No connection: this machine is out of ports or descriptors.
  closed,    // The server closed or reset the connection before the answer was whole.
  protocol,  // The answer was no HTTP.
};
inline constexpr std::size_t failure_cause_count = 4;
std::string_view name_of(FailureCause cause);

// Of the closed modes: customers, from arriving to leaving.
// Invariant once the run is over: arrived = completed + cut + turned_away.
struct VisitCounts {
  std::uint64_t arrived = 0;
  std::uint64_t completed = 0;    // Did all that they came for.
  std::uint64_t cut = 0;          // The run, or their time in it, ended first.
  std::uint64_t turned_away = 0;  // Could not register or sign in.
  std::uint64_t present_max = 0;  // Sum of the shards' maxima after a merge.
  // Little's law with the pauses, N = X (R + Z): customer-nanoseconds, as below for requests.
  double present_integral_ns = 0;
  double present_sum_ns = 0;

  void merge(const VisitCounts& other);
};

struct Measurements {
  // Of requests answered with a status below 400.
  measure::Histogram response;  // answered - intended.
  // Of requests answered with 400 and above: refusals are often quick and must flatter nobody.
  measure::Histogram error_response;  // answered - intended.
  measure::Histogram service;         // answered - sent, of all answered.
  // Of sent requests that found a connection free when they were due. A request either is in here
  // or in `blocked`.
  measure::Histogram start_error;  // sent - intended.
  measure::Histogram blocked;      // connection free - intended, of those that had to wait.
  measure::Histogram censored;     // Drain's deadline - intended, of the unanswered.

  std::uint64_t intended = 0;  // Came due, whatever became of them.
  std::uint64_t sent = 0;      // Subset of intended: the last byte went to the kernel.
  std::uint64_t answered = 0;
  std::uint64_t failed = 0;
  std::uint64_t unanswered = 0;
  std::uint64_t late = 0;  // Subset of sent: over 5 ms after due and connection free.
  std::array<std::uint64_t, 600> by_status{};                 // By HTTP status; below 100 unused.
  std::array<std::uint64_t, failure_cause_count> by_cause{};  // Of failed.
  std::uint64_t connections_opened = 0;
  std::uint64_t connections_dropped = 0;  // Closed by the server while unused: no request lost.
  std::uint64_t in_flight_max = 0;        // Sum of the shards' maxima after a merge.

  // Little's law: both sides in request-nanoseconds. The first grows with every change of the
  // number in flight, the second is the sum over requests; they agree when no request was lost or
  // counted twice and no clock went wrong.
  double in_flight_integral_ns = 0;
  double service_sum_ns = 0;  // Of the failed and unanswered too, from sent to their end.

  VisitCounts visits;

  std::uint64_t error_answers() const { return error_response.count(); }
  bool conserves() const;
  void merge(const Measurements& other);
};

}  // namespace flow::loadtest

// The stamp that every event carries from the first hop to the last, as W3C Trace Context
// (https://www.w3.org/TR/trace-context/): first in HTTP headers, then in message headers or
// properties, so that any tool that knows trace context can follow an event.
//   traceparent: 00-<trial: 16 hex><request: 16 hex>-<parent id: 16 hex>-01
//   tracestate:  flow=<intended, decimal Unix ns>[,other members, kept]
// Trial is never 0; requests count from 1. One HTTP request makes at most one event, so (trial,
// request) names the event.
// Thread: any; plain values.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"

namespace flow::base {

struct Stamp {
  std::uint64_t trial = 0;
  std::uint64_t request = 0;
  std::uint64_t parent = 0;           // The span of the hop before; a new one at each hop.
  std::optional<UnixNanos> intended;  // Absent: the event counts, but is in no histogram.
  std::string other_state;            // Other tracestate members as they came, without "flow=".

  bool operator==(const Stamp&) const = default;
};

inline constexpr std::string_view traceparent_name = "traceparent";
inline constexpr std::string_view tracestate_name = "tracestate";

// 32 hexadecimal digits: what tools that know trace context call an event.
std::string format_trace_id(std::uint64_t trial, std::uint64_t request);
std::string format_traceparent(const Stamp& stamp);
// Empty when there is neither an intended time nor another member: then no header is sent.
std::string format_tracestate(const Stamp& stamp);

// nullopt when `traceparent` is not valid by the specification (a version above 00 is read by the
// rules of 00, as it asks). A malformed tracestate is dropped, a malformed flow= member too: the
// stamp then has no intended time.
std::optional<Stamp> parse_stamp(std::string_view traceparent, std::string_view tracestate);

// The stamp of the next hop: same trace, same state, a new non-zero parent id derived from the old.
Stamp next_hop(const Stamp& stamp);

}  // namespace flow::base

// Quantiles of a run in which not every request was answered. A request that failed, or was still
// unanswered when the drain ended, took longer than any that was answered; leaving it out would
// make a broken system look fast. When more than (1 - q) of the requests did not succeed, the
// q-quantile is not known: only a value that it exceeds.
// Thread: any; plain values.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "measure/histogram.hpp"

namespace flow::measure {

struct Quantile {
  Nanos value{0};
  bool is_beyond = false;  // The quantile is larger than `value`: printed as "> value".

  bool operator==(const Quantile&) const = default;
};

// The q-quantile of all requests: `answered` successfully after so long, `censored` = unfinished
// at the end after (deadline - intended), `failed` = refused, broken or answered with an error.
// Failed and censored requests rank above every answered one. Where that leaves no value, the
// bound is the order statistic with the censored requests at the time they had waited, and at
// most the largest time known. nullopt when there was no request.
std::optional<Quantile> quantile(const Histogram& answered, const Histogram& censored,
                                 std::uint64_t failed, double q);
std::optional<Quantile> quantile(const Histogram& answered, std::uint64_t not_answered, double q);

// "12.3 ms", "> 30.0 s": three significant digits, the unit that leaves 1 to 4 digits before the
// point.
std::string format_duration(Nanos value);
std::string format_quantile(const std::optional<Quantile>& quantile);  // "-" for none.

}  // namespace flow::measure

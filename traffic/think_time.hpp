// How long a customer waits between two steps: Pareto, P(Z > z) = (xm / z)^alpha for z >= xm. With
// the study's alpha 1.6 and xm 1.875 s the mean is 5 s and the variance infinite.
// Thread: any; pure functions. Times in seconds.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>
#include <string_view>

#include "base/random.hpp"
#include "base/result.hpp"

namespace flow::traffic {

struct ThinkTime {
  double alpha = 1.6;         // Above 1: the mean is finite.
  double xm_seconds = 1.875;  // The shortest wait.

  double mean() const;              // alpha xm / (alpha - 1)
  double quantile(double u) const;  // xm (1 - u)^(-1/alpha), u in [0, 1).
  double draw(base::SplitMix64& random) const { return quantile(random.next_unit()); }

  // The first wait of a customer who has been there for ever (residual life): starting a population
  // with it keeps its rate constant from the first second; starting all at once is a burst that
  // nobody asked for. Density (xm <= z) proportional to P(Z > z).
  double residual_quantile(double u) const;
  double draw_residual(base::SplitMix64& random) const {
    return residual_quantile(random.next_unit());
  }
  // P(residual <= s): also the share of a population that acts within s seconds.
  double residual_share(double s) const;

  // What limiting waits to `limit` seconds does to the mean, and so to the load (1 / mean).
  double mean_when_redrawn_above(double limit) const;  // Z given Z <= limit.
  double mean_when_clipped_at(double limit) const;     // min(Z, limit).

  // The share of requests that a closed population does not send during a stall of `s` seconds and
  // an open one would: 1 - residual_share(s) * mean / s.
  double share_omitted_in_stall(double s) const;
};

// What happens to a wait above the limit.
enum class ThinkLimit : std::uint8_t {
  clip,    // It becomes the limit: min(Z, limit).
  redraw,  // It is drawn again: Z given Z <= limit.
};
std::string_view name_of(ThinkLimit kind);
base::Result<ThinkLimit> parse_think_limit(std::string_view text);  // Errc::config.

// Waits with a longest one. A limit takes the long waits out of the mean, so users come back sooner
// and the same users make more load than the unlimited law says: rate_change().
struct BoundedThinkTime {
  ThinkTime pareto = {};
  double limit_seconds = std::numeric_limits<double>::infinity();  // Above pareto.xm_seconds.
  ThinkLimit limit_kind = ThinkLimit::clip;

  bool is_limited() const { return limit_seconds < std::numeric_limits<double>::infinity(); }
  double mean() const;
  double quantile(double u) const;
  double residual_quantile(double u) const;  // Of the equilibrium start with these waits.
  double rate_change() const;                // pareto.mean() / mean() - 1; 0 without a limit.
};

}  // namespace flow::traffic

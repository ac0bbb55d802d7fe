// SPDX-License-Identifier: Apache-2.0
#include "traffic/think_time.hpp"

#include <algorithm>
#include <cmath>

namespace flow::traffic {

double ThinkTime::mean() const { return alpha * xm_seconds / (alpha - 1); }

double ThinkTime::quantile(double u) const { return xm_seconds * std::pow(1 - u, -1 / alpha); }

double ThinkTime::residual_quantile(double u) const {
  const double flat_share = 1 - 1 / alpha;  // P(residual < xm): there the density is constant.
  if (u < flat_share) return xm_seconds * u / flat_share;
  const double rest = (1 - u) / (1 - flat_share);
  return xm_seconds * std::pow(rest, -1 / (alpha - 1));
}

double ThinkTime::residual_share(double s) const {
  if (s <= 0) return 0;
  if (s <= xm_seconds) return s / mean();
  return 1 - std::pow(xm_seconds / s, alpha - 1) / alpha;
}

double ThinkTime::mean_when_redrawn_above(double limit) const {
  const double ratio = xm_seconds / limit;
  return mean() * (1 - std::pow(ratio, alpha - 1)) / (1 - std::pow(ratio, alpha));
}

double ThinkTime::mean_when_clipped_at(double limit) const {
  return xm_seconds + xm_seconds / (alpha - 1) * (1 - std::pow(xm_seconds / limit, alpha - 1));
}

double ThinkTime::share_omitted_in_stall(double s) const {
  return s <= 0 ? 0 : 1 - residual_share(s) * mean() / s;
}

std::string_view name_of(ThinkLimit kind) { return kind == ThinkLimit::clip ? "clip" : "redraw"; }

base::Result<ThinkLimit> parse_think_limit(std::string_view text) {
  for (const ThinkLimit kind : {ThinkLimit::clip, ThinkLimit::redraw}) {
    if (text == name_of(kind)) return kind;
  }
  return base::fail(base::Errc::config, "think limit '{}': expected clip or redraw", text);
}

double BoundedThinkTime::mean() const {
  if (!is_limited()) return pareto.mean();
  return limit_kind == ThinkLimit::clip ? pareto.mean_when_clipped_at(limit_seconds)
                                        : pareto.mean_when_redrawn_above(limit_seconds);
}

double BoundedThinkTime::quantile(double u) const {
  if (!is_limited()) return pareto.quantile(u);
  if (limit_kind == ThinkLimit::clip) return std::min(limit_seconds, pareto.quantile(u));
  const double kept = 1 - std::pow(pareto.xm_seconds / limit_seconds, pareto.alpha);
  return std::min(limit_seconds, pareto.quantile(u * kept));
}

// The density of the residual life is P(wait > z) / mean. Clipped, that is the unlimited one cut
// off at the limit. Redrawn, its integral has no inverse in closed form: bisection.
double BoundedThinkTime::residual_quantile(double u) const {
  if (!is_limited()) return pareto.residual_quantile(u);
  if (limit_kind == ThinkLimit::clip) {
    return std::min(limit_seconds, pareto.residual_quantile(u * mean() / pareto.mean()));
  }
  const double above = std::pow(pareto.xm_seconds / limit_seconds, pareto.alpha);
  const double wanted = u * mean() * (1 - above);
  double low = 0;
  double high = limit_seconds;
  while (high - low > 1e-12 * limit_seconds) {
    const double middle = low + (high - low) / 2;
    const double reached = pareto.mean() * pareto.residual_share(middle) - above * middle;
    (reached < wanted ? low : high) = middle;
  }
  return high;
}

double BoundedThinkTime::rate_change() const { return pareto.mean() / mean() - 1; }

}  // namespace flow::traffic

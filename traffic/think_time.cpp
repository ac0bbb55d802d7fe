// SPDX-License-Identifier: Apache-2.0
#include "traffic/think_time.hpp"

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

}  // namespace flow::traffic

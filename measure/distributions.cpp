// SPDX-License-Identifier: Apache-2.0
#include "measure/distributions.hpp"

#include <algorithm>

#include <boost/math/distributions/chi_squared.hpp>
#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <boost/math/special_functions/beta.hpp>

namespace flow::measure {
namespace {

namespace policies = boost::math::policies;
using Quiet = policies::policy<policies::domain_error<policies::ignore_error>,
                               policies::pole_error<policies::ignore_error>,
                               policies::overflow_error<policies::ignore_error>,
                               policies::evaluation_error<policies::ignore_error>>;
using Normal = boost::math::normal_distribution<double, Quiet>;
using Student = boost::math::students_t_distribution<double, Quiet>;
using ChiSquared = boost::math::chi_squared_distribution<double, Quiet>;

}  // namespace

double normal_upper_tail(double z) {
  return boost::math::cdf(boost::math::complement(Normal(), z));
}

double normal_quantile(double p) { return boost::math::quantile(Normal(), p); }

double student_upper_tail(double t, double degrees) {
  return boost::math::cdf(boost::math::complement(Student(degrees), t));
}

double student_two_sided(double t, double degrees) {
  return 2 * student_upper_tail(t < 0 ? -t : t, degrees);
}

double student_quantile(double p, double degrees) {
  return boost::math::quantile(Student(degrees), p);
}

double chi_squared_quantile(double p, double degrees) {
  return boost::math::quantile(ChiSquared(degrees), p);
}

double binomial_at_least(std::uint64_t count, std::uint64_t n, double q) {
  if (count == 0) return 1;
  if (count > n) return 0;
  return incomplete_beta(static_cast<double>(count), static_cast<double>(n - count + 1), q);
}

double binomial_at_most(std::uint64_t count, std::uint64_t n, double q) {
  if (count >= n) return 1;
  return boost::math::ibetac(static_cast<double>(count + 1), static_cast<double>(n - count),
                             std::clamp(q, 0.0, 1.0), Quiet());
}

double incomplete_beta(double a, double b, double x) {
  return boost::math::ibeta(a, b, std::clamp(x, 0.0, 1.0), Quiet());
}

}  // namespace flow::measure

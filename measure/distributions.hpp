// The distribution functions that the estimators of this room need, from Boost.Math; kept in one
// place so that its headers are compiled once and its errors never throw (NaN for NaN).
// Thread: any; pure functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace flow::measure {

double normal_upper_tail(double z);  // P(Z >= z)
double normal_quantile(double p);    // p in (0, 1).

double student_upper_tail(double t, double degrees);  // P(T >= t); degrees above 0.
double student_two_sided(double t, double degrees);   // P(|T| >= |t|)
double student_quantile(double p, double degrees);    // p in (0, 1).

// Quantile of chi-squared, for the range of a standard deviation. p in (0, 1), degrees above 0.
double chi_squared_quantile(double p, double degrees);

// X ~ Binomial(n, q), q in [0, 1].
double binomial_at_most(std::uint64_t count, std::uint64_t n, double q);   // P(X <= count)
double binomial_at_least(std::uint64_t count, std::uint64_t n, double q);  // P(X >= count)

// Regularised incomplete beta I_x(a, b), a and b above 0; x is limited to [0, 1].
double incomplete_beta(double a, double b, double x);

}  // namespace flow::measure

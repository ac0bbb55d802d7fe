// How many blocks an experiment needs, before it runs and when it could not tell.
//
// With k blocks the exact test at level alpha finds a difference d when the C-th smallest Walsh
// average is above zero. For normal differences around d with standard deviation sd that is when
// d / sd > -w_(C)(z), z being k standard normal values. So one sample of -w_(C)(z) (5,000 draws,
// seeded) holds the whole power curve: its 80 % quantile is the smallest d / sd that is found four
// times in five, and its mean is half the expected length of the interval, in units of sd. Above
// k = 30: Student's quantiles with the efficiency 3 / pi of the signed-rank test, which meet the
// sample there within 1 %.
// Thread: any; pure functions. Effects and standard deviations are those of log ratios.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <span>

namespace flow::measure {

// The smallest number of blocks with which the exact two-sided test can reach alpha / primaries
// (the first step of Holm): 2 / 2^k is no larger. At least 7, which serve up to three primaries; 8
// for four to six. With fewer there are numbers and no verdict.
std::size_t blocks_to_decide(std::size_t primaries, double alpha = 0.05);

// What k blocks resolve, in units of the standard deviation of a block's log ratio.
struct Resolution {
  double detectable = 0;  // The smallest effect found with the power asked for.
  double half_width = 0;  // Half the expected length of the interval.
};
// nullopt when k blocks cannot reach alpha at all. alpha and power in (0, 1).
std::optional<Resolution> resolution_of(std::size_t blocks, double alpha, double power = 0.8);

// The chance that an effect of so many standard deviations is found; 0 when k cannot reach alpha.
double power_of(double effect_in_sd, std::size_t blocks, double alpha);

// The fewest blocks (at most 10,000) that find `effect` with the power asked for, or whose interval
// is expected to be no longer than `length`. nullopt: more, or sd is not finite. 0 < effect,
// length.
std::optional<std::size_t> blocks_to_detect(double effect, double sd, double alpha,
                                            double power = 0.8);
std::optional<std::size_t> blocks_for_length(double length, double sd, double alpha);

// Where the standard deviation of n normal values could lie: the largest that is compatible with
// `sd` at this confidence. Four A/A pairs say little: at 80 % it is 1.73 sd.
double sd_upper_bound(double sd, std::size_t n, double confidence = 0.8);

// The spread of A/A log ratios: two equal trials differ by nothing on average, so the mean is known
// to be 0, and n values have n degrees of freedom.
struct SpreadAboutZero {
  double sd = 0;
  double sd_max = 0;  // sd_upper_bound() at 80 %.
};
// At least one value (FLOW_CHECK).
SpreadAboutZero spread_about_zero(std::span<const double> values);

}  // namespace flow::measure

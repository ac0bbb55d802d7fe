// Where the noise of an experiment comes from, and so where the next hour is best spent: on more
// cycles in a run, more runs, or more hosts and days. Balanced nested repetitions, level 1
// innermost. Source: Kalibera and Jones, Rigorous benchmarking in reasonable time, ISMM 2013, in
// the corrected form of their libkalibera.
// Thread: any; pure functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace flow::measure {

struct VarianceComponents {
  // S_i^2: sample variance of the means of level i about the mean of their parent.
  std::vector<double> of_means;
  // T_i^2 = S_i^2 - S_{i-1}^2 / r_{i-1}, T_1^2 = S_1^2: what level i adds by itself. Estimates:
  // they may come out below 0, and then the level adds nothing that shows.
  std::vector<double> own;
};

// `values`: innermost index fastest; repetitions r_1 .. r_n, each at least 2 (FLOW_CHECK, as is
// that their product is the number of values). Finite values.
VarianceComponents variance_components(std::span<const double> values,
                                       std::span<const std::size_t> repetitions);

// The best r_1 .. r_(n-1) under the outermost level, whose repetitions are what time allows:
// r_i = ceil(sqrt((c_j / c_i) (T_i^2 / T_j^2))), j the next level outwards that adds anything. 1
// for a level that adds nothing; nullopt where nothing outside it adds any: all repetitions belong
// here. costs: c_1 .. c_n, time that one more repetition at each level takes, above 0.
std::vector<std::optional<std::size_t>> best_repetitions(const VarianceComponents& components,
                                                         std::span<const double> costs);

}  // namespace flow::measure

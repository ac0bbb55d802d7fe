// Several tests of one experiment. Holm keeps the chance of even one false positive among them at
// the level; Benjamini-Hochberg keeps the expected share of false ones among the positives.
// Sources: Holm, Scand. J. Statist. 6, 1979; Benjamini and Hochberg, J. R. Statist. Soc. B 57,
// 1995.
// Thread: any; pure functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace flow::measure {

// Adjusted p values in the order of `p`, to be compared with the level of the whole family.
// `tests`: the size of the family where some of its tests have no p (they count as p = 1); at least
// p.size().
std::vector<double> holm(std::span<const double> p, std::size_t tests);
std::vector<double> holm(std::span<const double> p);

std::vector<double> benjamini_hochberg(std::span<const double> p);

}  // namespace flow::measure

// Two results of the same experiment, before and after a change: the same inference as between
// platforms, cell by cell, paired by block. For a regression check in CI.
// Thread: any; pure.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "base/json.hpp"
#include "base/result.hpp"
#include "lab/judge/inference.hpp"

namespace flow::lab {

enum class Change : std::uint8_t {
  better,  // Lower by more than the margin.
  same,    // Practically equivalent, or a difference within the margin.
  worse,   // Higher by more than the margin.
  unknown  // Cannot tell: too few blocks, or too noisy.
};
std::string_view name_of(Change change);

struct CellChange {
  std::string cell;
  Change change = Change::unknown;
  LevelInference inference;  // after / before
};

struct ResultDiff {
  std::string metric;  // "p99 of publish response"
  double margin = 0.1;
  std::vector<CellChange> cells;
  std::vector<std::string> notes;  // What makes the comparison weaker: other host, other schedule.
  Change worst() const;            // worse, then unknown, then same, then better.
};

// Of load_result()'s objects; `primary` as in an experiment file, empty: that of `before`.
// Errc::config when no cell is in both, or their workloads differ.
base::Result<ResultDiff> diff_results(const base::json::object& before,
                                      const base::json::object& after, std::string primary,
                                      double margin);

std::string markdown_of(const ResultDiff& diff);  // A table for a pull request.
base::json::object describe(const ResultDiff& diff);

}  // namespace flow::lab

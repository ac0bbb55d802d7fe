// SHA256SUMS of a result folder: written once everything is there, checked by `flow verify`. The
// report is not part of it: it can be made again from the sealed files at any time.
// Thread: any.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace flow::lab {

// Writes DIR/SHA256SUMS (the format of sha256sum(1), sorted by path) over every file below DIR but
// itself and report.html.
base::Result<void> seal(const std::filesystem::path& folder);

struct SealCheck {
  std::size_t files = 0;
  std::vector<std::string>
      problems;  // "trials/…/trial.json: changed", "…: missing", "…: not in the sums"
};

// Errc::config when there is no seal to check.
base::Result<SealCheck> check_seal(const std::filesystem::path& folder);

}  // namespace flow::lab

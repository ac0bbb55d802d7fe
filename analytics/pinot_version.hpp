// Which Pinot answers: what the table configuration depends on.
// Thread: any; plain values.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <string>
#include <string_view>

#include "base/json.hpp"
#include "base/result.hpp"

namespace flow::analytics {

struct PinotVersion {
  int major = 0;
  int minor = 11;
  int patch = 0;

  std::string text() const;  // "0.11.0"
  auto operator<=>(const PinotVersion&) const = default;
};

// "0.11.0", "1.3.0-SNAPSHOT", "0.11.0-1b4d6b6b" (the commit). Errc::config otherwise.
base::Result<PinotVersion> parse_pinot_version(std::string_view text);

// Out of the controller's GET /version, which lists every component with its version.
base::Result<PinotVersion> pinot_version_in(const base::json::value& answer);

}  // namespace flow::analytics

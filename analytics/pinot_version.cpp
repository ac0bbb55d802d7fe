// SPDX-License-Identifier: Apache-2.0
#include "analytics/pinot_version.hpp"

#include <charconv>

namespace flow::analytics {

using base::Errc;
using base::fail;
using base::Result;

std::string PinotVersion::text() const { return fmt::format("{}.{}.{}", major, minor, patch); }

Result<PinotVersion> parse_pinot_version(std::string_view text) {
  PinotVersion version;
  const char* at = text.data();
  const char* const end = at + text.size();
  for (int* const part : {&version.major, &version.minor, &version.patch}) {
    if (part != &version.major && (at == end || *at++ != '.')) at = nullptr;
    const auto [next, error] = at ? std::from_chars(at, end, *part)
                                  : std::from_chars_result{nullptr, std::errc::invalid_argument};
    if (error != std::errc{} || *part < 0) {
      return fail(Errc::config, "Pinot version '{}': expected such as 0.11.0", text);
    }
    at = next;
  }
  if (at != end && *at != '-' && *at != '+' && *at != '.') {
    return fail(Errc::config, "Pinot version '{}': expected such as 0.11.0", text);
  }
  return version;
}

Result<PinotVersion> pinot_version_in(const base::json::value& answer) {
  const auto* components = answer.if_object();
  if (!components) return fail(Errc::protocol, "pinot: GET /version: no JSON object");
  // Not any component: a plugin may be of another version.
  for (const std::string_view name :
       {"pinot-controller", "pinot-core", "pinot-common", "pinot-spi"}) {
    const auto* component = components->if_contains(name);
    if (!component || !component->is_string()) continue;
    if (auto version = parse_pinot_version(component->get_string())) return version;
  }
  return fail(Errc::protocol, "pinot: GET /version: none of the versions is known");
}

}  // namespace flow::analytics

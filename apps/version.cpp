// SPDX-License-Identifier: Apache-2.0
#include "apps/version.hpp"

#include <fmt/format.h>

#include "flow_commit.hpp"

namespace flow::apps {

std::string_view version() { return FLOW_VERSION; }
std::string_view commit() { return FLOW_COMMIT; }

std::string_view build_type() {
#ifdef NDEBUG
  return "release";
#else
  return "dev";
#endif
}

bool is_sanitized() {
#ifdef FLOW_SANITIZED
  return true;
#else
  return false;
#endif
}

std::string version_text() {
  return fmt::format("flow {} ({}, {}{})", version(), commit(), build_type(),
                     is_sanitized() ? ", sanitized" : "");
}

}  // namespace flow::apps

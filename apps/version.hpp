// What is running: version, commit and kind of build, for --version and for results.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace flow::apps {

std::string_view version();  // "0.1.0"
std::string_view commit();   // "ab2a233", with "-dirty" for a changed tree; "unknown" without git
std::string_view build_type();  // "release" or "dev"
bool is_sanitized();            // Then numbers may not be published.
std::string version_text();     // "flow 0.1.0 (ab2a233, release)"

}  // namespace flow::apps

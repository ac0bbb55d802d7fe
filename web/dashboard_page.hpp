// The live dashboard's page as it is built from web/src/dashboard: a document that loads one script
// and one style, both from where it came from, at /dashboard.js and /dashboard.css, and nothing
// else. What it asks of its server: docs/reference/dashboard-api.md.
// Thread: any.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace flow::web {

// Valid for the life of the program.
std::string_view dashboard_html();
std::string_view dashboard_script();
std::string_view dashboard_style();

}  // namespace flow::web

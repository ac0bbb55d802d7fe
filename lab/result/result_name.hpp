// Names of folders as they are shown and asked for: text that a page can hold and send back.
// Thread: any; pure.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace flow::lab {

// Whole UTF-8 without control characters, not "." or "..", no separator.
bool can_be_shown(std::string_view name);

}  // namespace flow::lab

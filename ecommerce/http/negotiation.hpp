// Media types in requests: what the body is, and what the client will take.
// Thread: any; pure functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace flow::ecommerce {

// "application/json" or "application/…+json", in any case, with any parameters; a charset other
// than UTF-8 is another type.
bool is_json_type(std::string_view content_type);

// Whether an Accept header (RFC 9110 section 12.5.1) allows JSON; an empty one does.
bool accepts_json(std::string_view accept);

}  // namespace flow::ecommerce

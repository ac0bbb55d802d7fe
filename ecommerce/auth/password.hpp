// Passwords as bcrypt hashes (libcrypt): "$2b$10$...". Hashes with the prefix "$2a$", as other
// services wrote them, are accepted. A hash costs tens of milliseconds by design: only the threads
// of a PasswordPool may call these.
// Thread: any; pure functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace flow::ecommerce {

inline constexpr int bcrypt_cost_min = 4;
inline constexpr int bcrypt_cost_max = 16;  // More takes seconds a sign-in.

// `password` has at most 72 bytes and no NUL (checked at the door).
std::string hash_password(const std::string& password, int cost);

// False as well for a hash that is no bcrypt hash. Compared in constant time.
bool is_password(const std::string& password, const std::string& hash);

}  // namespace flow::ecommerce

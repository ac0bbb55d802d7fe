// A customer as the shop knows one: email, password, and what registering and signing in look like.
// Thread: any; pure functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace flow::loadtest {

// Under /api/v1.
inline constexpr std::string_view register_path = "/auth/register";
inline constexpr std::string_view sign_in_path = "/auth/signin";
inline constexpr std::size_t sign_in_answer_bytes_max = 64 * 1024;

// "user-7-of-00000000000000a1@flow.test"
std::string email_of(std::uint64_t trial, std::uint32_t user);

std::string registration_body(std::uint64_t trial, std::uint32_t user);
std::string sign_in_body(std::uint64_t trial, std::uint32_t user);
std::string sign_in_body(std::string_view email, std::string_view password);

// The token in the answer to a sign-in. Errc::protocol: it has none; `subject` begins the sentence.
base::Result<std::string> token_in(std::string_view answer, const std::string& subject);

}  // namespace flow::loadtest

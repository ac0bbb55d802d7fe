// JSON Web Tokens (RFC 7519) as the shop issues and takes them: HS256 only, header exactly
// {"alg":"HS256"} when issued, claims sub, iat, exp. A token is checked before it is believed:
// signature first, in constant time, then the claims.
// Thread: one at a time; a TokenSigner keeps an OpenSSL context.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace flow::ecommerce {

enum class TokenFault : std::uint8_t {
  malformed,  // Not a JWT, another algorithm, or a claim that is missing or of a wrong type.
  wrong_signature,
  expired,
};

struct TokenRefusal {
  TokenFault fault;
  std::int64_t expired_at_s = 0;  // Of `expired`: the claim.
};

inline constexpr std::size_t token_secret_bytes_min = 32;  // RFC 7518 section 3.2.

class TokenSigner {
 public:
  static constexpr std::chrono::seconds life{7200};

  // `secret_base64` decodes to 32 bytes or more; Errc::config says what is wrong without showing
  // it.
  static base::Result<TokenSigner> create(std::string_view secret_base64);
  static std::string random_secret_base64();

  TokenSigner(TokenSigner&&) noexcept;
  TokenSigner& operator=(TokenSigner&&) noexcept;
  ~TokenSigner();

  std::string sign(std::string_view subject, std::int64_t now_s);

  // The subject of a valid token.
  std::expected<std::string, TokenRefusal> verify(std::string_view token, std::int64_t now_s);

 private:
  struct Mac;
  explicit TokenSigner(std::unique_ptr<Mac> mac);
  std::string signature_of(std::string_view text);

  std::unique_ptr<Mac> mac_;
};

}  // namespace flow::ecommerce

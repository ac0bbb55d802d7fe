// SPDX-License-Identifier: Apache-2.0
#include "ecommerce/auth/token.hpp"

#include <array>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "base/json.hpp"
#include "ecommerce/domain/entity_json.hpp"

namespace flow::ecommerce {
namespace {

using base::Errc;
using base::Result;

constexpr std::size_t digest_bytes = 32;
constexpr std::string_view issued_header = R"({"alg":"HS256"})";

std::string encode(std::string_view text) { return base::to_base64url(base::as_bytes(text)); }

std::optional<base::json::object> decode_object(std::string_view part) {
  const auto bytes = base::from_base64url(part);
  if (!bytes) return std::nullopt;
  auto value = base::parse_json(base::as_text(*bytes), "token");
  if (!value || !value->is_object()) return std::nullopt;
  return std::move(value->as_object());
}

// A header that nobody but us would write is compared; any other must name the one algorithm and
// ask for no extension (RFC 7515 section 4.1.11).
bool is_header_good(std::string_view part, std::string_view ours) {
  if (part == ours) return true;
  const auto header = decode_object(part);
  if (!header || header->contains("crit")) return false;
  const auto* algorithm = header->if_contains("alg");
  return algorithm != nullptr && algorithm->is_string() && algorithm->get_string() == "HS256";
}

std::optional<std::int64_t> seconds_of(const base::json::object& claims, std::string_view name) {
  const auto* value = claims.if_contains(name);
  if (value == nullptr || !value->is_int64()) return std::nullopt;
  return value->get_int64();
}

}  // namespace

struct TokenSigner::Mac {
  struct Free {
    void operator()(EVP_MAC* mac) const { EVP_MAC_free(mac); }
    void operator()(EVP_MAC_CTX* context) const { EVP_MAC_CTX_free(context); }
  };
  std::unique_ptr<EVP_MAC, Free> mac;
  std::unique_ptr<EVP_MAC_CTX, Free> context;
  std::string header;  // Encoded.
};

TokenSigner::TokenSigner(std::unique_ptr<Mac> mac) : mac_(std::move(mac)) {}
TokenSigner::TokenSigner(TokenSigner&&) noexcept = default;
TokenSigner& TokenSigner::operator=(TokenSigner&&) noexcept = default;
TokenSigner::~TokenSigner() = default;

Result<TokenSigner> TokenSigner::create(std::string_view secret_base64) {
  const auto secret = base::from_base64(secret_base64);
  if (!secret) return base::fail(Errc::config, "token secret: not base64 with padding");
  if (secret->size() < token_secret_bytes_min) {
    return base::fail(Errc::config, "token secret: {} bytes, expected {} or more", secret->size(),
                      token_secret_bytes_min);
  }
  auto mac = std::make_unique<Mac>();
  mac->mac.reset(EVP_MAC_fetch(nullptr, "HMAC", nullptr));
  FLOW_CHECK(mac->mac != nullptr);
  mac->context.reset(EVP_MAC_CTX_new(mac->mac.get()));
  char digest[] = "SHA256";
  const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string("digest", digest, 0),
                               OSSL_PARAM_construct_end()};
  const auto* key = reinterpret_cast<const unsigned char*>(secret->data());
  FLOW_CHECK(EVP_MAC_init(mac->context.get(), key, secret->size(), params) == 1);
  mac->header = encode(issued_header);
  return TokenSigner(std::move(mac));
}

std::string TokenSigner::random_secret_base64() {
  std::array<unsigned char, 48> secret{};
  FLOW_CHECK(RAND_bytes(secret.data(), static_cast<int>(secret.size())) == 1);
  return base::to_base64(std::as_bytes(std::span(secret)));
}

std::string TokenSigner::signature_of(std::string_view text) {
  std::array<unsigned char, digest_bytes> digest{};
  std::size_t length = 0;
  EVP_MAC_CTX* const context = mac_->context.get();
  // Without a key, init() starts again with the one of before.
  FLOW_CHECK(EVP_MAC_init(context, nullptr, 0, nullptr) == 1);
  FLOW_CHECK(EVP_MAC_update(context, reinterpret_cast<const unsigned char*>(text.data()),
                            text.size()) == 1);
  FLOW_CHECK(EVP_MAC_final(context, digest.data(), &length, digest.size()) == 1);
  FLOW_CHECK(length == digest.size());
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

std::string TokenSigner::sign(std::string_view subject, std::int64_t now_s) {
  std::string claims = "{\"sub\":";
  append_json_text(claims, subject);
  claims += fmt::format(",\"iat\":{},\"exp\":{}}}", now_s, now_s + life.count());
  std::string token = mac_->header + '.' + encode(claims);
  token += '.' + encode(signature_of(token));
  return token;
}

std::expected<std::string, TokenRefusal> TokenSigner::verify(std::string_view token,
                                                             std::int64_t now_s) {
  const auto malformed = std::unexpected(TokenRefusal{.fault = TokenFault::malformed});
  const std::size_t first = token.find('.');
  const std::size_t second = token.rfind('.');
  if (first == std::string_view::npos || first == second) return malformed;
  const auto signature = base::from_base64url(token.substr(second + 1));
  if (!signature) return malformed;
  if (!is_header_good(token.substr(0, first), mac_->header)) return malformed;

  const std::string expected = signature_of(token.substr(0, second));
  if (signature->size() != expected.size() ||
      CRYPTO_memcmp(signature->data(), expected.data(), expected.size()) != 0) {
    return std::unexpected(TokenRefusal{.fault = TokenFault::wrong_signature});
  }
  const auto claims = decode_object(token.substr(first + 1, second - first - 1));
  if (!claims) return malformed;
  const auto expires = seconds_of(*claims, "exp");
  const auto* subject = claims->if_contains("sub");
  if (!expires || subject == nullptr || !subject->is_string()) return malformed;
  if (subject->get_string().find('\0') != base::json::string::npos) return malformed;
  if (const auto starts = seconds_of(*claims, "nbf"); starts && *starts > now_s) return malformed;
  if (*expires <= now_s) {
    return std::unexpected(TokenRefusal{.fault = TokenFault::expired, .expired_at_s = *expires});
  }
  return std::string(subject->get_string());
}

}  // namespace flow::ecommerce

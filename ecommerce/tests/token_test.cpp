// SPDX-License-Identifier: Apache-2.0
#include "ecommerce/auth/token.hpp"

#include <gtest/gtest.h>
#include <openssl/hmac.h>

#include "base/bytes.hpp"
#include "ecommerce/auth/password.hpp"

namespace flow::ecommerce {
namespace {

// RFC 7515, appendix A.1: key and token of the specification's own HS256 example.
constexpr std::string_view rfc_key_base64url =
    "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
constexpr std::string_view rfc_token =
    "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
    "."
    "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

const std::string secret = base::to_base64(base::as_bytes("0123456789abcdef0123456789abcdef"));

TokenSigner signer() { return std::move(TokenSigner::create(secret).value()); }

std::string part(std::string_view text) { return base::to_base64url(base::as_bytes(text)); }

// A token with any header and claims and a good signature, made without the code under test.
std::string forge(std::string_view header, std::string_view claims) {
  const std::string text = part(header) + "." + part(claims);
  unsigned char digest[32];
  unsigned int length = 0;
  HMAC(EVP_sha256(), "0123456789abcdef0123456789abcdef", 32,
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest, &length);
  return text + "." + base::to_base64url(std::as_bytes(std::span(digest)));
}

std::string outcome(TokenSigner& tokens, std::string_view token, std::int64_t now_s = 1000) {
  const auto subject = tokens.verify(token, now_s);
  if (subject) return *subject;
  switch (subject.error().fault) {
    case TokenFault::malformed:
      return "malformed";
    case TokenFault::wrong_signature:
      return "wrong signature";
    case TokenFault::expired:
      return "expired";
  }
  return "?";
}

TEST(Token, HasTheShapeOfTheContract) {
  auto tokens = signer();

  const std::string token = tokens.sign("a@example.test", 1000);

  EXPECT_EQ(token,
            forge(R"({"alg":"HS256"})", R"({"sub":"a@example.test","iat":1000,"exp":8200})"));
  EXPECT_EQ(token.size() - token.rfind('.') - 1, 43U);
}

TEST(Token, AcceptsTheSignatureOfTheSpecificationsExample) {
  const auto key = base::from_base64url(rfc_key_base64url);
  auto tokens = TokenSigner::create(base::to_base64(*key));

  // Its signature is good; it names no subject.
  EXPECT_EQ(outcome(*tokens, rfc_token, 1'300'819'379), "malformed");
  std::string tampered(rfc_token);
  tampered[50] = tampered[50] == 'A' ? 'B' : 'A';
  EXPECT_EQ(outcome(*tokens, tampered, 1'300'819'379), "wrong signature");
}

TEST(Token, LivesTwoHours) {
  auto tokens = signer();
  const std::string token = tokens.sign("a", 1000);

  EXPECT_EQ(outcome(tokens, token, 1000), "a");
  EXPECT_EQ(outcome(tokens, token, 8199), "a");
  EXPECT_EQ(outcome(tokens, token, 8200), "expired");
  EXPECT_EQ(tokens.verify(token, 9000).error().expired_at_s, 8200);
}

TEST(Token, ChangedInAnyCharacterIsRefused) {
  auto tokens = signer();
  const std::string token = tokens.sign("a@example.test", 1000);

  for (std::size_t i = 0; i < token.size(); ++i) {
    std::string changed = token;
    changed[i] = changed[i] == 'x' ? 'y' : 'x';
    EXPECT_FALSE(tokens.verify(changed, 1000)) << i;
    EXPECT_FALSE(tokens.verify(token.substr(0, i), 1000)) << i;
  }
}

TEST(Token, HostileOnesAreMalformed) {
  auto tokens = signer();
  const std::string good = R"({"sub":"a","iat":1,"exp":2000})";

  for (const std::string& token :
       {std::string(),
        std::string("abc"),
        std::string("x.y.z"),
        std::string(".."),
        std::string("...."),
        std::string(10'000, '.'),
        std::string(10'000, 'a'),
        tokens.sign("a", 1000) + "=",
        tokens.sign("a", 1000) + ".x",
        " " + tokens.sign("a", 1000),
        forge(R"({"alg":"none"})", good),
        forge(R"({"alg":"hs256"})", good),
        forge(R"({"alg":"RS256"})", good),
        forge(R"({"alg":["HS256"]})", good),
        forge(R"({"alg":"HS256","crit":["exp"]})", good),
        forge("[]", good),
        forge("{}", good),
        forge(R"({"alg":"HS256"})", "[]"),
        forge(R"({"alg":"HS256"})", "not json"),
        forge(R"({"alg":"HS256"})", R"({"sub":"a"})"),
        forge(R"({"alg":"HS256"})", R"({"exp":2000})"),
        forge(R"({"alg":"HS256"})", R"({"sub":1,"exp":2000})"),
        forge(R"({"alg":"HS256"})", R"({"sub":"a","exp":"2000"})"),
        forge(R"({"alg":"HS256"})", R"({"sub":"a","exp":1e30})"),
        forge(R"({"alg":"HS256"})", R"({"sub":"a\u0000b","exp":2000})"),
        forge(R"({"alg":"HS256"})", R"({"sub":"a","exp":2000,"nbf":1500})"),
        forge(R"({"alg":"HS256"})", std::string(100, '[') + std::string(100, ']'))}) {
    EXPECT_EQ(outcome(tokens, token), "malformed") << token.substr(0, 80);
  }
}

TEST(Token, OtherHeadersOfTheSameAlgorithmAreGood) {
  auto tokens = signer();

  EXPECT_EQ(outcome(tokens, forge(R"({"typ":"JWT","alg":"HS256"})", R"({"sub":"a","exp":2000})")),
            "a");
}

TEST(Token, UnsignedOnesAreNeverGood) {
  auto tokens = signer();
  const std::string unsigned_token =
      part(R"({"alg":"none"})") + "." + part(R"({"sub":"a","exp":2000})") + ".";

  EXPECT_EQ(outcome(tokens, unsigned_token), "malformed");
  EXPECT_EQ(
      outcome(tokens, part(R"({"alg":"HS256"})") + "." + part(R"({"sub":"a","exp":2000})") + "."),
      "wrong signature");
}

TEST(TokenSecret, MustBeBase64OfThirtyTwoBytes) {
  EXPECT_FALSE(TokenSigner::create("secret"));
  EXPECT_FALSE(TokenSigner::create("!!!!"));
  EXPECT_FALSE(TokenSigner::create(base::to_base64(base::as_bytes(std::string(31, 'x')))));
  EXPECT_TRUE(TokenSigner::create(base::to_base64(base::as_bytes(std::string(32, 'x')))));
  EXPECT_TRUE(TokenSigner::create(TokenSigner::random_secret_base64()));
}

TEST(Password, HashesOfOtherServicesAreAccepted) {
  // From the crypt_blowfish test vectors: password "U*U".
  EXPECT_TRUE(is_password("U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"));
  EXPECT_FALSE(is_password("U*V", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"));
}

TEST(Password, IsSaltedAndCheckedWhole) {
  const std::string hash = hash_password("pass", bcrypt_cost_min);

  EXPECT_TRUE(hash.starts_with("$2b$04$"));
  EXPECT_NE(hash, hash_password("pass", bcrypt_cost_min));
  EXPECT_TRUE(is_password("pass", hash));
  EXPECT_FALSE(is_password("pas", hash));
  EXPECT_FALSE(is_password("", hash));
  EXPECT_FALSE(is_password(std::string("pass\0x", 6), hash));
}

TEST(Password, NeverMatchesWhatIsNoHash) {
  for (const char* hash : {"", "pass", "$1$abc$def", "$2b$", "*0", "*1"}) {
    EXPECT_FALSE(is_password("pass", hash)) << hash;
  }
}

}  // namespace
}  // namespace flow::ecommerce

// SPDX-License-Identifier: Apache-2.0
#include "ecommerce/auth/password.hpp"

#include <crypt.h>
#include <cstring>
#include <memory>

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "base/check.hpp"

namespace flow::ecommerce {
namespace {

// Empty for a setting that libcrypt does not take.
std::string crypt_text(const std::string& password, const std::string& setting) {
  const auto data = std::make_unique<crypt_data>();  // 32 KiB, zeroed.
  const char* result =
      crypt_rn(password.c_str(), setting.c_str(), data.get(), static_cast<int>(sizeof(crypt_data)));
  return result == nullptr ? std::string{} : std::string(result);
}

}  // namespace

std::string hash_password(const std::string& password, int cost) {
  FLOW_CHECK(cost >= bcrypt_cost_min && cost <= bcrypt_cost_max);
  FLOW_CHECK(password.size() <= 72 && password.find('\0') == std::string::npos);
  unsigned char random[16];
  FLOW_CHECK(RAND_bytes(random, sizeof(random)) == 1);
  char setting[CRYPT_GENSALT_OUTPUT_SIZE];
  const char* made =
      crypt_gensalt_rn("$2b$", static_cast<unsigned long>(cost), reinterpret_cast<char*>(random),
                       sizeof(random), setting, sizeof(setting));
  FLOW_CHECK(made != nullptr);
  std::string hash = crypt_text(password, setting);
  FLOW_CHECK(!hash.empty());
  return hash;
}

bool is_password(const std::string& password, const std::string& hash) {
  const bool is_bcrypt =
      hash.size() == 60 &&
      (hash.starts_with("$2a$") || hash.starts_with("$2b$") || hash.starts_with("$2y$"));
  if (!is_bcrypt || password.find('\0') != std::string::npos) return false;
  const std::string made = crypt_text(password, hash);
  return made.size() == hash.size() && CRYPTO_memcmp(made.data(), hash.data(), hash.size()) == 0;
}

}  // namespace flow::ecommerce

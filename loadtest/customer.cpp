// SPDX-License-Identifier: Apache-2.0
#include "loadtest/customer.hpp"

#include <boost/json.hpp>

#include "base/json.hpp"

namespace flow::loadtest {

using base::Errc;
using base::Error;
using base::Result;
namespace json = boost::json;

namespace {

constexpr std::string_view user_password = "a customer's password";

}  // namespace

std::string email_of(std::uint64_t trial, std::uint32_t user) {
  return fmt::format("user-{}-of-{:016x}@flow.test", user, trial);
}

std::string registration_body(std::uint64_t trial, std::uint32_t user) {
  return json::serialize(json::object{{"email", email_of(trial, user)},
                                      {"password", user_password},
                                      {"firstName", fmt::format("User {}", user)},
                                      {"lastName", "Flow"}});
}

std::string sign_in_body(std::string_view email, std::string_view password) {
  return json::serialize(json::object{{"email", email}, {"password", password}});
}

std::string sign_in_body(std::uint64_t trial, std::uint32_t user) {
  return sign_in_body(email_of(trial, user), user_password);
}

// What reading JSON calls the operator's mistake is the server's, in an answer.
Result<std::string> token_in(std::string_view answer, const std::string& subject) {
  const auto wrong = [](const Error& error) {
    return std::unexpected(Error{Errc::protocol, error.what});
  };
  const auto value = base::parse_json(answer, subject);
  if (!value) return wrong(value.error());
  const auto field = base::JsonView(*value, subject + ": ").at("token");
  if (!field) return wrong(field.error());
  const auto text = field->text();
  if (!text) return wrong(text.error());
  return std::string(*text);
}

}  // namespace flow::loadtest

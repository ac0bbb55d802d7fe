// Registering, signing in, and who there is.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "ecommerce/domain/entity_json.hpp"
#include "ecommerce/http/service.hpp"

namespace flow::ecommerce {
namespace {

constexpr std::string_view passwords_busy = "Too many sign-ins and registrations at once.";

Problem email_taken(const std::string& email) {
  return {.status = 409,
          .title = "Resource conflict",
          .detail = fmt::format("User with email '{}' already exists", email)};
}

Problem bad_credentials() {
  return {.title = "Authentication Failed",
          .detail = "Bad credentials",
          .description = "Incorrect username or password."};
}

}  // namespace

net::Task<ShopService::Response> ShopService::register_user(Call call) {
  auto request = read_register(call.request.body);
  if (!request) co_return invalid(call, std::move(request.error()));
  const base::Stamp stamp = stamp_of(call.request);

  auto existing = co_await parts_.store.user_by_email(request->email);
  if (!existing) co_return database_problem(call, existing.error());
  if (*existing) co_return problem(call, email_taken(request->email));
  auto hash = co_await parts_.passwords.hash(request->password);
  if (!hash) co_return busy(call, passwords_busy);

  auto place = parts_.events.reserve(EventName::user_register, {}, stamp);
  if (!place) co_return queue_full(call);
  const std::string email = request->email;
  auto user = co_await parts_.store.insert_user(std::move(*request), std::move(*hash));
  if (!user) co_return database_problem(call, user.error());
  if (!*user) co_return problem(call, email_taken(email));

  std::string json = to_json(**user);
  Response response = json_response(200, "{\"user\":" + json + "}");
  Event event = make_event(EventName::user_register, (*user)->id, std::move(json), stamp);
  co_return co_await publish(std::move(call), std::move(*place), std::move(event),
                             std::move(response));
}

net::Task<ShopService::Response> ShopService::sign_in(Call call) {
  auto request = read_signin(call.request.body);
  if (!request) co_return invalid(call, std::move(request.error()));
  auto user = co_await parts_.store.user_for_signin(request->email);
  if (!user) co_return database_problem(call, user.error());
  // An unknown user costs as much time as a wrong password.
  std::string hash = *user ? (*user)->password_hash : std::string();
  auto matches = co_await parts_.passwords.matches(std::move(request->password), std::move(hash));
  if (!matches) co_return busy(call, passwords_busy);
  if (!*matches) co_return unauthorized(call, bad_credentials());

  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const std::string token = parts_.tokens.sign(
      (*user)->email, std::chrono::duration_cast<std::chrono::seconds>(now).count());
  const auto life = std::chrono::milliseconds(TokenSigner::life).count();
  co_return json_response(200, fmt::format("{{\"token\":\"{}\",\"expiresIn\":{}}}", token, life));
}

net::Task<ShopService::Response> ShopService::list_users(Call call) {
  auto users = co_await parts_.store.users();
  if (!users) co_return database_problem(call, users.error());
  std::string json = "[";
  for (const User& user : *users) {
    if (json.size() > 1) json += ',';
    append_json(json, user);
  }
  json += ']';
  co_return json_response(200, std::move(json));
}

}  // namespace flow::ecommerce

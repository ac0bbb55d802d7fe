// SPDX-License-Identifier: Apache-2.0
#include "ecommerce/http/service.hpp"

#include <algorithm>
#include <ctime>
#include <random>

#include <fmt/format.h>

#include "ecommerce/domain/entity_json.hpp"
#include "ecommerce/http/negotiation.hpp"

namespace flow::ecommerce {
namespace {

using net::HttpRequest;
using net::HttpResponse;

constexpr std::string_view acceptable = "application/json, application/*+json";

std::int64_t unix_millis() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::string utc_text(std::int64_t unix_s) {
  const auto at = static_cast<std::time_t>(unix_s);
  std::tm parts{};
  if (gmtime_r(&at, &parts) == nullptr) return "?";
  char text[40];
  return {text, std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

// The token of "Bearer <token>"; the scheme's case counts. Empty: none.
std::string_view bearer_of(const HttpRequest& request) {
  constexpr std::string_view scheme = "Bearer ";
  std::string_view value = request.headers.get("Authorization");
  if (!value.starts_with(scheme)) return {};
  value.remove_prefix(scheme.size());
  while (value.starts_with(' ')) value.remove_prefix(1);
  return value;
}

Problem describe(const TokenRefusal& refusal, std::int64_t now_ms) {
  switch (refusal.fault) {
    case TokenFault::wrong_signature:
      return {.title = "Invalid Token Signature",
              .detail =
                  "JWT signature does not match locally computed signature. JWT validity "
                  "cannot be asserted and should not be trusted.",
              .description = "The provided token signature is invalid."};
    case TokenFault::expired:
      return {.title = "Token Expired",
              .detail = fmt::format(
                  "JWT expired at {}. Current time: {}, a difference of {} milliseconds.  Allowed "
                  "clock skew: 0 milliseconds.",
                  utc_text(refusal.expired_at_s), utc_text(now_ms / 1000),
                  now_ms - refusal.expired_at_s * 1000),
              .description = "The provided token has expired."};
    case TokenFault::malformed:
      break;
  }
  return {.title = "Invalid Token",
          .detail = "The token is malformed.",
          .description = "The provided token is invalid."};
}

// A constant for what metrics may name; a client must not make new label values.
std::string_view known_method(std::string_view method) {
  for (const std::string_view known :
       {"GET", "HEAD", "POST", "PATCH", "DELETE", "OPTIONS", "PUT"}) {
    if (method == known) return known;
  }
  return "OTHER";
}

HttpResponse not_found(const HttpRequest& request) {
  std::string_view path = request.path();
  std::string_view shown = path;
  if (shown.starts_with('/')) shown.remove_prefix(1);
  if (shown.ends_with('/')) shown.remove_suffix(1);
  HttpResponse response = problem_response(
      {.status = 404, .title = "Not Found", .detail = fmt::format("No static resource {}.", shown)},
      path);
  response.headers.add("Vary", "Origin");
  response.headers.add("Vary", "Access-Control-Request-Method");
  response.headers.add("Vary", "Access-Control-Request-Headers");
  return response;
}

HttpResponse bad_path(const HttpRequest& request) {
  return problem_response(
      {.status = 400,
       .title = "Bad Request",
       .detail = "Invalid request path.",
       .errors = {{"path", "must not contain broken escapes or escaped separators"}}},
      request.path());
}

std::string ascii_only(std::string text) {
  std::ranges::replace_if(
      text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c > 0x7e || c < 0; }, '?');
  return text;
}

bool has_id(Resource resource) {
  return uri_template(resource).find('{') != std::string_view::npos;
}

bool is_public(Resource resource) {
  return resource == Resource::auth_register || resource == Resource::auth_signin;
}

bool takes_body(const HttpRequest& request, Resource resource) {
  switch (resource) {
    case Resource::order_payment:
      return false;
    case Resource::product:
      return request.method == "PATCH";
    default:
      return request.method == "POST" || request.method == "DELETE";
  }
}

bool answers_with_body(const HttpRequest& request) { return request.method != "DELETE"; }

HttpResponse options_response(Resource resource) {
  HttpResponse response = empty_response(200);
  std::string allow;
  for (const char c : allowed_methods(resource)) {
    if (c != ' ') allow += c;
  }
  if (const auto get = allow.find("GET"); get != std::string::npos) allow.insert(get + 3, ",HEAD");
  response.headers.add("Allow", allow + ",OPTIONS");
  response.headers.add("Accept-Patch", "");
  return response;
}

}  // namespace

ShopService::ShopService(Parts parts, Options options)
    : parts_(std::move(parts)), options_(std::move(options)) {
  std::random_device device;
  fresh_trial_ = (std::uint64_t{device()} << 32 | device()) | 1;
}

HttpResponse ShopService::violation(net::HttpViolation violation) {
  std::string_view title = "Bad Request";
  switch (violation.status) {
    case 408:
      title = "Request Timeout";
      break;
    case 413:
      title = "Content Too Large";
      break;
    case 414:
      title = "URI Too Long";
      break;
    case 431:
      title = "Request Header Fields Too Large";
      break;
    case 505:
      title = "HTTP Version Not Supported";
      break;
    default:
      break;
  }
  std::vector<FieldError> errors;
  if (violation.status == 400) errors.push_back({"request", std::string(violation.reason)});
  HttpResponse response = problem_response({.status = violation.status,
                                            .title = title,
                                            .detail = std::string(violation.reason),
                                            .errors = std::move(errors)},
                                           "");
  add_security_headers(response);
  return response;
}

net::Task<HttpResponse> ShopService::handle(HttpRequest request) {
  ++running_;
  const base::TimePoint started = base::now();
  Call call;
  call.route = match_route(request.path());
  call.request = std::move(request);
  const Resource resource = call.route.resource;
  const std::string_view method = known_method(call.request.method);
  const std::string origin = options_.cors_origins.empty()
                                 ? std::string()
                                 : std::string(call.request.headers.get("Origin"));
  HttpResponse response = co_await answer(std::move(call));
  add_security_headers(response);
  if (!origin.empty()) add_cors(origin, response);
  RequestObservation observation;
  observation.method = method;
  observation.uri = uri_template(resource);
  observation.status = static_cast<std::uint16_t>(response.status);
  observation.answered = base::now();
  observation.service = observation.answered - started;
  parts_.observed(observation);
  --running_;
  co_return response;
}

net::Task<HttpResponse> ShopService::answer(Call call) {
  switch (defect_of(call.request.path())) {
    case PathDefect::ambiguous:
      co_return empty_response(403);
    case PathDefect::bad_escape:
      co_return bad_path(call.request);
    case PathDefect::none:
      break;
  }
  if (auto cors = preflight(call)) co_return std::move(*cors);
  if (auto refused = check_token(call)) co_return std::move(*refused);
  if (reads_with_its_user(call)) co_return co_await dispatch(std::move(call));
  if (!call.email.empty()) {
    auto user = co_await parts_.store.user_by_email(call.email);
    if (!user) co_return database_problem(call, user.error());
    if (!*user) co_return unknown_user(call);
    call.user = std::move(*user);
  }
  if (auto refused = check_route(call)) co_return std::move(*refused);
  if (call.request.method == "OPTIONS") co_return options_response(call.route.resource);
  if (auto refused = check_role(call)) co_return std::move(*refused);
  if (auto refused = check_body(call)) co_return std::move(*refused);
  co_return co_await dispatch(std::move(call));
}

// A token that is sent is checked, on public routes too; elsewhere one must be sent.
std::optional<HttpResponse> ShopService::check_token(Call& call) {
  const std::string_view token = bearer_of(call.request);
  if (token.empty()) {
    if (is_public(call.route.resource)) return std::nullopt;
    return unauthorized(call, {.title = "Unauthorized",
                               .detail = "This resource needs a bearer token.",
                               .description = "No token was provided."});
  }
  const std::int64_t now_ms = unix_millis();
  auto subject = parts_.tokens.verify(token, now_ms / 1000);
  if (!subject) return unauthorized(call, describe(subject.error(), now_ms));
  if (subject->empty()) return unknown_user(call);
  call.email = std::move(*subject);
  return std::nullopt;
}

// Reads whose route needs no further check: their handlers look the user up in the same round trip.
bool ShopService::reads_with_its_user(Call& call) {
  if (!call.is_read() || !accepts_json(call.request.headers.get("Accept"))) return false;
  switch (call.route.resource) {
    case Resource::products:
      return true;
    case Resource::product:
    case Resource::order:
    case Resource::orders_of_user: {
      const auto id = parse_id(call.route.id);
      call.id = id.value_or(0);
      return id.has_value();
    }
    default:
      return false;
  }
}

std::optional<HttpResponse> ShopService::check_route(Call& call) {
  const Resource resource = call.route.resource;
  const std::string& method = call.request.method;
  if (resource == Resource::none) return not_found(call.request);
  if (method == "OPTIONS") return std::nullopt;
  if (!is_allowed(resource, method)) {
    HttpResponse response =
        problem(call, {.status = 405,
                       .title = "Method Not Allowed",
                       .detail = fmt::format("Method '{}' is not supported.", ascii_only(method))});
    response.headers.add("Allow", allowed_methods(resource));
    return response;
  }
  if (has_id(resource)) {
    const auto id = parse_id(call.route.id);
    if (!id) {
      return problem(
          call, {.status = 400,
                 .title = "Bad Request",
                 .detail = fmt::format("Failed to convert '{}' with value: '{}'", id_name(resource),
                                       ascii_only(call.route.id)),
                 .errors = {{std::string(id_name(resource)), "must be a 64-bit whole number"}}});
    }
    call.id = *id;
  }
  if (answers_with_body(call.request) && !accepts_json(call.request.headers.get("Accept"))) {
    return problem(call, {.status = 406,
                          .title = "Not Acceptable",
                          .detail = fmt::format("Acceptable representations: [{}].", acceptable)});
  }
  return std::nullopt;
}

std::optional<HttpResponse> ShopService::check_role(const Call& call) {
  const Resource resource = call.route.resource;
  const bool edits_products =
      !call.is_read() && (resource == Resource::products || resource == Resource::product);
  const bool needs_admin = edits_products || resource == Resource::users;
  if (!needs_admin || (call.user && call.user->is_admin)) return std::nullopt;
  return problem(call, {.status = 403,
                        .title = "Access Denied",
                        .detail = "This needs an administrator.",
                        .description = "You are not authorized to access this resource."});
}

std::optional<HttpResponse> ShopService::check_body(const Call& call) {
  if (!takes_body(call.request, call.route.resource)) return std::nullopt;
  std::string_view type = call.request.headers.get("Content-Type");
  if (is_json_type(type)) return std::nullopt;
  if (type.empty()) {
    if (call.request.body.empty()) return std::nullopt;  // Read as JSON: it ends too early.
    type = "application/octet-stream";
  }
  HttpResponse response =
      problem(call, {.status = 415,
                     .title = "Unsupported Media Type",
                     .detail = fmt::format("Content-Type '{}' is not supported.",
                                           ascii_only(std::string(type)))});
  response.headers.add("Accept", acceptable);
  return response;
}

net::Task<HttpResponse> ShopService::dispatch(Call call) {
  const bool is_read = call.is_read();
  switch (call.route.resource) {
    case Resource::auth_register:
      co_return co_await register_user(std::move(call));
    case Resource::auth_signin:
      co_return co_await sign_in(std::move(call));
    case Resource::users_me:
      co_return json_response(200, to_json(*call.user));
    case Resource::users:
      co_return co_await list_users(std::move(call));
    case Resource::products:
      if (is_read) co_return co_await list_products(std::move(call));
      co_return co_await create_product(std::move(call));
    case Resource::product:
      if (is_read) co_return co_await view_product(std::move(call));
      if (call.request.method == "PATCH") co_return co_await patch_product(std::move(call));
      co_return co_await delete_product(std::move(call));
    case Resource::orders:
      co_return co_await place_order(std::move(call));
    case Resource::order:
      if (is_read) co_return co_await view_order(std::move(call));
      co_return co_await cancel_order(std::move(call));
    case Resource::orders_of_user:
      co_return co_await list_orders(std::move(call));
    case Resource::order_payment:
      co_return co_await pay_order(std::move(call));
    case Resource::none:
      break;
  }
  co_return not_found(call.request);
}

bool ShopService::is_origin_allowed(const std::string& origin) const {
  return std::ranges::any_of(options_.cors_origins, [&](const std::string& allowed) {
    return allowed == "*" || allowed == origin;
  });
}

std::optional<HttpResponse> ShopService::preflight(const Call& call) const {
  const HttpRequest& request = call.request;
  const bool is_preflight = !options_.cors_origins.empty() && request.method == "OPTIONS" &&
                            request.headers.has("Origin") &&
                            request.headers.has("Access-Control-Request-Method");
  if (!is_preflight) return std::nullopt;
  if (!is_origin_allowed(std::string(request.headers.get("Origin")))) {
    return problem(call, {.status = 403, .title = "Forbidden", .detail = "Invalid CORS request"});
  }
  HttpResponse response = empty_response(200);
  response.headers.add("Access-Control-Allow-Methods", "GET,HEAD,POST,PATCH,DELETE");
  response.headers.add("Access-Control-Allow-Headers",
                       "Authorization, Content-Type, traceparent, tracestate");
  response.headers.add("Access-Control-Max-Age", "1800");
  return response;
}

void ShopService::add_cors(const std::string& origin, HttpResponse& response) const {
  response.headers.add("Vary", "Origin");
  if (is_origin_allowed(origin)) response.headers.add("Access-Control-Allow-Origin", origin);
}

}  // namespace flow::ecommerce

// SPDX-License-Identifier: Apache-2.0
#include "ecommerce/http/route.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace flow::ecommerce {
namespace {

constexpr std::string_view prefix = "/api/v1/";

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// nullopt: a broken escape.
std::optional<unsigned char> escape_at(std::string_view text, std::size_t percent) {
  if (percent + 2 >= text.size()) return std::nullopt;
  const int high = hex_digit(text[percent + 1]);
  const int low = hex_digit(text[percent + 2]);
  if (high < 0 || low < 0) return std::nullopt;
  return static_cast<unsigned char>(high << 4 | low);
}

std::string decode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto escaped = text[i] == '%' ? escape_at(text, i) : std::nullopt;
    out += escaped ? static_cast<char>(*escaped) : text[i];
    if (escaped) i += 2;
  }
  return out;
}

// At most four segments; `count` is 5 when there are more.
struct Segments {
  std::array<std::string, 4> all;
  std::size_t count = 0;
};

Segments split(std::string_view path) {
  Segments segments;
  if (path.ends_with('/')) path.remove_suffix(1);
  while (true) {
    const std::size_t slash = path.find('/');
    if (segments.count == segments.all.size()) {
      ++segments.count;
      return segments;
    }
    segments.all[segments.count++] = decode(path.substr(0, slash));
    if (slash == std::string_view::npos) return segments;
    path.remove_prefix(slash + 1);
  }
}

Route match_orders(Segments& segments) {
  auto& [room, first, second, rest] = segments.all;
  if (segments.count == 1) return {Resource::orders, {}};
  if (segments.count == 2) return {Resource::order, std::move(first)};
  if (segments.count != 3) return {};
  if (first == "user") return {Resource::orders_of_user, std::move(second)};
  if (second == "pay") return {Resource::order_payment, std::move(first)};
  return {};
}

struct Facts {
  std::string_view allowed;
  std::string_view uri;
};

constexpr std::array<Facts, 11> facts = {{
    {"", "/**"},
    {"POST", "/api/v1/auth/register"},
    {"POST", "/api/v1/auth/signin"},
    {"GET", "/api/v1/users/me"},
    {"GET", "/api/v1/users/"},
    {"GET, POST", "/api/v1/products"},
    {"GET, PATCH, DELETE", "/api/v1/products/{id}"},
    {"POST", "/api/v1/orders"},
    {"GET, DELETE", "/api/v1/orders/{id}"},
    {"GET", "/api/v1/orders/user/{userId}"},
    {"POST", "/api/v1/orders/{id}/pay"},
}};

const Facts& facts_of(Resource resource) { return facts[static_cast<std::size_t>(resource)]; }

}  // namespace

Route match_route(std::string_view path) {
  if (!path.starts_with(prefix)) return {};
  Segments segments = split(path.substr(prefix.size()));
  auto& [room, first, second, rest] = segments.all;
  if (room == "products") {
    if (segments.count == 1) return {Resource::products, {}};
    if (segments.count == 2) return {Resource::product, std::move(first)};
    return {};
  }
  if (room == "orders") return match_orders(segments);
  if (room == "users") {
    if (segments.count == 1) return {Resource::users, {}};
    if (segments.count == 2 && first == "me") return {Resource::users_me, {}};
    return {};
  }
  if (room == "auth" && segments.count == 2) {
    if (first == "register") return {Resource::auth_register, {}};
    if (first == "signin") return {Resource::auth_signin, {}};
  }
  return {};
}

std::string_view allowed_methods(Resource resource) { return facts_of(resource).allowed; }

bool is_allowed(Resource resource, std::string_view method) {
  const std::string_view wanted = method == "HEAD" ? "GET" : method;
  std::string_view list = allowed_methods(resource);
  while (!list.empty()) {
    const std::size_t comma = list.find(", ");
    if (list.substr(0, comma) == wanted) return true;
    if (comma == std::string_view::npos) return false;
    list.remove_prefix(comma + 2);
  }
  return false;
}

std::string_view uri_template(Resource resource) { return facts_of(resource).uri; }

std::string_view id_name(Resource resource) {
  return resource == Resource::orders_of_user ? "userId" : "id";
}

PathDefect defect_of(std::string_view path) {
  if (path.find("//") != std::string_view::npos || path.find(';') != std::string_view::npos) {
    return PathDefect::ambiguous;
  }
  for (std::size_t at = path.find('%'); at != std::string_view::npos; at = path.find('%', at + 1)) {
    const auto escaped = escape_at(path, at);
    // An escaped slash, backslash, semicolon, percent sign or control character hides structure.
    if (!escaped || *escaped < 0x20 || *escaped == 0x7f || *escaped == '/' || *escaped == '\\' ||
        *escaped == ';' || *escaped == '%') {
      return PathDefect::bad_escape;
    }
  }
  return PathDefect::none;
}

std::optional<Id> parse_id(std::string_view sent) {
  std::string text(sent);
  std::erase_if(text, [](char c) { return c == ' ' || (c >= '\t' && c <= '\r'); });
  std::string_view digits = text;
  const bool negative = digits.starts_with('-');
  if (negative || digits.starts_with('+')) digits.remove_prefix(1);
  int base = 10;
  if (digits.starts_with("0x") || digits.starts_with("0X")) {
    base = 16;
    digits.remove_prefix(2);
  } else if (digits.starts_with('#')) {
    base = 16;
    digits.remove_prefix(1);
  }
  if (digits.empty() || digits.front() == '-') return std::nullopt;
  std::uint64_t magnitude = 0;
  const char* const end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, magnitude, base);
  if (error != std::errc{} || stop != end) return std::nullopt;
  const std::uint64_t limit = std::uint64_t{INT64_MAX} + (negative ? 1 : 0);
  if (magnitude > limit) return std::nullopt;
  return static_cast<Id>(negative ? 0 - magnitude : magnitude);
}

}  // namespace flow::ecommerce

// From a path to what it names, without regular expressions: a few comparisons of segments.
// Thread: any; pure functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "ecommerce/domain/entities.hpp"

namespace flow::ecommerce {

enum class Resource : std::uint8_t {
  none,  // Nothing is served there.
  auth_register,
  auth_signin,
  users_me,
  users,
  products,
  product,
  orders,
  order,
  orders_of_user,
  order_payment,
};

struct Route {
  Resource resource = Resource::none;
  std::string id;  // The variable segment, percent-decoded.
};

// `path` without the query. One trailing slash more or less makes no difference.
Route match_route(std::string_view path);

// "GET, POST": what the resource answers to, as the Allow header lists it. HEAD goes with GET.
std::string_view allowed_methods(Resource resource);
bool is_allowed(Resource resource, std::string_view method);

// "/api/v1/products/{id}", as metrics name it.
std::string_view uri_template(Resource resource);
// "id", or "userId".
std::string_view id_name(Resource resource);

// A path that could mean two things to two programs on the way is not served at all.
enum class PathDefect : std::uint8_t { none, ambiguous, bad_escape };
PathDefect defect_of(std::string_view path);

// A 64-bit number in decimal, with a sign, or in hexadecimal ("0x1", "#1"); spaces are ignored.
std::optional<Id> parse_id(std::string_view text);

}  // namespace flow::ecommerce

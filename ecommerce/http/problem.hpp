// Problem documents (RFC 9457) and the other answers that every part of the shop's HTTP face makes.
// Thread: any; pure functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ecommerce/domain/entities.hpp"
#include "ecommerce/domain/requests.hpp"
#include "net/http.hpp"

namespace flow::ecommerce {

struct Problem {
  int status = 500;
  std::string_view title;
  std::string detail;
  std::string_view description = {};    // Left out when empty.
  std::vector<FieldError> errors = {};  // Left out when empty.
};

// 404 for an entity ("Product", "Order") that is not there, or not the caller's to see.
Problem entity_not_found(std::string_view entity, Id id);

// `instance`: the request's path without its query, as sent.
net::HttpResponse problem_response(const Problem& problem, std::string_view instance);

net::HttpResponse json_response(int status, std::string body);
net::HttpResponse empty_response(int status);

// The headers that every answer of the service port carries.
void add_security_headers(net::HttpResponse& response);

}  // namespace flow::ecommerce

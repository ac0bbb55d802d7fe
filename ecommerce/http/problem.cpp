// SPDX-License-Identifier: Apache-2.0
#include "ecommerce/http/problem.hpp"

#include <fmt/format.h>

#include "ecommerce/domain/entity_json.hpp"

namespace flow::ecommerce {
namespace {

// A path is ASCII in a well-formed request; what is not is shown percent-encoded.
std::string printable(std::string_view path) {
  std::string text;
  text.reserve(path.size());
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f) {
      text += c;
    } else {
      text += fmt::format("%{:02X}", byte);
    }
  }
  return text;
}

void append_member(std::string& out, std::string_view name, std::string_view value) {
  append_json_text(out, name);
  out += ':';
  append_json_text(out, value);
}

}  // namespace

Problem entity_not_found(std::string_view entity, Id id) {
  return {.status = 404,
          .title = "Resource not found",
          .detail = fmt::format("{} not found with ID: {}", entity, id)};
}

net::HttpResponse problem_response(const Problem& problem, std::string_view instance) {
  net::HttpResponse response;
  response.status = problem.status;
  response.headers.add("Content-Type", "application/problem+json");
  std::string& out = response.body;
  out = R"({"type":"about:blank",)";
  append_member(out, "title", problem.title);
  out += fmt::format(",\"status\":{},", problem.status);
  append_member(out, "detail", problem.detail);
  out += ',';
  append_member(out, "instance", printable(instance));
  if (!problem.description.empty()) {
    out += ',';
    append_member(out, "description", problem.description);
  }
  for (const FieldError& error : problem.errors) {
    out += &error == &problem.errors.front() ? ",\"errors\":[{" : ",{";
    append_member(out, "field", error.field);
    out += ',';
    append_member(out, "message", error.message);
    out += '}';
  }
  if (!problem.errors.empty()) out += ']';
  out += '}';
  return response;
}

net::HttpResponse json_response(int status, std::string body) {
  net::HttpResponse response;
  response.status = status;
  response.headers.add("Content-Type", "application/json");
  response.body = std::move(body);
  return response;
}

net::HttpResponse empty_response(int status) {
  net::HttpResponse response;
  response.status = status;
  return response;
}

void add_security_headers(net::HttpResponse& response) {
  auto& headers = response.headers;
  headers.add("X-Content-Type-Options", "nosniff");
  headers.add("X-XSS-Protection", "0");
  headers.add("Cache-Control", "no-cache, no-store, max-age=0, must-revalidate");
  headers.add("Pragma", "no-cache");
  headers.add("Expires", "0");
  headers.add("X-Frame-Options", "DENY");
}

}  // namespace flow::ecommerce

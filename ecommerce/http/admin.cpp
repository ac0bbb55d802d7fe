// SPDX-License-Identifier: Apache-2.0
#include "ecommerce/http/admin.hpp"

#include <filesystem>

#include <fmt/format.h>

#include "ecommerce/http/problem.hpp"

namespace flow::ecommerce {
namespace {

namespace json = base::json;

constexpr std::string_view actuator_type = "application/vnd.spring-boot.actuator.v3+json";

net::HttpResponse with_type(int status, std::string_view type, std::string body) {
  net::HttpResponse response;
  response.status = status;
  response.headers.add("Content-Type", type);
  response.body = std::move(body);
  return response;
}

net::HttpResponse links() {
  return with_type(200, actuator_type,
                   R"({"_links":{"self":{"href":"/actuator","templated":false},)"
                   R"("health":{"href":"/actuator/health","templated":false},)"
                   R"("prometheus":{"href":"/actuator/prometheus","templated":false}}})");
}

net::HttpResponse not_found(std::string_view path) {
  std::string_view shown = path;
  if (shown.starts_with('/')) shown.remove_prefix(1);
  return problem_response(
      {.status = 404, .title = "Not Found", .detail = fmt::format("No static resource {}.", shown)},
      path);
}

net::HttpResponse wrong_method(std::string_view path) {
  net::HttpResponse response = problem_response(
      {.status = 405, .title = "Method Not Allowed", .detail = "Only GET is supported here."},
      path);
  response.headers.add("Allow", "GET");
  return response;
}

}  // namespace

AdminService::AdminService(std::vector<Check> checks, std::function<std::string()> metrics)
    : checks_(std::move(checks)), metrics_(std::move(metrics)) {}

net::Task<net::HttpResponse> AdminService::handle(net::HttpRequest request) {
  std::string_view path = request.path();
  if (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  const bool is_known =
      path == "/actuator" || path == "/actuator/health" || path == "/actuator/prometheus";
  if (!is_known) co_return not_found(request.path());
  if (request.method != "GET" && request.method != "HEAD") co_return wrong_method(request.path());
  if (path == "/actuator/prometheus") {
    co_return with_type(200, "text/plain;version=0.0.4;charset=utf-8", metrics_());
  }
  if (path == "/actuator") co_return links();
  net::HttpResponse response = co_await health();
  co_return response;
}

net::Task<net::HttpResponse> AdminService::health() {
  json::object components;
  bool is_up = true;
  for (const Check& check : checks_) {
    ComponentHealth component = co_await check.run();
    is_up = is_up && component.is_up;
    json::object entry;
    entry["status"] = component.is_up ? "UP" : "DOWN";
    if (!component.details.empty()) entry["details"] = std::move(component.details);
    components[check.name] = std::move(entry);
  }
  json::object body;
  body["status"] = is_up ? "UP" : "DOWN";
  body["components"] = std::move(components);
  co_return with_type(is_up ? 200 : 503, actuator_type, json::serialize(body));
}

ComponentHealth disk_health() {
  constexpr std::uint64_t threshold = 10 * 1024 * 1024;
  std::error_code error;
  const auto space = std::filesystem::space(".", error);
  ComponentHealth health;
  health.is_up = !error && space.available >= threshold;
  health.details["total"] = error ? 0 : space.capacity;
  health.details["free"] = error ? 0 : space.available;
  health.details["threshold"] = threshold;
  return health;
}

}  // namespace flow::ecommerce

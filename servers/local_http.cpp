// SPDX-License-Identifier: Apache-2.0
#include "servers/local_http.hpp"

#include "servers/ports.hpp"

namespace flow::servers {

using base::Errc;
using base::fail;
using base::Result;

net::HttpUrl local_url(std::uint16_t port) {
  net::HttpUrl url;
  url.host = "127.0.0.1";
  url.port = port;
  return url;
}

Result<net::HttpResponse> http_get(std::uint16_t port, const std::string& target,
                                   base::Nanos within) {
  net::HttpRequest request;
  request.method = "GET";
  request.target = target;
  return net::http_request_blocking(local_url(port), std::move(request), base::now() + within);
}

Result<base::json::object> http_get_object(std::uint16_t port, const std::string& target) {
  auto answer = http_get(port, target, std::chrono::seconds(10));
  if (!answer) return std::unexpected(answer.error());
  if (answer->status != 200) {
    return fail(Errc::io, "http://127.0.0.1:{}{}: status {}", port, target, answer->status);
  }
  auto value = base::parse_json(answer->body, target);
  if (!value) return std::unexpected(value.error());
  if (!value->is_object()) return fail(Errc::protocol, "{}: expected a JSON object", target);
  return std::move(value->as_object());
}

bool HttpProbe::is_good() {
  if (!answer_.valid()) {
    if (!accepts_connections(port_)) return false;
    answer_ = std::async(std::launch::async, [port = port_, target = target_] {
      const auto answer = http_get(port, target, std::chrono::seconds(10));
      return answer && answer->status == 200;
    });
  }
  if (answer_.wait_for(std::chrono::seconds(0)) != std::future_status::ready) return false;
  return answer_.get();  // And another one the next time.
}

}  // namespace flow::servers

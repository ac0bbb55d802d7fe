// SPDX-License-Identifier: Apache-2.0
#include "net/http_client.hpp"

#include <optional>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

namespace flow::net {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;
using tcp = asio::ip::tcp;
using base::Errc;
using base::fail;
using base::Result;

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
constexpr std::uint64_t body_bytes_max = 64ULL * 1024 * 1024;

std::unexpected<base::Error> failed(const HttpUrl& url, std::string_view step,
                                    const beast::error_code& error) {
  const bool is_late = error == beast::error::timeout;
  return fail(is_late ? Errc::timed_out : Errc::io, "http://{}{}: {}: {}", url.authority(),
              url.path, step, is_late ? "timed out" : error.message());
}

http::request<http::string_body> to_message(const HttpUrl& url, HttpRequest&& request) {
  http::request<http::string_body> message;
  message.version(11);
  message.method_string(request.method.empty() ? "GET" : request.method);
  const std::string target = url.path + request.target;
  message.target(target.empty() ? "/" : target);
  message.set(http::field::host, url.authority());
  for (const auto& [name, value] : request.headers) message.insert(name, value);
  message.body() = std::move(request.body);
  message.prepare_payload();
  message.keep_alive(false);
  return message;
}

HttpResponse to_response(http::response<http::string_body>&& message) {
  HttpResponse response;
  response.status = static_cast<int>(message.result_int());
  for (const auto& field : message) response.headers.add(field.name_string(), field.value());
  response.body = std::move(message.body());
  return response;
}

}  // namespace

Task<Result<HttpResponse>> http_request(HttpUrl url, HttpRequest request,
                                        base::TimePoint deadline) {
  const auto executor = co_await asio::this_coro::executor;
  tcp::resolver resolver(executor);
  // Names resolve on a thread of Asio's; an address, the usual case, does not wait.
  auto [resolve_error, endpoints] =
      co_await resolver.async_resolve(url.host, std::to_string(url.port), as_result);
  if (resolve_error) co_return failed(url, "resolve", resolve_error);
  beast::tcp_stream stream(executor);
  stream.expires_at(deadline);
  auto [connect_error, endpoint] = co_await stream.async_connect(endpoints, as_result);
  if (connect_error) co_return failed(url, "connect", connect_error);
  const bool is_head = request.method == "HEAD";
  const auto message = to_message(url, std::move(request));
  auto [write_error, written] = co_await http::async_write(stream, message, as_result);
  if (write_error) co_return failed(url, "send", write_error);
  beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  parser.body_limit(body_bytes_max);
  parser.skip(is_head);
  auto [read_error, read] = co_await http::async_read(stream, buffer, parser, as_result);
  if (read_error) co_return failed(url, "answer", read_error);
  beast::error_code ignored;
  stream.socket().shutdown(tcp::socket::shutdown_both, ignored);
  co_return to_response(parser.release());
}

Result<HttpResponse> http_request_blocking(const HttpUrl& url, HttpRequest request,
                                           base::TimePoint deadline) {
  asio::io_context context{1};
  std::optional<Result<HttpResponse>> result;
  asio::co_spawn(context, http_request(url, std::move(request), deadline),
                 [&](std::exception_ptr error, Result<HttpResponse> response) {
                   Abort{}(error);
                   result = std::move(response);
                 });
  context.run();
  FLOW_CHECK(result.has_value());
  return std::move(*result);
}

}  // namespace flow::net

// SPDX-License-Identifier: Apache-2.0
#include "net/http_client.hpp"

#include <cerrno>
#include <deque>
#include <optional>
#include <vector>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <sys/socket.h>

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

Errc code_of(const beast::error_code& error) {
  if (error == beast::error::timeout) return Errc::timed_out;
  if (error == asio::error::operation_aborted) return Errc::cancelled;
  const bool is_cut_off =
      error == http::error::end_of_stream || error == http::error::partial_message;
  const bool is_http = error.category() == http::make_error_code(http::error{}).category();
  return is_http && !is_cut_off ? Errc::protocol : Errc::io;
}

std::unexpected<base::Error> failed(const HttpUrl& url, std::string_view step,
                                    const beast::error_code& error) {
  const Errc code = code_of(error);
  return fail(code, "http://{}{}: {}: {}", url.authority(), url.path, step,
              code == Errc::timed_out ? "timed out" : error.message());
}

using Message = http::request<http::string_body>;

Message to_message(const HttpUrl& url, HttpRequest&& request, bool is_last) {
  Message message;
  message.version(11);
  message.method_string(request.method.empty() ? "GET" : request.method);
  const std::string target = url.path + request.target;
  message.target(target.empty() ? "/" : target);
  message.set(http::field::host, url.authority());
  for (const auto& [name, value] : request.headers) message.insert(name, value);
  message.body() = std::move(request.body);
  message.prepare_payload();
  message.keep_alive(!is_last);
  return message;
}

HttpResponse to_response(http::response<http::string_body>&& message) {
  HttpResponse response;
  response.status = static_cast<int>(message.result_int());
  for (const auto& field : message) response.headers.add(field.name_string(), field.value());
  response.body = std::move(message.body());
  return response;
}

// Names resolve on a thread of Asio's; an address, the usual case, does not wait.
Task<Result<std::vector<tcp::endpoint>>> endpoints_of(HttpUrl url) {
  beast::error_code error;
  const auto address = asio::ip::make_address(url.host, error);
  if (!error) co_return std::vector{tcp::endpoint(address, url.port)};
  tcp::resolver resolver(co_await asio::this_coro::executor);
  auto [resolve_error, found] =
      co_await resolver.async_resolve(url.host, std::to_string(url.port), as_result);
  if (resolve_error) co_return failed(url, "resolve", resolve_error);
  std::vector<tcp::endpoint> endpoints;
  for (const auto& entry : found) endpoints.push_back(entry.endpoint());
  co_return endpoints;
}

// One TCP connection and what has been read from it beyond the last answer.
struct Connection {
  explicit Connection(const asio::any_io_executor& executor) : stream(executor) {}

  // Nothing to read means open: neither an end nor bytes that nobody asked for have arrived.
  bool is_quiet() {
    char byte;
    const auto got = ::recv(stream.socket().native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
  }

  beast::tcp_stream stream;
  beast::flat_buffer buffer;
  base::TimePoint idle_since;
};

using ConnectionPtr = std::unique_ptr<Connection>;

Task<Result<ConnectionPtr>> connect(HttpUrl url, base::TimePoint deadline) {
  const Result<std::vector<tcp::endpoint>> endpoints = co_await endpoints_of(url);
  if (!endpoints) co_return std::unexpected(endpoints.error());
  auto connection = std::make_unique<Connection>(co_await asio::this_coro::executor);
  connection->stream.expires_at(deadline);
  auto [error, endpoint] = co_await connection->stream.async_connect(*endpoints, as_result);
  if (error) co_return failed(url, "connect", error);
  beast::error_code ignored;
  connection->stream.socket().set_option(tcp::no_delay(true), ignored);
  co_return connection;
}

struct Exchanged {
  Result<HttpResponse> response;
  bool is_reusable = false;    // The connection can take another request.
  bool is_unanswered = false;  // The connection broke before a byte of an answer came.
};

// Pointers, because the caller keeps both: the message for a second attempt.
Task<Exchanged> exchange(Connection* connection, HttpUrl url, const Message* message,
                         base::TimePoint deadline) {
  connection->stream.expires_at(deadline);
  auto [write_error, written] = co_await http::async_write(connection->stream, *message, as_result);
  if (write_error) {
    co_return Exchanged{.response = failed(url, "send", write_error),
                        .is_unanswered = code_of(write_error) == Errc::io};
  }
  http::response_parser<http::string_body> parser;
  parser.body_limit(body_bytes_max);
  parser.skip(message->method() == http::verb::head);
  auto [read_error, read] =
      co_await http::async_read(connection->stream, connection->buffer, parser, as_result);
  if (read_error) {
    co_return Exchanged{.response = failed(url, "answer", read_error),
                        .is_unanswered = !parser.got_some() && code_of(read_error) == Errc::io};
  }
  connection->stream.expires_never();
  const bool is_reusable = parser.keep_alive() && connection->buffer.size() == 0;
  co_return Exchanged{.response = to_response(parser.release()), .is_reusable = is_reusable};
}

bool is_repeatable(const Message& message, const HttpClientOptions& options) {
  switch (message.method()) {
    case http::verb::get:
    case http::verb::head:
    case http::verb::put:
    case http::verb::delete_:
    case http::verb::options:
      return true;
    case http::verb::post:
      return options.posts_are_repeatable;
    default:
      return false;
  }
}

}  // namespace

// ------------------------------------------------------------------------------ one request

Task<Result<HttpResponse>> http_request(HttpUrl url, HttpRequest request,
                                        base::TimePoint deadline) {
  const Message message = to_message(url, std::move(request), true);
  const Result<ConnectionPtr> connection = co_await connect(url, deadline);
  if (!connection) co_return std::unexpected(connection.error());
  Exchanged exchanged = co_await exchange(connection->get(), url, &message, deadline);
  beast::error_code ignored;
  (*connection)->stream.socket().shutdown(tcp::socket::shutdown_both, ignored);
  co_return std::move(exchanged.response);
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

// ------------------------------------------------------------------------------ kept connections

// A request under way holds the pool, so that the client may go first.
struct HttpClient::Pool {
  struct Waiter;
  class Place;

  void give_back_place();
  ConnectionPtr take_idle();
  void keep(ConnectionPtr connection);

  static Task<Result<Place>> take_place(std::shared_ptr<Pool> pool, base::TimePoint deadline);
  static Task<Result<HttpResponse>> request(std::shared_ptr<Pool> pool, HttpRequest request,
                                            base::TimePoint deadline);

  HttpUrl server;
  HttpClientOptions options;
  std::size_t places_taken = 0;     // Requests that have a connection or make one.
  std::vector<ConnectionPtr> idle;  // The one used last is the last.
  std::deque<Waiter*> line;         // Of requests for which there is no place.
  bool is_closed = false;
};

// One of the `connections_max`; gives itself back, also when its coroutine is dropped.
class HttpClient::Pool::Place {
 public:
  explicit Place(std::shared_ptr<Pool> pool) : pool_(std::move(pool)) {}
  Place(Place&&) noexcept = default;
  Place& operator=(Place&&) = delete;
  ~Place() {
    if (pool_) pool_->give_back_place();
  }

 private:
  std::shared_ptr<Pool> pool_;
};

// Stands in the line until it is handed a place. Dropped, it leaves the line or passes the place
// on.
struct HttpClient::Pool::Waiter {
  Waiter(std::shared_ptr<Pool> of, const asio::any_io_executor& executor, base::TimePoint deadline)
      : pool(std::move(of)), timer(executor, deadline) {
    pool->line.push_back(this);
  }
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;
  ~Waiter() {
    if (has_place) {
      pool->give_back_place();
    } else {
      std::erase(pool->line, this);
    }
  }

  std::shared_ptr<Pool> pool;
  asio::steady_timer timer;
  bool has_place = false;
};

void HttpClient::Pool::give_back_place() {
  if (line.empty()) {
    --places_taken;
    return;
  }
  Waiter* next = line.front();
  line.pop_front();
  next->has_place = true;
  next->timer.cancel();
}

ConnectionPtr HttpClient::Pool::take_idle() {
  const base::TimePoint oldest = base::now() - options.idle_max;
  std::erase_if(idle, [&](const ConnectionPtr& each) { return each->idle_since < oldest; });
  while (!idle.empty()) {
    ConnectionPtr connection = std::move(idle.back());
    idle.pop_back();
    if (connection->is_quiet()) return connection;
  }
  return nullptr;
}

void HttpClient::Pool::keep(ConnectionPtr connection) {
  if (is_closed) return;
  connection->idle_since = base::now();
  idle.push_back(std::move(connection));
}

Task<Result<HttpClient::Pool::Place>> HttpClient::Pool::take_place(std::shared_ptr<Pool> pool,
                                                                   base::TimePoint deadline) {
  if (pool->places_taken < pool->options.connections_max) {
    ++pool->places_taken;
    co_return Place(pool);
  }
  if (pool->line.size() >= pool->options.waiting_max) {
    co_return fail(Errc::refused, "http://{}: {} requests wait for a connection already",
                   pool->server.authority(), pool->line.size());
  }
  Waiter waiter(pool, co_await asio::this_coro::executor, deadline);
  auto [error] = co_await waiter.timer.async_wait(as_result);
  if (std::exchange(waiter.has_place, false)) co_return Place(pool);
  // Handed nothing and not at its end: somebody cancelled the coroutine.
  if (error) co_return failed(pool->server, "wait for a connection", error);
  co_return fail(Errc::timed_out, "http://{}: none of {} connections became free in time",
                 pool->server.authority(), pool->options.connections_max);
}

Task<Result<HttpResponse>> HttpClient::Pool::request(std::shared_ptr<Pool> pool,
                                                     HttpRequest request,
                                                     base::TimePoint deadline) {
  const HttpUrl& server = pool->server;
  const Message message = to_message(server, std::move(request), false);
  const Result<Place> place = co_await take_place(pool, deadline);
  if (!place) co_return std::unexpected(place.error());
  if (ConnectionPtr kept = pool->take_idle()) {
    Exchanged exchanged = co_await exchange(kept.get(), server, &message, deadline);
    if (exchanged.is_reusable) pool->keep(std::move(kept));
    const bool is_stale = exchanged.is_unanswered && is_repeatable(message, pool->options);
    if (!is_stale) co_return std::move(exchanged.response);
  }
  Result<ConnectionPtr> fresh = co_await connect(server, deadline);
  if (!fresh) co_return std::unexpected(fresh.error());
  Exchanged exchanged = co_await exchange(fresh->get(), server, &message, deadline);
  if (exchanged.is_reusable) pool->keep(std::move(*fresh));
  co_return std::move(exchanged.response);
}

HttpClient::HttpClient(IoThread& io, HttpUrl server, HttpClientOptions options)
    : io_(io), pool_(std::make_shared<Pool>()) {
  FLOW_CHECK(options.connections_max > 0);
  pool_->server = std::move(server);
  pool_->options = options;
}

HttpClient::~HttpClient() {
  auto close = [pool = pool_] {
    pool->is_closed = true;
    pool->idle.clear();
  };
  if (io_.is_current()) {
    close();
  } else {
    io_.post(std::move(close));
  }
}

Task<Result<HttpResponse>> HttpClient::request(HttpRequest request, base::TimePoint deadline) {
  return Pool::request(pool_, std::move(request), deadline);
}

const HttpUrl& HttpClient::server() const { return pool_->server; }
std::size_t HttpClient::connections() const { return pool_->places_taken + pool_->idle.size(); }
std::size_t HttpClient::waiting() const { return pool_->line.size(); }

}  // namespace flow::net

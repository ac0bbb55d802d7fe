// SPDX-License-Identifier: Apache-2.0
#include "net/http_server.hpp"

#include <atomic>
#include <list>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include "net/http_stream.hpp"

namespace flow::net {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;
using tcp = asio::ip::tcp;
using base::Errc;
using base::fail;
using base::Result;

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
constexpr std::chrono::milliseconds sweep_interval{20};  // How late a deadline can be noticed.
constexpr std::chrono::seconds linger_time{1};  // For a client to take the answer to a bad request.

HttpViolation violation_of(const beast::error_code& error) {
  if (error == http::error::header_limit) return {431, "header fields too large"};
  if (error == http::error::body_limit) return {413, "body too large"};
  if (error == http::error::bad_version) return {505, "HTTP version not supported"};
  if (error == asio::error::timed_out) return {408, "request took too long"};
  return {400, "malformed HTTP request"};
}

HttpResponse plain_violation(HttpViolation violation) {
  HttpResponse response;
  response.status = violation.status;
  response.headers.add("Content-Type", "text/plain");
  response.body = std::string(violation.reason) + "\n";
  return response;
}

HttpRequest to_request(http::request<http::string_body>&& message) {
  HttpRequest request;
  request.method = std::string(message.method_string());
  request.target = std::string(message.target());
  for (const auto& field : message) {
    request.headers.add(field.name_string(), field.value());
  }
  request.body = std::move(message.body());
  return request;
}

http::response<http::string_body> to_message(HttpResponse&& response, unsigned version,
                                             bool keep_alive, bool is_head) {
  http::response<http::string_body> message;
  message.version(version);
  message.result(static_cast<unsigned>(response.status));
  for (const auto& [name, value] : response.headers) message.insert(name, value);
  const bool has_body = response.status >= 200 && response.status != 204 && response.status != 304;
  if (has_body) message.content_length(response.body.size());
  if (has_body && !is_head) message.body() = std::move(response.body);
  message.keep_alive(keep_alive);
  return message;
}

// The head of an answer whose length nobody knows: chunked, or for HTTP/1.0 until the connection
// ends.
http::response<http::empty_body> to_stream_head(const HttpResponse& response, unsigned version) {
  http::response<http::empty_body> message;
  message.version(version);
  message.result(static_cast<unsigned>(response.status));
  for (const auto& [name, value] : response.headers) message.insert(name, value);
  message.keep_alive(false);
  if (version >= 11) message.chunked(true);
  return message;
}

struct Detached {
  ~Detached() { stream.set_on_change({}); }
  HttpStream& stream;
};

std::string date_now() {
  const std::time_t at = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&at, &parts);
  char text[40];
  return {text, std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts)};
}

}  // namespace

class HttpServer::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(IoThread& io, HttpServerOptions options, Handler handler, ViolationHandler on_violation)
      : io_(io),
        options_(std::move(options)),
        handler_(std::move(handler)),
        on_violation_(on_violation ? std::move(on_violation) : plain_violation),
        acceptor_(io.context()) {}

  Result<void> listen();
  Task<void> accept_loop();
  Task<void> sweep_loop();
  Task<void> drain(base::TimePoint deadline);
  void close_all();

  // Whether close_all() still has something to close; answers true once.
  bool take_started() { return is_started_.exchange(false); }

  IoThread& io() { return io_; }
  std::uint16_t port() const { return port_; }
  const HttpServerOptions& options() const { return options_; }

 private:
  enum class Phase { idle, reading, handling, writing, streaming };

  struct Session {
    explicit Session(tcp::socket accepted) : socket(std::move(accepted)) {}

    void enter(Phase next, base::Nanos at_most) {
      phase = next;
      is_late = false;
      deadline = base::now() + at_most;
    }

    tcp::socket socket;
    beast::flat_buffer buffer;  // What follows the request that is being served.
    Phase phase = Phase::idle;
    bool is_late = false;  // The sweep cancelled what the socket was doing.
    base::TimePoint deadline = base::TimePoint::max();
    std::shared_ptr<HttpStream> stream;  // That is being sent.
  };
  using Request = http::request<http::string_body>;

  Task<void> serve(std::list<Session>::iterator session);
  Task<bool> serve_one(Session& session);
  Task<bool> wait_for_first_byte(Session& session);
  Task<beast::error_code> read_request(Session& session, Request& request);
  Task<bool> answer(Session& session, HttpResponse response, unsigned version, bool keep_alive,
                    bool is_head);
  Task<void> answer_with_stream(Session& session, HttpResponse response, unsigned version,
                                bool is_head);
  Task<void> send_pieces(Session& session, bool is_chunked);
  Task<bool> send_piece(Session& session, std::string piece, bool is_chunked);
  Task<bool> refuse(Session& session, beast::error_code error);
  const std::string& date();
  static void close(Session& session);

  IoThread& io_;
  HttpServerOptions options_;
  Handler handler_;
  ViolationHandler on_violation_;
  tcp::acceptor acceptor_;
  std::uint16_t port_ = 0;
  std::list<Session> sessions_;
  bool is_draining_ = false;
  std::atomic<bool> is_started_{false};
  std::string date_ = date_now();
  base::TimePoint date_until_{};
};

Result<void> HttpServer::Impl::listen() {
  beast::error_code error;
  const auto address = asio::ip::make_address(options_.address, error);
  if (error) {
    return fail(Errc::config, "address '{}': expected an IP address", options_.address);
  }
  const tcp::endpoint endpoint(address, options_.port);
  acceptor_.open(endpoint.protocol(), error);
  if (!error) acceptor_.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) acceptor_.bind(endpoint, error);
  if (!error) acceptor_.listen(4096, error);
  if (error) {
    return fail(Errc::io, "listen on {}:{}: {}", options_.address, options_.port, error.message());
  }
  port_ = acceptor_.local_endpoint().port();
  is_started_ = true;
  return {};
}

Task<void> HttpServer::Impl::accept_loop() {
  const auto self = shared_from_this();
  while (acceptor_.is_open()) {
    auto [error, socket] = co_await acceptor_.async_accept(as_result);
    if (!acceptor_.is_open()) co_return;
    if (error) {  // Out of descriptors, or the peer left: go on, but do not spin.
      co_await sleep_until(base::now() + std::chrono::milliseconds(10));
      continue;
    }
    if (sessions_.size() >= options_.connections_max) continue;  // Destroying it closes it.
    beast::error_code ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    sessions_.emplace_front(std::move(socket));
    asio::co_spawn(io_.context(), serve(sessions_.begin()), Abort{});
  }
}

// One pass over all sessions costs less than a timer per request, and cancels without closing, so
// that a late request can be told so. Ends with the last session after the acceptor is closed.
Task<void> HttpServer::Impl::sweep_loop() {
  const auto self = shared_from_this();
  while (acceptor_.is_open() || !sessions_.empty()) {
    const auto now = base::now();
    for (auto& session : sessions_) {
      if (now < session.deadline) continue;
      session.is_late = true;
      beast::error_code ignored;
      session.socket.cancel(ignored);
    }
    co_await sleep_until(now + sweep_interval);
  }
}

Task<void> HttpServer::Impl::serve(std::list<Session>::iterator session) {
  const auto self = shared_from_this();
  for (bool go_on = true; go_on;) go_on = co_await serve_one(*session);
  close(*session);
  sessions_.erase(session);
}

Task<bool> HttpServer::Impl::serve_one(Session& session) {
  const bool has_begun = co_await wait_for_first_byte(session);
  if (!has_begun) co_return false;
  session.enter(Phase::reading, options_.request_timeout);
  Request message;
  const beast::error_code error = co_await read_request(session, message);
  if (error) {
    const bool goes_on = co_await refuse(session, error);
    co_return goes_on;
  }
  const bool keep_alive = message.keep_alive();
  const unsigned version = message.version();
  const bool is_head = message.method() == http::verb::head;
  session.phase = Phase::handling;
  session.deadline = base::TimePoint::max();  // The handler has deadlines of its own.
  HttpRequest request = to_request(std::move(message));
  HttpResponse response = co_await handler_(std::move(request));
  if (response.stream) {
    co_await answer_with_stream(session, std::move(response), version, is_head);
    co_return false;
  }
  const bool stays = keep_alive && !response.close && !is_draining_;
  const bool sent = co_await answer(session, std::move(response), version, stays, is_head);
  co_return sent&& stays;
}

// Already true when the client sent the next request together with the last one.
Task<bool> HttpServer::Impl::wait_for_first_byte(Session& session) {
  if (session.buffer.size() > 0) co_return true;
  if (is_draining_) co_return false;
  session.enter(Phase::idle, options_.idle_timeout);
  auto [error, got] =
      co_await session.socket.async_read_some(session.buffer.prepare(4096), as_result);
  session.buffer.commit(error ? 0 : got);
  co_return !error;
}

Task<beast::error_code> HttpServer::Impl::read_request(Session& session, Request& request) {
  http::request_parser<http::string_body> parser;
  parser.header_limit(static_cast<std::uint32_t>(options_.header_bytes_max));
  parser.body_limit(options_.body_bytes_max);
  auto [error, header_bytes] =
      co_await http::async_read_header(session.socket, session.buffer, parser, as_result);
  if (!error && !parser.is_done() &&
      beast::iequals(parser.get()[http::field::expect], "100-continue")) {
    http::response<http::empty_body> go_ahead(http::status::continue_, 11);
    auto [write_error, written] = co_await http::async_write(session.socket, go_ahead, as_result);
    error = write_error;
  }
  if (!error && !parser.is_done()) {
    auto [body_error, body_bytes] =
        co_await http::async_read(session.socket, session.buffer, parser, as_result);
    error = body_error;
  }
  if (error == asio::error::operation_aborted && session.is_late) {
    co_return asio::error::timed_out;
  }
  if (error) co_return error;
  request = parser.release();
  // RFC 9112, 3.2: exactly one Host in a request of HTTP/1.1.
  if (request.version() == 11 && request.count(http::field::host) != 1) {
    co_return http::error::bad_field;
  }
  co_return beast::error_code{};
}

Task<bool> HttpServer::Impl::answer(Session& session, HttpResponse response, unsigned version,
                                    bool keep_alive, bool is_head) {
  auto message = to_message(std::move(response), version, keep_alive, is_head);
  message.set(http::field::date, date());
  session.enter(Phase::writing, options_.write_timeout);
  // A HEAD answer has the length of the body that GET would send, and no body.
  http::response_serializer<http::string_body> serializer(message);
  beast::error_code error;
  if (is_head) {
    auto [head_error, bytes] =
        co_await http::async_write_header(session.socket, serializer, as_result);
    error = head_error;
  } else {
    auto [write_error, bytes] = co_await http::async_write(session.socket, serializer, as_result);
    error = write_error;
  }
  co_return !error;
}

const std::string& HttpServer::Impl::date() {
  if (const auto at = base::now(); at >= date_until_) {
    date_ = date_now();
    date_until_ = at + std::chrono::seconds(1);
  }
  return date_;
}

Task<void> HttpServer::Impl::answer_with_stream(Session& session, HttpResponse response,
                                                unsigned version, bool is_head) {
  session.stream = std::move(response.stream);
  auto head = to_stream_head(response, version);
  head.set(http::field::date, date());
  session.enter(Phase::writing, options_.write_timeout);
  http::response_serializer<http::empty_body> serializer(head);
  auto [error, bytes] = co_await http::async_write_header(session.socket, serializer, as_result);
  if (!error && !is_head) co_await send_pieces(session, version >= 11);
  session.stream->drop();
  session.stream.reset();
}

// Until the stream is finished, dropped, or the client does not take it.
Task<void> HttpServer::Impl::send_pieces(Session& session, bool is_chunked) {
  const auto stream = session.stream;
  asio::steady_timer wake(io_.context());
  stream->set_on_change([&session, &wake, stream = stream.get()] {
    wake.cancel();
    beast::error_code ignored;
    if (stream->is_dropped()) session.socket.cancel(ignored);
  });
  const Detached detached{*stream};  // Whenever this coroutine ends.
  if (is_draining_) stream->finish();
  while (!stream->is_dropped()) {
    std::string piece = stream->take();
    if (piece.empty() && stream->is_finished()) {
      if (is_chunked) co_await send_piece(session, {}, true);
      break;
    }
    if (piece.empty()) {
      session.phase = Phase::streaming;
      session.deadline = base::TimePoint::max();
      wake.expires_after(stream->options().keep_alive_every);
      auto [woken] = co_await wake.async_wait(as_result);
      if (woken) continue;
      piece = stream->options().keep_alive;
      if (piece.empty()) continue;
    }
    const bool is_sent = co_await send_piece(session, std::move(piece), is_chunked);
    if (!is_sent) break;
  }
}

// An empty piece in chunks is the end of the answer.
Task<bool> HttpServer::Impl::send_piece(Session& session, std::string piece, bool is_chunked) {
  session.enter(Phase::writing, options_.write_timeout);
  const asio::const_buffer bytes = asio::buffer(piece);
  beast::error_code error;
  if (!is_chunked) {
    auto [write_error, count] = co_await asio::async_write(session.socket, bytes, as_result);
    error = write_error;
  } else if (piece.empty()) {
    auto [write_error, count] =
        co_await asio::async_write(session.socket, http::make_chunk_last(), as_result);
    error = write_error;
  } else {
    auto [write_error, count] =
        co_await asio::async_write(session.socket, http::make_chunk(bytes), as_result);
    error = write_error;
  }
  co_return !error;
}

Task<bool> HttpServer::Impl::refuse(Session& session, beast::error_code error) {
  const bool is_http = error.category() == http::make_error_code(http::error::bad_field).category();
  if ((!is_http && error != asio::error::timed_out) || error == http::error::end_of_stream) {
    co_return false;  // The connection itself is gone.
  }
  HttpResponse refusal = on_violation_(violation_of(error));
  const bool sent = co_await answer(session, std::move(refusal), 11, false, false);
  if (!sent) co_return false;
  // Let the answer arrive before the reset that unread input would cause.
  beast::error_code ignored;
  session.socket.shutdown(tcp::socket::shutdown_send, ignored);
  session.enter(Phase::writing, linger_time);
  for (std::size_t total = 0; total < options_.body_bytes_max && !session.is_late;) {
    session.buffer.clear();
    auto [read_error, got] =
        co_await session.socket.async_read_some(session.buffer.prepare(16384), as_result);
    if (read_error) break;
    total += got;
  }
  co_return false;
}

void HttpServer::Impl::close(Session& session) {
  if (session.stream) session.stream->drop();
  beast::error_code ignored;
  session.socket.shutdown(tcp::socket::shutdown_both, ignored);
  session.socket.close(ignored);
}

Task<void> HttpServer::Impl::drain(base::TimePoint deadline) {
  const auto self = shared_from_this();
  is_draining_ = true;
  beast::error_code ignored;
  acceptor_.close(ignored);
  for (auto& session : sessions_) {
    if (session.phase == Phase::idle) close(session);
    if (session.stream) session.stream->finish();
  }
  while (!sessions_.empty() && base::now() < deadline) {
    co_await sleep_until(base::now() + std::chrono::milliseconds(1));
  }
  for (auto& session : sessions_) close(session);
}

void HttpServer::Impl::close_all() {
  beast::error_code ignored;
  is_draining_ = true;
  acceptor_.close(ignored);
  for (auto& session : sessions_) close(session);
}

HttpServer::HttpServer(IoThread& io, HttpServerOptions options, Handler handler,
                       ViolationHandler on_violation)
    : impl_(std::make_shared<Impl>(io, std::move(options), std::move(handler),
                                   std::move(on_violation))) {}

HttpServer::~HttpServer() { stop(); }

Result<void> HttpServer::start() {
  if (auto listening = impl_->listen(); !listening) return listening;
  asio::co_spawn(impl_->io().context(), impl_->accept_loop(), Abort{});
  asio::co_spawn(impl_->io().context(), impl_->sweep_loop(), Abort{});
  return {};
}

std::uint16_t HttpServer::port() const { return impl_->port(); }

std::string HttpServer::url() const {
  return fmt::format("http://{}:{}", impl_->options().address, impl_->port());
}

Task<void> HttpServer::drain(base::TimePoint deadline) { return impl_->drain(deadline); }

void HttpServer::stop() {
  if (!impl_->take_started()) return;  // So that the IoThread may be gone when this is destroyed.
  if (impl_->io().is_current()) {
    impl_->close_all();
  } else {
    impl_->io().run([impl = impl_] { impl->close_all(); });
  }
}

}  // namespace flow::net

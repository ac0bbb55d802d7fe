// An HTTP/1.1 server on one IoThread: keep-alive, bounded in everything, drained in order. What a
// hostile client sends ends in a 4xx, a closed connection, or a deadline; never in a crash or an
// unbounded buffer. The shop, the null server, the administration port and the dashboard are
// handlers behind it.
// Thread: constructed, called and destroyed on `io`'s thread or before it has work for the server.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "net/http.hpp"
#include "net/io_thread.hpp"

namespace flow::net {

struct HttpServerOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;                // 0: the kernel picks one, see port().
  std::size_t connections_max = 10'000;  // Beyond it a new connection is closed at once.
  std::size_t header_bytes_max = 16 * 1024;
  std::size_t body_bytes_max = 1024 * 1024;
  std::chrono::milliseconds idle_timeout{75'000};     // Between two requests on a connection.
  std::chrono::milliseconds request_timeout{15'000};  // From a request's first byte to its last.
  std::chrono::milliseconds write_timeout{15'000};  // For an answer that the client does not take.
};

// A request that is not HTTP or breaks a bound, before any handler sees it.
struct HttpViolation {
  int status;               // 400, 408, 413, 431 or 505.
  std::string_view reason;  // "header too large"
};

class HttpServer {
 public:
  using Handler = std::function<Task<HttpResponse>(HttpRequest)>;
  using ViolationHandler = std::function<HttpResponse(HttpViolation)>;

  // `on_violation` makes the answer for what never reaches `handler`; by default text/plain.
  HttpServer(IoThread& io, HttpServerOptions options, Handler handler,
             ViolationHandler on_violation = {});
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Listens. Errc::io names address, port and cause ("address already in use"). Any thread.
  base::Result<void> start();
  std::uint16_t port() const;
  std::string url() const;  // http://127.0.0.1:PORT

  // Stops listening, closes idle connections, finishes streams, lets running requests finish (their
  // answers carry Connection: close) until the deadline, then closes what is left. On the IoThread.
  Task<void> drain(base::TimePoint deadline);

  // Closes everything now. Any thread; waits for that, but not for handlers that still run: what
  // they use must outlive the IoThread's own stop(). Again, or never started: does nothing.
  void stop();

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace flow::net

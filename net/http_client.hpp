// HTTP/1.1 requests for administration and queries: readiness probes, the REST interfaces of
// Pulsar and Pinot, SQL, tests. The load generator has its own client (loadtest/).
//   one request, one connection:  http_request(), http_request_blocking()
//   many to one server:           HttpClient keeps its connections
// Redirects are not followed. An answer may have 64 MiB.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "net/http.hpp"
#include "net/io_thread.hpp"
#include "net/url.hpp"

namespace flow::net {

// Opens a connection, sends, reads the whole answer, closes. Errc::io (the connection broke),
// Errc::timed_out, Errc::protocol (the answer is no HTTP) or Errc::cancelled names the URL. Runs on
// the calling coroutine's executor.
Task<base::Result<HttpResponse>> http_request(HttpUrl url, HttpRequest request,
                                              base::TimePoint deadline);

// The same from a thread that may wait; runs an io_context of its own.
base::Result<HttpResponse> http_request_blocking(const HttpUrl& url, HttpRequest request,
                                                 base::TimePoint deadline);

struct HttpClientOptions {
  std::size_t connections_max = 8;  // Open at the same time; a request beyond it waits for one.
  std::size_t waiting_max = 1000;   // Requests that wait; one beyond it fails at once.
  base::Nanos idle_max = std::chrono::seconds(20);  // A connection unused for longer is closed.
  // A server may close a connection just while the next request is on its way there. A request that
  // may be sent twice is then sent again, once, on a new connection. GET, HEAD, PUT, DELETE and
  // OPTIONS may (RFC 9110, 9.2.2); POST may when the caller says that it changes nothing.
  bool posts_are_repeatable = false;
};

// Connections to one server, kept open between requests.
// Thread: `io`'s, except the destructor, which may run on any other one. Requests under way when the
// client is destroyed go on to their end.
class HttpClient {
 public:
  HttpClient(IoThread& io, HttpUrl server, HttpClientOptions options = {});
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // Errors as http_request(); waiting for a connection counts against the deadline. Errc::refused
  // when `waiting_max` requests wait already.
  Task<base::Result<HttpResponse>> request(HttpRequest request, base::TimePoint deadline);

  const HttpUrl& server() const;
  std::size_t connections() const;  // Idle and in use.
  std::size_t waiting() const;

 private:
  struct Pool;
  IoThread& io_;
  std::shared_ptr<Pool> pool_;
};

}  // namespace flow::net

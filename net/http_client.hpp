// One HTTP request at a time, for administration: readiness probes, Pulsar's and Pinot's REST
// interfaces, tests. The load generator has its own client (loadtest/).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "net/http.hpp"
#include "net/io_thread.hpp"
#include "net/url.hpp"

namespace flow::net {

// Opens a connection, sends, reads the whole answer (64 MiB at most), closes. Redirects are not
// followed. Errc::io or Errc::timed_out names the URL. Runs on the calling coroutine's executor.
Task<base::Result<HttpResponse>> http_request(HttpUrl url, HttpRequest request,
                                              base::TimePoint deadline);

// The same from a thread that may wait; runs an io_context of its own.
base::Result<HttpResponse> http_request_blocking(const HttpUrl& url, HttpRequest request,
                                                 base::TimePoint deadline);

}  // namespace flow::net

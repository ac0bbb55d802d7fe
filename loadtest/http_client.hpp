// One keep-alive HTTP connection for the set-up phase: a request, its answer with body, a deadline.
// Reconnects when the server closed the connection between two requests.
// Thread: one owner; waits.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "loadtest/response_parser.hpp"
#include "loadtest/tcp.hpp"
#include "net/url.hpp"

namespace flow::loadtest {

struct Answer {
  int status = 0;
  std::string body;
  base::TimePoint sent{};      // The last byte was handed to the kernel.
  base::TimePoint answered{};  // The last byte was read.
};

class HttpClient {
 public:
  explicit HttpClient(net::HttpUrl url) : url_(std::move(url)) {}

  // Makes sure that there is a connection. Errc::io, Errc::timed_out.
  base::Result<void> connect_within(base::TimePoint deadline);

  // Sends the whole request text once, never again. Errc::io, Errc::timed_out, Errc::protocol; the
  // text names no request, the caller does.
  base::Result<Answer> ask(std::string_view request, base::TimePoint deadline);

 private:
  base::Result<void> send_all(std::string_view request, base::TimePoint deadline);
  base::Result<void> read_answer(Answer& answer, base::TimePoint deadline);

  net::HttpUrl url_;
  Fd fd_;
  ResponseParser parser_;
};

}  // namespace flow::loadtest

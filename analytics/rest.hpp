// JSON over HTTP to one of Pinot's processes: what the SQL client and the controller's client
// share.
// Thread: as net::HttpClient.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/json.hpp"
#include "base/result.hpp"
#include "net/http_client.hpp"

namespace flow::analytics {

struct RestAnswer {
  int status = 0;
  base::json::value body;  // null when there was none.
};

class Rest {
 public:
  // `authorization` is the whole value of the header ("Basic YTpi", "Bearer …"); empty: none.
  Rest(net::IoThread& io, net::HttpUrl server, std::string authorization,
       net::HttpClientOptions options)
      : http_(io, std::move(server), options), authorization_(std::move(authorization)) {}

  // Errc::protocol when the answer is not JSON. Any status is an answer.
  net::Task<base::Result<RestAnswer>> call(std::string method, std::string target, std::string body,
                                           base::TimePoint deadline);

  // Any status but 2xx is an error: Errc::refused with what Pinot said, Errc::config for 401 and
  // 403.
  net::Task<base::Result<base::json::value>> call_well(std::string method, std::string target,
                                                       std::string body, base::TimePoint deadline);

  const net::HttpUrl& server() const { return http_.server(); }

 private:
  net::HttpClient http_;
  std::string authorization_;
};

// What went wrong, in a line: the member "error" or "message" of Pinot's answer, or its begin.
std::string words_of(const RestAnswer& answer);

// The error of a status that was not wanted.
std::unexpected<base::Error> refused(std::string_view call, const RestAnswer& answer);

// An answer that does not look as it must is the server's mistake, not the operator's: the error of
// a JsonView with `subject` in front, as Errc::protocol.
std::unexpected<base::Error> malformed(std::string_view subject, const base::Error& error);

// The lines of a Java exception that say something, without its stack and the names of classes; at
// most 300 bytes.
std::string without_stack(std::string_view text);

// One segment of a path or one value of a query: "%" for all but letters, digits, - . _ ~.
std::string percent_encoded(std::string_view text);

}  // namespace flow::analytics

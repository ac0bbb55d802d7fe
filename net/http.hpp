// HTTP messages as Flow's servers and clients see them, without a library's types, so that a
// handler compiles in a second. net/http_server.cpp and net/http_client.cpp put them on the wire.
// Thread: any; plain values.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace flow::net {

class HttpStream;

class HttpHeaders {
 public:
  // The value of the first field with this name (in any case), empty when there is none.
  std::string_view get(std::string_view name) const;
  bool has(std::string_view name) const;
  void add(std::string_view name, std::string_view value);  // Keeps earlier ones.

  auto begin() const { return fields_.begin(); }
  auto end() const { return fields_.end(); }
  bool empty() const { return fields_.empty(); }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

struct HttpRequest {
  std::string method;  // As sent: "GET".
  std::string target;  // Path and query as sent: "/products/1?x=y".
  HttpHeaders headers;
  std::string body;

  std::string_view path() const;  // The target without its query.
};

struct HttpResponse {
  int status = 200;
  HttpHeaders headers;  // Content-Length, Date, Connection are the server's business.
  std::string body;
  bool close = false;  // Close the connection after this answer.
  // Instead of `body`: what is sent after the head as it comes (net/http_stream.hpp). The
  // connection is closed at its end.
  std::shared_ptr<HttpStream> stream = nullptr;
};

bool equal_ignoring_case(std::string_view a, std::string_view b);  // ASCII.

}  // namespace flow::net

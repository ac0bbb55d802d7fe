// URLs as Flow's flags take them: http://host:port/base/path, kafka and pulsar service URLs.
// Thread: any; plain values.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace flow::net {

struct HttpUrl {
  std::string host;
  std::uint16_t port = 80;
  std::string path;  // Without a trailing slash; empty for the root.

  std::string authority() const;  // host:port, an IPv6 host in brackets.
  bool operator==(const HttpUrl&) const = default;
};

// http only: the servers that Flow drives over HTTP listen without TLS. Errc::config otherwise.
base::Result<HttpUrl> parse_http_url(std::string_view text);

struct HostPort {
  std::string host;
  std::uint16_t port = 0;
  bool operator==(const HostPort&) const = default;
};

// "a:1,b:2"; every part needs a port. Errc::config names the part that is wrong.
base::Result<std::vector<HostPort>> parse_host_ports(std::string_view text);

}  // namespace flow::net

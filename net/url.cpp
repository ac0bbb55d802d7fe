// SPDX-License-Identifier: Apache-2.0
#include "net/url.hpp"

#include <charconv>

#include <boost/url.hpp>

namespace flow::net {

using base::Errc;
using base::fail;
using base::Result;

std::string HttpUrl::authority() const {
  const bool is_ipv6 = host.find(':') != std::string::npos;
  return is_ipv6 ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

Result<HttpUrl> parse_http_url(std::string_view text) {
  const auto parsed = boost::urls::parse_uri({text.data(), text.size()});
  constexpr auto expected = "expected http://host[:port][/path]";
  if (!parsed) return fail(Errc::config, "URL '{}': {}", text, expected);
  if (parsed->scheme() != "http") {
    return fail(Errc::config, "URL '{}': scheme '{}' is not supported, {}", text,
                std::string(parsed->scheme()), expected);
  }
  if (parsed->has_userinfo() || parsed->has_query() || parsed->has_fragment()) {
    return fail(Errc::config, "URL '{}': user, query and fragment are not used here, {}", text,
                expected);
  }
  HttpUrl url;
  url.host = std::string(parsed->host_address());
  if (url.host.empty()) return fail(Errc::config, "URL '{}': no host, {}", text, expected);
  if (parsed->has_port()) {
    url.port = parsed->port_number();
    if (url.port == 0) return fail(Errc::config, "URL '{}': no such port, {}", text, expected);
  }
  url.path = std::string(parsed->encoded_path());
  while (url.path.ends_with('/')) url.path.pop_back();
  return url;
}

Result<std::vector<HostPort>> parse_host_ports(std::string_view text) {
  std::vector<HostPort> all;
  for (std::string_view rest = text;;) {
    const std::size_t comma = rest.find(',');
    const std::string_view part = rest.substr(0, comma);
    const std::size_t colon = part.rfind(':');
    std::uint16_t port = 0;
    const char* end = part.data() + part.size();
    if (colon == std::string_view::npos || colon == 0 ||
        std::from_chars(part.data() + colon + 1, end, port).ptr != end || port == 0) {
      return fail(Errc::config, "'{}' in '{}': expected host:port", part, text);
    }
    std::string_view host = part.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    all.push_back({std::string(host), port});
    if (comma == std::string_view::npos) return all;
    rest.remove_prefix(comma + 1);
  }
}

}  // namespace flow::net

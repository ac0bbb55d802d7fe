// SPDX-License-Identifier: Apache-2.0
#include "apps/dashboard_access.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <span>

#include <boost/asio/ip/address.hpp>
#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "base/bytes.hpp"
#include "base/check.hpp"

namespace flow::apps {
namespace {

constexpr auto ticket_life = std::chrono::seconds(30);
constexpr std::size_t tickets_max = 32;
constexpr std::string_view scheme = "Bearer ";

// Without port and brackets: "[::1]:80" -> "::1".
std::string_view host_of(std::string_view authority) {
  if (!authority.starts_with('[')) return authority.substr(0, authority.find(':'));
  return authority.substr(1, authority.find(']') - 1);
}

}  // namespace

std::string make_secret() {
  std::array<unsigned char, 16> bytes{};
  FLOW_CHECK(RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) == 1);
  return base::to_base64url(std::as_bytes(std::span(bytes)));
}

bool is_same_secret(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

bool DashboardAccess::is_own_host(const net::HttpRequest& request) const {
  if (!token_.empty()) return true;
  const auto host = host_of(request.headers.get("host"));
  boost::system::error_code is_no_address;
  const auto address = boost::asio::ip::make_address(std::string(host), is_no_address);
  return net::equal_ignoring_case(host, "localhost") || (!is_no_address && address.is_loopback());
}

bool DashboardAccess::has_token(const net::HttpRequest& request) const {
  if (token_.empty()) return true;
  const auto given = request.headers.get("authorization");
  return given.starts_with(scheme) && is_same_secret(given.substr(scheme.size()), token_);
}

std::string DashboardAccess::make_ticket(std::string_view result, base::TimePoint now) {
  std::erase_if(tickets_, [&](const auto& entry) { return entry.second.until <= now; });
  if (tickets_.size() >= tickets_max) {
    tickets_.erase(std::ranges::min_element(tickets_, {},
                                            [](const auto& entry) { return entry.second.until; }));
  }
  std::string ticket = make_secret();
  tickets_[ticket] = {std::string(result), now + ticket_life};
  return ticket;
}

bool DashboardAccess::take_ticket(std::string_view ticket, std::string_view result,
                                  base::TimePoint now) {
  const auto at = tickets_.find(ticket);
  if (at == tickets_.end()) return false;
  const bool is_good = at->second.until > now && at->second.result == result;
  tickets_.erase(at);
  return is_good;
}

}  // namespace flow::apps

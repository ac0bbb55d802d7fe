// Who may ask the dashboard for what: token, host names, tickets for reports.
// Thread: one.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "net/http.hpp"

namespace flow::apps {

// 128 random bits as text for a URL.
std::string make_secret();

// Takes the same time wherever the two differ.
bool is_same_secret(std::string_view a, std::string_view b);

class DashboardAccess {
 public:
  // An empty token asks for none.
  explicit DashboardAccess(std::string token) : token_(std::move(token)) {}

  const std::string& token() const { return token_; }

  // Without a token: the Host names this machine (localhost or a loopback address, any port).
  bool is_own_host(const net::HttpRequest& request) const;
  bool has_token(const net::HttpRequest& request) const;

  // For one report, once, within half a minute. The oldest gives way beyond 32.
  std::string make_ticket(std::string_view result, base::TimePoint now);
  bool take_ticket(std::string_view ticket, std::string_view result, base::TimePoint now);

 private:
  struct Ticket {
    std::string result;
    base::TimePoint until;
  };
  std::string token_;
  std::map<std::string, Ticket, std::less<>> tickets_;
};

}  // namespace flow::apps

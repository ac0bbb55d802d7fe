// The shop's HTTP face: from a request to its answer. The order of the checks is fixed: path, token
// (and its user), route, method, id, Accept, role, Content-Type, body, business rules.
// Every write: take a place for its event, change the database in one transaction, hand the event
// over with the values that were committed, answer.
// Thread: one IoThread; all parts live there too.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "ecommerce/auth/password_pool.hpp"
#include "ecommerce/auth/token.hpp"
#include "ecommerce/events/observations.hpp"
#include "ecommerce/events/outlet.hpp"
#include "ecommerce/http/problem.hpp"
#include "ecommerce/http/route.hpp"
#include "ecommerce/store/store.hpp"
#include "net/http.hpp"
#include "net/http_server.hpp"

namespace flow::ecommerce {

class ShopService {
 public:
  struct Options {
    bool ack_before_answer = false;  // Answer after the broker has.
    bool stamp_in_body = false;      // Of events: for readers that see no headers.
    std::chrono::milliseconds ack_timeout{10'000};
    std::vector<std::string> cors_origins;  // Empty: CORS is off. "*": any.
  };
  struct Parts {  // Borrowed.
    Store& store;
    TokenSigner& tokens;
    PasswordPool& passwords;
    EventOutlet& events;
    std::function<void(const RequestObservation&)> observed;
    std::function<void(const std::string&)> log;  // What an operator must know, one line each.
  };

  ShopService(Parts parts, Options options);

  net::Task<net::HttpResponse> handle(net::HttpRequest request);

  // Requests whose answer is not ready yet.
  std::size_t running() const { return running_; }

  // For requests that are no HTTP or break a bound of the server.
  static net::HttpResponse violation(net::HttpViolation violation);

 private:
  using Response = net::HttpResponse;

  struct Call {
    net::HttpRequest request;
    Route route;
    std::string email;         // Of the token; empty without one.
    std::optional<User> user;  // Looked up, unless the handler does it together with its read.
    Id id = 0;                 // Of the route.

    bool is_read() const { return request.method == "GET" || request.method == "HEAD"; }
  };

  // service.cpp
  net::Task<Response> answer(Call call);
  net::Task<Response> dispatch(Call call);
  std::optional<Response> check_token(Call& call);
  static bool reads_with_its_user(Call& call);
  static std::optional<Response> check_route(Call& call);
  static std::optional<Response> check_body(const Call& call);
  static std::optional<Response> check_role(const Call& call);
  std::optional<Response> preflight(const Call& call) const;
  void add_cors(const std::string& origin, Response& response) const;
  bool is_origin_allowed(const std::string& origin) const;

  // responses.cpp
  static Response problem(const Call& call, Problem problem);
  static Response unauthorized(const Call& call, Problem problem);
  static Response unknown_user(const Call& call);
  static Response invalid(const Call& call, Invalid invalid);
  static Response busy(const Call& call, std::string_view what);
  static Response queue_full(const Call& call);  // No place for the event: 503, nothing stored.
  Response database_problem(const Call& call, const DbError& error);
  base::Stamp stamp_of(const net::HttpRequest& request);
  net::Task<Response> publish(Call call, EventOutlet::Place place, Event event, Response response);

  // accounts.cpp
  net::Task<Response> register_user(Call call);
  net::Task<Response> sign_in(Call call);
  net::Task<Response> list_users(Call call);

  // products.cpp
  net::Task<Response> list_products(Call call);
  net::Task<Response> view_product(Call call);
  net::Task<Response> create_product(Call call);
  net::Task<Response> patch_product(Call call);
  net::Task<Response> delete_product(Call call);

  // orders.cpp
  net::Task<Response> place_order(Call call);
  net::Task<Response> view_order(Call call);
  net::Task<Response> list_orders(Call call);
  net::Task<Response> pay_order(Call call);
  net::Task<Response> cancel_order(Call call);
  net::Task<Response> change_order(Call call, EventName event, OrderStatus status);

  Parts parts_;
  Options options_;
  // Events of requests without a stamp: (fresh_trial_, 1), (fresh_trial_, 2), …
  std::uint64_t fresh_trial_;
  std::uint64_t fresh_requests_ = 0;
  base::TimePoint may_log_at_{};
  std::size_t running_ = 0;
};

}  // namespace flow::ecommerce

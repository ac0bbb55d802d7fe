// What several handlers answer, and how an event leaves with an answer.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "ecommerce/http/service.hpp"

namespace flow::ecommerce {
namespace {

// The change is committed; only its event is in doubt.
Problem unconfirmed(bool is_rejected) {
  if (is_rejected) {
    return {.status = 502,
            .title = "Bad Gateway",
            .detail = "Stored, but the broker refused the event."};
  }
  return {.status = 504,
          .title = "Gateway Timeout",
          .detail = "Stored, but the broker did not confirm the event."};
}

}  // namespace

ShopService::Response ShopService::problem(const Call& call, Problem problem) {
  return problem_response(problem, call.request.path());
}

ShopService::Response ShopService::unauthorized(const Call& call, Problem problem) {
  problem.status = 401;
  Response response = problem_response(problem, call.request.path());
  response.headers.add("WWW-Authenticate", "Bearer");
  return response;
}

ShopService::Response ShopService::unknown_user(const Call& call) {
  return unauthorized(call, {.title = "Invalid Token",
                             .detail = "The token's user does not exist.",
                             .description = "The provided token is invalid."});
}

ShopService::Response ShopService::invalid(const Call& call, Invalid invalid) {
  const char* detail = invalid.unreadable ? "Failed to read request" : "Invalid request content.";
  return problem(call, {.status = 400,
                        .title = "Bad Request",
                        .detail = detail,
                        .errors = std::move(invalid.errors)});
}

ShopService::Response ShopService::queue_full(const Call& call) {
  return busy(call, "The event queue is full.");
}

ShopService::Response ShopService::busy(const Call& call, std::string_view what) {
  Response response =
      problem(call, {.status = 503, .title = "Service Unavailable", .detail = std::string(what)});
  response.headers.add("Retry-After", "1");
  return response;
}

ShopService::Response ShopService::database_problem(const Call& call, const DbError& error) {
  if (const auto now = base::now(); now >= may_log_at_ && parts_.log) {
    may_log_at_ = now + std::chrono::seconds(1);  // A database that is away is one line a second.
    parts_.log(error.what);
  }
  switch (error.kind) {
    case DbError::Kind::unavailable:
      return busy(call, "The database is not available.");
    case DbError::Kind::timed_out:
      return busy(call, "The database did not answer in time.");
    case DbError::Kind::statement:
      break;
  }
  return problem(call, {.status = 500,
                        .title = "Internal Server Error",
                        .detail = "An internal server error occurred."});
}

base::Stamp ShopService::stamp_of(const net::HttpRequest& request) {
  const auto sent = base::parse_stamp(request.headers.get(base::traceparent_name),
                                      request.headers.get(base::tracestate_name));
  if (sent && sent->trial != 0) return base::next_hop(*sent);
  base::Stamp fresh;
  fresh.trial = fresh_trial_;
  fresh.request = ++fresh_requests_;
  fresh.parent = fresh_trial_;
  return base::next_hop(fresh);
}

net::Task<ShopService::Response> ShopService::publish(Call call, EventOutlet::Place place,
                                                      Event event, Response response) {
  if (options_.stamp_in_body) put_stamp_into_body(event);
  const streaming::Ticket ticket = parts_.events.publish(std::move(place), std::move(event));
  if (!options_.ack_before_answer) co_return response;
  const auto outcome = co_await parts_.events.outcome(ticket, base::now() + options_.ack_timeout);
  if (outcome == streaming::Outcome::acked) co_return response;
  co_return problem(call, unconfirmed(outcome == streaming::Outcome::rejected));
}

}  // namespace flow::ecommerce

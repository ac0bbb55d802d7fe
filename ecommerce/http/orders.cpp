// Orders: a user sees and changes only their own; another's answers as if it were not there.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "ecommerce/domain/entity_json.hpp"
#include "ecommerce/http/service.hpp"

namespace flow::ecommerce {
namespace {

// The bounds of the columns price_per_unit and total_amount.
Invalid total_too_large() {
  return {.unreadable = false,
          .errors = {
              {"orderItems", "a price must be below 100000000 and the total below 10000000000"}}};
}

Problem order_conflict(Id id, OrderStatus status) {
  const char* kind = status == OrderStatus::paid ? "OrderPayment" : "OrderStatusTerminal";
  return {.status = 409,
          .title = "Resource conflict",
          .detail = fmt::format("Found conflicting '{}' resource for resource Id: {}", kind, id)};
}

Problem not_your_orders() {
  return {.status = 403,
          .title = "Access Denied",
          .detail = "Cannot view orders for another user",
          .description = "You are not authorized to access this resource."};
}

std::string wrapped(const std::string& order) {
  return "{\"order\":" + order + ",\"success\":true}";
}

}  // namespace

net::Task<ShopService::Response> ShopService::place_order(Call call) {
  auto request = read_new_order(call.request.body);
  if (!request) co_return invalid(call, std::move(request.error()));
  const base::Stamp stamp = stamp_of(call.request);
  auto place = parts_.events.reserve(EventName::place_order, {}, stamp);
  if (!place) co_return queue_full(call);
  auto placed = co_await parts_.store.place_order(call.user->id, std::move(*request));
  if (!placed) co_return database_problem(call, placed.error());
  if (const auto* missing = std::get_if<MissingProduct>(&*placed)) {
    co_return problem(call, entity_not_found("Product", missing->id));
  }
  if (std::holds_alternative<TotalTooLarge>(*placed)) {
    co_return invalid(call, total_too_large());
  }
  const Order& order = std::get<Order>(*placed);
  std::string json = to_json(order);
  Response response = json_response(201, wrapped(json));
  Event event = make_event(EventName::place_order, order.id, std::move(json), stamp);
  co_return co_await publish(std::move(call), std::move(*place), std::move(event),
                             std::move(response));
}

net::Task<ShopService::Response> ShopService::view_order(Call call) {
  auto seen = co_await parts_.store.order(call.email, call.id);
  if (!seen) co_return database_problem(call, seen.error());
  if (!seen->caller) co_return unknown_user(call);
  if (!seen->value) co_return problem(call, entity_not_found("Order", call.id));
  co_return json_response(200, wrapped(to_json(*seen->value)));
}

net::Task<ShopService::Response> ShopService::list_orders(Call call) {
  auto seen = co_await parts_.store.orders_of_user(call.email, call.id);
  if (!seen) co_return database_problem(call, seen.error());
  if (!seen->caller) co_return unknown_user(call);
  if (seen->caller->id != call.id) co_return problem(call, not_your_orders());
  std::string json = "{\"orders\":[";
  for (const Order& order : seen->value) {
    if (&order != &seen->value.front()) json += ',';
    append_json(json, order);
  }
  json += "],\"success\":true}";
  co_return json_response(200, std::move(json));
}

net::Task<ShopService::Response> ShopService::pay_order(Call call) {
  co_return co_await change_order(std::move(call), EventName::pay_order, OrderStatus::paid);
}

net::Task<ShopService::Response> ShopService::cancel_order(Call call) {
  auto request = read_cancel(call.request.body);
  if (!request) co_return invalid(call, std::move(request.error()));
  co_return co_await change_order(std::move(call), EventName::cancel_order, OrderStatus::cancelled);
}

net::Task<ShopService::Response> ShopService::change_order(Call call, EventName name,
                                                           OrderStatus status) {
  const base::Stamp stamp = stamp_of(call.request);
  const std::string key = std::to_string(call.id);
  auto place = parts_.events.reserve(name, key, stamp);
  if (!place) co_return queue_full(call);
  auto changed = co_await parts_.store.change_order(call.user->id, call.id, status);
  if (!changed) co_return database_problem(call, changed.error());
  if (const auto* found = std::get_if<std::optional<OrderStatus>>(&*changed)) {
    if (!*found) co_return problem(call, entity_not_found("Order", call.id));
    co_return problem(call, order_conflict(call.id, **found));
  }
  const Order& order = std::get<Order>(*changed);
  std::string json = to_json(order);
  const bool is_cancel = status == OrderStatus::cancelled;
  Response response = is_cancel ? empty_response(204) : json_response(200, wrapped(json));
  Event event = make_event(name, order.id, std::move(json), stamp);
  co_return co_await publish(std::move(call), std::move(*place), std::move(event),
                             std::move(response));
}

}  // namespace flow::ecommerce

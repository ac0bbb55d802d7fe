// Products: everybody signed in reads them, administrators edit them.
// SPDX-License-Identifier: Apache-2.0
#include "ecommerce/domain/entity_json.hpp"
#include "ecommerce/http/service.hpp"

namespace flow::ecommerce {

net::Task<ShopService::Response> ShopService::list_products(Call call) {
  auto seen = co_await parts_.store.products(call.email);
  if (!seen) co_return database_problem(call, seen.error());
  if (!seen->caller) co_return unknown_user(call);
  std::string json;
  json.reserve(2 + seen->value.size() * 256);
  json += '[';
  for (const Product& product : seen->value) {
    if (json.size() > 1) json += ',';
    append_json(json, product);
  }
  json += ']';
  co_return json_response(200, std::move(json));
}

net::Task<ShopService::Response> ShopService::view_product(Call call) {
  const base::Stamp stamp = stamp_of(call.request);
  const std::string key = std::to_string(call.id);
  auto place = parts_.events.reserve(EventName::view_product, key, stamp);
  if (!place) co_return queue_full(call);
  auto seen = co_await parts_.store.product(call.email, call.id);
  if (!seen) co_return database_problem(call, seen.error());
  if (!seen->caller) co_return unknown_user(call);
  if (!seen->value) co_return problem(call, entity_not_found("Product", call.id));

  std::string json = to_json(*seen->value);
  Response response = json_response(200, json);
  Event event = make_event(EventName::view_product, call.id, std::move(json), stamp);
  co_return co_await publish(std::move(call), std::move(*place), std::move(event),
                             std::move(response));
}

net::Task<ShopService::Response> ShopService::create_product(Call call) {
  auto request = read_new_product(call.request.body);
  if (!request) co_return invalid(call, std::move(request.error()));
  const base::Stamp stamp = stamp_of(call.request);
  auto place = parts_.events.reserve(EventName::create_product, {}, stamp);
  if (!place) co_return queue_full(call);
  auto product = co_await parts_.store.insert_product(std::move(*request));
  if (!product) co_return database_problem(call, product.error());

  std::string json = to_json(*product);
  Response response = json_response(201, json);
  Event event = make_event(EventName::create_product, product->id, std::move(json), stamp);
  co_return co_await publish(std::move(call), std::move(*place), std::move(event),
                             std::move(response));
}

net::Task<ShopService::Response> ShopService::patch_product(Call call) {
  auto request = read_product_patch(call.request.body);
  if (!request) co_return invalid(call, std::move(request.error()));
  const base::Stamp stamp = stamp_of(call.request);
  const std::string key = std::to_string(call.id);
  auto place = parts_.events.reserve(EventName::update_product, key, stamp);
  if (!place) co_return queue_full(call);
  auto patched = co_await parts_.store.patch_product(call.id, std::move(*request));
  if (!patched) co_return database_problem(call, patched.error());
  if (!*patched) co_return problem(call, entity_not_found("Product", call.id));

  std::string json = to_json((*patched)->product);
  Response response = json_response(200, json);
  if (!(*patched)->has_changed) co_return response;  // Nothing happened: no event.
  Event event = make_event(EventName::update_product, call.id, std::move(json), stamp);
  co_return co_await publish(std::move(call), std::move(*place), std::move(event),
                             std::move(response));
}

net::Task<ShopService::Response> ShopService::delete_product(Call call) {
  auto was_there = co_await parts_.store.delete_product(call.id);
  if (!was_there) co_return database_problem(call, was_there.error());
  if (!*was_there) co_return problem(call, entity_not_found("Product", call.id));
  co_return empty_response(204);
}

}  // namespace flow::ecommerce

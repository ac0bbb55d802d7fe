// SPDX-License-Identifier: Apache-2.0
#include "ecommerce/domain/event.hpp"

#include <utility>

#include "base/check.hpp"

namespace flow::ecommerce {

std::string_view name_of(EventName event) {
  static constexpr std::array<std::string_view, event_names> names = {
      "UserRegister", "ViewProduct",   "PlaceOrder",   "PayOrder",
      "CancelOrder",  "CreateProduct", "UpdateProduct"};
  return names[static_cast<std::size_t>(event)];
}

Topic topic_of(EventName event) {
  switch (event) {
    case EventName::user_register:
      return Topic::users;
    case EventName::view_product:
    case EventName::create_product:
    case EventName::update_product:
      return Topic::products;
    case EventName::place_order:
    case EventName::pay_order:
    case EventName::cancel_order:
      break;
  }
  return Topic::orders;
}

Event make_event(EventName name, Id id, std::string json, const base::Stamp& stamp) {
  Event event;
  event.name = name;
  event.key = std::to_string(id);
  event.value = std::move(json);
  event.stamp = stamp;
  return event;
}

void put_stamp_into_body(Event& event) {
  FLOW_CHECK(event.value.ends_with('}'));
  event.value.pop_back();
  event.value += ",\"flowEvent\":\"";
  event.value += base::format_trace_id(event.stamp.trial, event.stamp.request);
  event.value += '"';
  if (event.stamp.intended) {
    event.value += ",\"flowIntended\":";
    event.value += std::to_string(base::count(*event.stamp.intended));
  }
  event.value += '}';
}

}  // namespace flow::ecommerce

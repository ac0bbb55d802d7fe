// SPDX-License-Identifier: Apache-2.0
#include "ecommerce/domain/event.hpp"

#include <utility>

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

}  // namespace flow::ecommerce

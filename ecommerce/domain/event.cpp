// SPDX-License-Identifier: Apache-2.0
#include "ecommerce/domain/event.hpp"

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

}  // namespace flow::ecommerce

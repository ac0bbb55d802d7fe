// The events that the shop publishes: names, topics, and one event ready for a broker.
// Thread: any; plain values.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/stamp.hpp"
#include "ecommerce/domain/entities.hpp"

namespace flow::ecommerce {

// The numbers stand in attempt records: append only.
enum class EventName : std::uint8_t {
  user_register = 0,
  view_product = 1,
  place_order = 2,
  pay_order = 3,
  cancel_order = 4,
  create_product = 5,
  update_product = 6,
};
inline constexpr std::size_t event_names = 7;

enum class Topic : std::uint8_t { users = 0, products = 1, orders = 2 };
inline constexpr std::array<std::string_view, 3> topic_names = {"users", "products", "orders"};

// As in metrics: "UserRegister".
std::string_view name_of(EventName event);
Topic topic_of(EventName event);

struct Event {
  EventName name{};
  std::string key;    // The entity's id in decimal.
  std::string value;  // The entity's JSON.
  base::Stamp stamp;  // Of this hop: already next_hop() of the request's.
};

// The event of the entity `id`, whose JSON is `json`.
Event make_event(EventName name, Id id, std::string json, const base::Stamp& stamp);

// Appends the stamp to the body, for readers that see no headers: members "flowEvent" (the trace
// id) and, where there is an intended time, "flowIntended" (Unix ns).
void put_stamp_into_body(Event& event);

}  // namespace flow::ecommerce

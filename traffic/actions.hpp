// What the requests of a schedule do: the shop's customers as a fixed sequence, one action per
// slot. A step of a customer is two requests in consecutive slots: browse (list the products, look
// at one) or, once in 31 steps on average, order (look at product 1, order it). Which step orders
// depends on seed and step number alone, so that both platforms see the identical sequence.
// Thread: any; pure functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace flow::traffic {

enum class ActionKind : std::uint8_t {
  list_products,
  view_product,
  place_order,
  register_user,
  sign_in,
  create_product,
  other,
};
inline constexpr std::size_t action_kind_count = 7;

std::string_view name_of(ActionKind kind);

struct Action {
  ActionKind kind = ActionKind::other;
  std::uint32_t user = 0;      // Index of the customer, from 0.
  std::uint16_t product = 0;   // From 1; 0 where the action has none.
  std::uint16_t quantity = 0;  // From 1; 0 where the action has none.

  bool operator==(const Action&) const = default;
};

struct BehaviourSpec {
  std::uint64_t seed = 0;
  std::uint32_t users = 1;             // Steps go round-robin through them.
  std::uint32_t steps_per_order = 31;  // P(order) = 1 / this: 30 browse steps to 1 order.
  std::uint16_t products = 10;
  std::uint16_t quantity_max = 10;
};

// `slots` actions; an odd number cuts the last step after its first request. FLOW_CHECK: no number
// of the spec is 0.
std::vector<Action> make_actions(std::size_t slots, const BehaviourSpec& spec);

// The two requests of one step of customer `user`. `step` names the draws: a number, or a hash of
// visit and number.
using Step = std::array<Action, 2>;
Step make_step(std::uint64_t step, std::uint32_t user, const BehaviourSpec& spec);

// Whether step `step` orders.
bool is_order_step(std::uint64_t step, const BehaviourSpec& spec);

}  // namespace flow::traffic

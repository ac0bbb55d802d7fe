// SPDX-License-Identifier: Apache-2.0
#include "traffic/actions.hpp"

#include "base/check.hpp"
#include "base/random.hpp"

namespace flow::traffic {
namespace {

// Independent draws per step: one for the kind, one for what it is done with.
enum class Draw : std::uint64_t { kind = 0, detail = 1 };

std::uint64_t draw_below(std::uint64_t bound, Draw draw, std::uint64_t step, std::uint64_t seed) {
  const std::uint64_t stream = base::derive_seed(seed, static_cast<std::uint64_t>(draw));
  return base::SplitMix64(base::derive_seed(stream, step)).next_below(bound);
}

}  // namespace

std::string_view name_of(ActionKind kind) {
  switch (kind) {
    case ActionKind::list_products:
      return "list_products";
    case ActionKind::view_product:
      return "view_product";
    case ActionKind::place_order:
      return "place_order";
    case ActionKind::register_user:
      return "register_user";
    case ActionKind::sign_in:
      return "sign_in";
    case ActionKind::create_product:
      return "create_product";
    case ActionKind::other:
      return "other";
  }
  return "other";
}

bool is_order_step(std::uint64_t step, const BehaviourSpec& spec) {
  return draw_below(spec.steps_per_order, Draw::kind, step, spec.seed) == 0;
}

Step make_step(std::uint64_t step, std::uint32_t user, const BehaviourSpec& spec) {
  const auto pick = [&](std::uint16_t choices) {
    const auto drawn = draw_below(choices, Draw::detail, step, spec.seed);
    return static_cast<std::uint16_t>(1 + drawn);
  };
  if (is_order_step(step, spec)) {
    return {Action{ActionKind::view_product, user, 1, 0},
            Action{ActionKind::place_order, user, 1, pick(spec.quantity_max)}};
  }
  return {Action{ActionKind::list_products, user, 0, 0},
          Action{ActionKind::view_product, user, pick(spec.products), 0}};
}

std::vector<Action> make_actions(std::size_t slots, const BehaviourSpec& spec) {
  FLOW_CHECK(spec.users > 0 && spec.steps_per_order > 0);
  FLOW_CHECK(spec.products > 0 && spec.quantity_max > 0);
  std::vector<Action> actions;
  actions.reserve(slots);
  for (std::uint64_t step = 0; actions.size() < slots; ++step) {
    const Step requests = make_step(step, static_cast<std::uint32_t>(step % spec.users), spec);
    actions.push_back(requests[0]);
    if (actions.size() < slots) actions.push_back(requests[1]);
  }
  return actions;
}

}  // namespace flow::traffic

// SPDX-License-Identifier: Apache-2.0
#include "traffic/actions.hpp"

#include <cmath>
#include <set>

#include <gmock/gmock.h>

namespace flow::traffic {
namespace {

constexpr BehaviourSpec spec{.seed = 5, .users = 7};

TEST(Actions, EveryStepIsTwoRequestsOfOneUser) {
  const auto actions = make_actions(10'000, spec);
  ASSERT_EQ(actions.size(), 10'000U);
  for (std::size_t i = 0; i < actions.size(); i += 2) {
    SCOPED_TRACE(i);
    const Action& first = actions[i];
    const Action& second = actions[i + 1];
    EXPECT_EQ(first.user, i / 2 % 7);
    EXPECT_EQ(second.user, first.user);
    if (first.kind == ActionKind::list_products) {
      EXPECT_EQ(second.kind, ActionKind::view_product);
      EXPECT_TRUE(second.product >= 1 && second.product <= 10);
      EXPECT_EQ(second.quantity, 0);
    } else {
      EXPECT_EQ(first, (Action{ActionKind::view_product, first.user, 1, 0}));
      EXPECT_EQ(second.kind, ActionKind::place_order);
      EXPECT_EQ(second.product, 1);
      EXPECT_TRUE(second.quantity >= 1 && second.quantity <= 10);
    }
  }
}

TEST(Actions, OneStepInThirtyOneOrders) {
  constexpr int steps = 310'000;
  int orders = 0;
  for (std::uint64_t step = 0; step < steps; ++step) orders += is_order_step(step, spec);
  EXPECT_NEAR(orders, 10'000, 4 * std::sqrt(10'000.0));
}

TEST(Actions, ProductsAndQuantitiesAreUniform) {
  std::vector<int> products(11), quantities(11);
  int orders = 0;
  int browses = 0;
  for (const Action& action : make_actions(400'000, spec)) {
    if (action.kind == ActionKind::place_order) ++orders, ++quantities[action.quantity];
    if (action.kind == ActionKind::list_products) ++browses;
    if (action.kind == ActionKind::view_product) ++products[action.product];
  }
  products[1] -= orders;  // Every order looks at product 1 first.
  for (int i = 1; i <= 10; ++i) {
    const auto at = static_cast<std::size_t>(i);
    EXPECT_NEAR(products[at], browses / 10, 5 * std::sqrt(browses / 10));
    EXPECT_NEAR(quantities[at], orders / 10, 5 * std::sqrt(orders / 10));
  }
}

TEST(Actions, WhichStepOrdersDependsOnSeedAndStepAlone) {
  BehaviourSpec others = spec;
  others.users = 1000;
  others.products = 3;
  others.quantity_max = 2;
  const auto few = make_actions(5'000, spec);
  const auto many = make_actions(9'000, others);
  for (std::size_t i = 0; i < few.size(); ++i) {
    ASSERT_EQ(few[i].kind, many[i].kind) << i;
  }
  others.seed = 6;
  const auto reseeded = make_actions(5'000, others);
  bool differs = false;
  for (std::size_t i = 0; i < few.size(); ++i) differs |= few[i].kind != reseeded[i].kind;
  EXPECT_TRUE(differs);
}

TEST(Actions, AnOddNumberOfSlotsCutsTheLastStep) {
  const auto even = make_actions(100, spec);
  const auto odd = make_actions(99, spec);
  ASSERT_EQ(odd.size(), 99U);
  EXPECT_TRUE(std::equal(odd.begin(), odd.end(), even.begin()));
  EXPECT_TRUE(make_actions(0, spec).empty());
}

TEST(Actions, EveryKindHasItsOwnName) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < action_kind_count; ++i)
    names.insert(name_of(ActionKind{static_cast<std::uint8_t>(i)}));
  EXPECT_EQ(names.size(), action_kind_count);
}

}  // namespace
}  // namespace flow::traffic

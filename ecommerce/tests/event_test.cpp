// SPDX-License-Identifier: Apache-2.0
#include "ecommerce/domain/event.hpp"

#include <gtest/gtest.h>

namespace flow::ecommerce {
namespace {

TEST(Event, CarriesItsStampInTheBodyWhenAsked) {
  const base::Stamp stamp{.trial = 0xab,
                          .request = 40,
                          .parent = 1,
                          .intended = base::UnixNanos{1795381784066000123},
                          .other_state = {}};
  Event event = make_event(EventName::view_product, 7, R"({"id":7})", stamp);

  put_stamp_into_body(event);

  EXPECT_EQ(
      event.value,
      R"({"id":7,"flowEvent":"00000000000000ab0000000000000028","flowIntended":1795381784066000123})");
  EXPECT_EQ(event.key, "7");
}

TEST(Event, LeavesTheIntendedTimeOutWhereThereIsNone) {
  const base::Stamp stamp{.trial = 1, .request = 2, .parent = 1, .intended = {}, .other_state = {}};
  Event event = make_event(EventName::place_order, 1, R"({"id":1})", stamp);

  put_stamp_into_body(event);

  EXPECT_EQ(event.value, R"({"id":1,"flowEvent":"00000000000000010000000000000002"})");
}

}  // namespace
}  // namespace flow::ecommerce

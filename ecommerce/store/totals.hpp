// What the shop's database holds at one moment, to compare with what others made of its events.
// Thread: any; blocks.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>

#include "base/result.hpp"

namespace flow::ecommerce {

struct ShopTotals {
  std::int64_t users = 0;  // Without administrators, who never registered.
  std::int64_t orders = 0;
  std::int64_t order_cents = 0;                    // Sum of all orders, whatever became of them.
  std::int64_t items = 0;                          // Sum of the ordered quantities.
  std::map<int, std::int64_t> orders_by_status{};  // OrderStatus as a number.
};

// `conninfo`: as libpq takes it. Errc::io when the database is not there or does not answer within
// `timeout` for the connection and again for each query.
base::Result<ShopTotals> read_totals(const std::string& conninfo, std::chrono::seconds timeout);

}  // namespace flow::ecommerce

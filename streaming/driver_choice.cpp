// SPDX-License-Identifier: Apache-2.0
#include "streaming/driver_choice.hpp"

namespace flow::streaming {

base::Result<int> count_brokers(const DriverFactory& make_driver, const DriverChoice& choice,
                                base::TimePoint deadline) {
  net::IoThread io("flow-probe");
  auto driver = make_driver(io, choice);
  if (!driver) return std::unexpected(driver.error());
  auto admin = io.run([&] { return (*driver)->open_admin(); });
  if (!admin) return std::unexpected(admin.error());
  auto count = io.run_task((*admin)->broker_count(deadline));
  io.run([&] {
    admin->reset();
    driver->reset();
  });
  return count;
}

}  // namespace flow::streaming

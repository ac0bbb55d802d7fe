// SPDX-License-Identifier: Apache-2.0
#include "streaming/driver_choice.hpp"

namespace flow::streaming {

base::Result<AdminSession> AdminSession::open(net::IoThread& io, const DriverFactory& make_driver,
                                              const DriverChoice& choice) {
  auto driver = io.run([&] { return make_driver(io, choice); });
  if (!driver) return std::unexpected(driver.error());
  AdminSession session(io, std::move(*driver));
  auto admin = io.run([&] { return session.driver_->open_admin(); });
  if (!admin) return std::unexpected(admin.error());
  session.admin_ = std::move(*admin);
  return session;
}

AdminSession::~AdminSession() {
  if (!driver_) return;
  io_.run([this] {
    admin_.reset();
    driver_.reset();
  });
}

base::Result<int> count_brokers(const DriverFactory& make_driver, const DriverChoice& choice,
                                base::TimePoint deadline) {
  net::IoThread io("flow-probe");
  auto admin = AdminSession::open(io, make_driver, choice);
  if (!admin) return std::unexpected(admin.error());
  return io.run_task((*admin)->broker_count(deadline));
}

}  // namespace flow::streaming

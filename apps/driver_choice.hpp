// From a choice (--kafka URL | --pulsar URL, a level's settings) to a Driver: the one place that
// knows all drivers.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "base/result.hpp"
#include "net/io_thread.hpp"
#include "streaming/driver_choice.hpp"

namespace flow::apps {

using streaming::DriverChoice;

// Errc::config for an unknown setting; nothing is connected yet. `io` must outlive the driver.
base::Result<std::unique_ptr<streaming::Driver>> make_driver(net::IoThread& io,
                                                             const DriverChoice& choice);

}  // namespace flow::apps

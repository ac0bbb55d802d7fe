// Free ports for servers that are about to start.
// Thread: any.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace flow::servers {

// `count` different TCP ports of 127.0.0.1 that were free a moment ago. A JVM binds seconds later,
// so they lie below the range from which the kernel gives ports to outgoing connections (ip(7),
// ip_local_port_range), and each call of each process looks at others. Another process may still
// take one: servers are started again with new ports when their log says so.
base::Result<std::vector<std::uint16_t>> pick_ports(int count);

// True when something accepts connections at 127.0.0.1:port.
bool accepts_connections(std::uint16_t port);

}  // namespace flow::servers

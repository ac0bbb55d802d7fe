// How Flow's own clients are set at a level.
// Thread: any; pure.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "servers/level.hpp"
#include "streaming/driver_choice.hpp"

namespace flow::lab {

// `platform`: as in a plan; the null broker's is "fake". service and admin_url are still empty.
streaming::DriverChoice clients_of(std::string_view platform, const servers::Level& level);

}  // namespace flow::lab

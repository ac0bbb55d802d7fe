// The live dashboard beside a run: the flags that `flow run` and `flow demo` share.
// Thread: the program's main thread.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>

#include "apps/dashboard_server.hpp"
#include "base/result.hpp"

namespace flow::apps {

struct DashboardFlags {
  bool is_wanted = false;
  std::string address = "127.0.0.1";
  std::uint16_t port = 7140;
};

void add_dashboard_flags(CLI::App& command, DashboardFlags& flags);

// Says where it is on standard error. Null when it is not wanted.
base::Result<std::unique_ptr<DashboardServer>> start_dashboard_if_wanted(
    const DashboardFlags& flags, const std::string& results);

}  // namespace flow::apps

// A fault that an experiment asks for.
// Thread: any; plain values.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/json.hpp"

namespace flow::lab {

struct Fault {
  std::string what;        // "kill": SIGKILL, then started again; "pause": SIGSTOP, then SIGCONT.
  std::string role;        // "pinot-server", "kafka-1"
  double at_seconds = 0;   // After the start of the measured phase.
  double for_seconds = 0;  // How long it stays down or frozen.
};

base::json::object describe(const Fault& fault);

}  // namespace flow::lab

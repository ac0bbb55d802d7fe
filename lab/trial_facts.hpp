// What a trial knows about itself when it is over, next to its record files: the input of its
// trial.json.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/json.hpp"
#include "lab/hops.hpp"
#include "loadtest/generator.hpp"
#include "servers/resources.hpp"

namespace flow::lab {

struct Phases {
  PhaseRange registration{"registration", 0, 0};
  PhaseRange warm_up{"warm_up", 0, 0};
  PhaseRange measured{"measured", 0, 0};
};

struct TrialFacts {
  std::string state = "failed";  // "complete", "partial", "failed"
  std::string state_words;
  std::string schedule_hash;
  Phases phases;
  base::UnixNanos started{};
  base::UnixNanos measured_from{};  // 0: the measured phase never began.
  base::UnixNanos measured_until{};
  base::UnixNanos finished{};
  std::size_t schedule_seconds = 0;
  std::optional<loadtest::LoadResult> load;  // Of the measured phase.
  std::optional<servers::ResourceUse> resources;
  base::Nanos clock_step{};
  bool audit_complete = false;
  std::string audit_words;
  base::json::object versions;
  base::json::object settings;
};

}  // namespace flow::lab

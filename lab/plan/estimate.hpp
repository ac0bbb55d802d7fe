// How long an experiment will take, before anything of it ran.
// Thread: any; reads level files.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/clock.hpp"
#include "lab/plan/experiment.hpp"

namespace flow::lab {

// How long the trials will take, roughly: what is printed before the start.
base::Nanos estimated_duration(const Experiment& experiment);

// "0:42", "12:05", "20:58:45".
std::string format_elapsed(base::Nanos span);

}  // namespace flow::lab

// What the generator asks of the kernel for its threads, and what they cost.
// Thread: each call concerns the calling thread.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/clock.hpp"

namespace flow::loadtest {

// Timer slack 1 ns and the highest priority that the system permits: real-time (SCHED_FIFO), else
// nice -10, else none. Returns in words what was obtained.
std::string raise_priority();

base::Nanos thread_cpu_time();

// Time that the hypervisor took from this machine since it started, and the time of all its
// processors, from /proc/stat; both 0 where there is none.
struct StealTime {
  double stolen_ticks = 0;
  double all_ticks = 0;
};
StealTime read_steal_time();

}  // namespace flow::loadtest

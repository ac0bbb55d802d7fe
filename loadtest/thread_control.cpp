// SPDX-License-Identifier: Apache-2.0
#include "loadtest/thread_control.hpp"

#include <fstream>
#include <pthread.h>
#include <sched.h>
#include <time.h>
#include <unistd.h>

#include <sys/prctl.h>
#include <sys/resource.h>

namespace flow::loadtest {

std::string raise_priority() {
  ::prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
  sched_param param{};
  param.sched_priority = 10;
  if (::pthread_setschedparam(::pthread_self(), SCHED_FIFO, &param) == 0) {
    return "real-time (SCHED_FIFO 10)";
  }
  // On Linux a nice value belongs to the thread.
  if (::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), -10) == 0) return "nice -10";
  return "normal (raising it was not permitted)";
}

base::Nanos thread_cpu_time() {
  timespec at{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &at);
  return std::chrono::seconds(at.tv_sec) + base::Nanos(at.tv_nsec);
}

// proc(5): cpu user nice system idle iowait irq softirq steal guest guest_nice; guest is in user.
StealTime read_steal_time() {
  std::ifstream file("/proc/stat");
  std::string name;
  file >> name;
  StealTime time;
  double ticks = 0;
  for (int field = 0; field < 8 && file >> ticks; ++field) {
    time.all_ticks += ticks;
    if (field == 7) time.stolen_ticks = ticks;
  }
  return time;
}

}  // namespace flow::loadtest

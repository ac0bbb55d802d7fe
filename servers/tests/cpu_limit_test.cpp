// SPDX-License-Identifier: Apache-2.0
#include "servers/cpu_limit.hpp"

#include <chrono>
#include <filesystem>
#include <thread>
#include <unistd.h>

#include <gtest/gtest.h>

#include "base/clock.hpp"
#include "servers/proc.hpp"
#include "servers/supervisor.hpp"

namespace flow::servers {
namespace {

using namespace std::chrono_literals;

std::unique_ptr<ChildProcess> busy_process() {
  auto child = spawn({.name = "busy", .command = {"sh", "-c", "while :; do :; done"}});
  EXPECT_TRUE(child);
  return std::move(*child);
}

// Of one CPU, over `span` or longer.
double cpu_share_within(pid_t pid, base::Nanos span) {
  const auto ticks = [&] {
    const auto stat = read_process_stat(pid);
    return stat ? static_cast<double>(stat->user_ticks + stat->system_ticks) : -1e9;
  };
  const auto begun = base::now();
  const double before = ticks();
  std::this_thread::sleep_for(span);
  const double seconds = (ticks() - before) / static_cast<double>(::sysconf(_SC_CLK_TCK));
  return seconds / std::chrono::duration<double>(base::now() - begun).count();
}

TEST(CpuLimit, GivesProcessesNoMoreTimeThanAllowed) {
  auto child = busy_process();
  const pid_t pids[] = {child->pid()};

  auto limit = CpuLimit::apply(pids, 0.2);

  if (!limit) GTEST_SKIP() << limit.error().what;
  EXPECT_LT(cpu_share_within(child->pid(), 2s), 0.275);
  const auto group = (*limit)->group();
  child->terminate(1s, SIGKILL);
  limit->reset();
  EXPECT_FALSE(std::filesystem::exists(group));
}

TEST(CpuLimit, SaysWhichProcessIsNotThere) {
  const pid_t pids[] = {0x7ffffff0};

  const auto limit = CpuLimit::apply(pids, 1);

  ASSERT_FALSE(limit);
  EXPECT_NE(limit.error().what.find("limit of CPU time"), std::string::npos) << limit.error().what;
}

}  // namespace
}  // namespace flow::servers

// Starts and ends child processes. One supervisor thread forks them all, because the kernel sends a
// parent's death signal when the *thread* that forked ends; it lives as long as the process. A
// child is the leader of a session of its own and dies with its parent, even when that is killed
// with SIGKILL; what it forked is ended with it (process group and descendants).
//
// Thread: spawn() and every member of ChildProcess from any thread. `on_line` runs on the
// supervisor thread and must not wait for anything. This is a place with a mutex, because exits are
// learned on the supervisor thread and asked for on every other one.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <csignal>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sys/types.h>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace flow::servers {

struct SpawnOptions {
  std::string name = {};                  // For people and messages: "kafka-1", "shop".
  std::vector<std::string> command = {};  // [0] is a path, or a name looked up in PATH.
  // Added to this process's environment, replacing equal names.
  std::vector<std::pair<std::string, std::string>> environment = {};
  std::filesystem::path working_directory = {};  // Empty: this process's.
  // Standard error, and standard output where on_line is empty, are appended here. Empty:
  // /dev/null.
  std::filesystem::path log_path = {};
  std::string user = {};       // Become this user (needs root). Empty: stay who we are.
  int death_signal = SIGKILL;  // What the kernel sends when this process dies.
  // Gets every line of standard output without its newline. A line above 1 MiB is cut.
  std::function<void(std::string_view)> on_line = {};
};

// "exit code 1", "ended by SIGKILL".
std::string exit_text_of(int wait_status);

class ChildProcess {
 public:
  // Ends the child and its process group with SIGKILL if it still runs.
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  const std::string& name() const;
  pid_t pid() const;
  // Of /proc/PID/stat, in clock ticks since boot: with the pid it names a process for good.
  std::uint64_t start_time() const;

  bool exited() const;
  // After exited(): the exit code, nullopt when a signal ended it.
  std::optional<int> exit_code() const;
  std::string exit_text() const;  // "running", "exit code 1", "ended by SIGKILL".
  // True once the child has ended and its output was read to the end; false at the deadline.
  bool wait_exit(base::TimePoint deadline) const;

  // Sends `signal` to the child, waits `grace`, then SIGKILL to its group and all it forked.
  // Returns after the child is gone. True when no SIGKILL was needed.
  bool terminate(base::Nanos grace, int signal = SIGTERM);
  void kill(int signal);        // To the child alone.
  void kill_group(int signal);  // To its whole process group.

  const std::filesystem::path& log_path() const;
  // The last `lines` of the log, each ended by a newline; empty without a log.
  std::string log_tail(int lines) const;

  struct State;  // Of supervisor.cpp.
  explicit ChildProcess(std::shared_ptr<State> state);

 private:
  std::shared_ptr<State> state_;
};

// Forks and executes. Errc::io when the program cannot be executed, with the reason (exec failures
// are learned here and not from an exit code 127).
base::Result<std::unique_ptr<ChildProcess>> spawn(SpawnOptions options);

// The last `lines` lines of a file, read from its end; empty when there is no such file.
std::string file_tail(const std::filesystem::path& path, int lines);

}  // namespace flow::servers

// A part of Flow that runs as a child process of the coordinator (shop, auditor) and tells about
// itself in JSON lines on standard output: {"event": "ready" | "second" | "stopped", …}.
// Thread: the trial's main thread; `on_second` runs on `io`.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/json.hpp"
#include "base/result.hpp"
#include "net/io_thread.hpp"
#include "servers/run_directory.hpp"

namespace flow::lab {

struct ProgramOptions {
  std::string role;                                              // "shop"
  std::vector<std::string> command;                              // [0] = this binary
  std::vector<std::pair<std::string, std::string>> environment;  // Secrets go here, not in flags.
  std::filesystem::path log_path;
  std::function<void(const base::json::object&)> on_second;
};

class Program {
 public:
  static base::Result<std::unique_ptr<Program>> start(servers::RunDirectory& run, net::IoThread& io,
                                                      ProgramOptions options);

  // The "ready" line; Errc::io with the log's tail when it ended before.
  base::Result<base::json::object> wait_ready(base::TimePoint deadline);

  // Asks it to finish (SIGTERM), waits; the "stopped" line. Errc::timed_out after `grace` (then it
  // is killed), Errc::io when it ended without saying so.
  base::Result<base::json::object> finish(base::Nanos grace);

  bool has_ended() const { return process_->exited(); }
  std::string end_text() const;  // "shop: ended by SIGKILL"
  pid_t pid() const { return process_->pid(); }
  const std::string& role() const { return role_; }

 private:
  struct Lines;
  Program(std::string role, std::shared_ptr<Lines> lines,
          std::unique_ptr<servers::ChildProcess> process);

  std::string role_;
  std::shared_ptr<Lines> lines_;
  std::unique_ptr<servers::ChildProcess> process_;
};

}  // namespace flow::lab

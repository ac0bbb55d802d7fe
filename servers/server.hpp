// What every real server that Flow starts has in common: processes with roles, logs, faults, facts.
// Kafka, Pulsar, Pinot and Postgres (kafka.hpp and so on) derive from Server; each has a blocking
// start() that returns when the server answers by its own protocol.
// Thread: one at a time; not the supervisor's. Servers of different objects may start in parallel.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "base/clock.hpp"
#include "base/json.hpp"
#include "base/result.hpp"
#include "servers/run_directory.hpp"
#include "servers/supervisor.hpp"

namespace flow::servers {

// Says in a few words what is being waited for; called at least every 5 s while a start() waits.
using ProgressText = std::function<void(std::string_view)>;

struct ProcessInfo {
  std::string role;  // "kafka-1", "pulsar-bookie-2", "postgres"
  pid_t pid = 0;
};

class Server {
 public:
  virtual ~Server();  // Kills what still runs and removes the data.
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  virtual std::string_view platform() const = 0;  // "kafka", "pulsar", "pinot", "postgres"

  // Ends the processes in order, at the latest after a few seconds each by SIGKILL: the data is
  // thrown away. Idempotent.
  virtual void stop() = 0;

  std::vector<ProcessInfo> processes() const;

  // Errc::io with the role, its exit status and the last lines of its log when a process that was
  // not stopped or killed through this object has ended.
  base::Result<void> check_alive() const;

  // Faults. Errc::config for a role that does not exist, Errc::io when it does not run (restart():
  // when it does).
  base::Result<void> freeze(std::string_view role);  // SIGSTOP
  base::Result<void> thaw(std::string_view role);    // SIGCONT
  base::Result<void> kill(std::string_view role);    // SIGKILL; waits until it is gone.
  // SIGTERM, as its operator would; waits until it is gone. Errc::timed_out when it is still there
  // after that time: it is left alone then.
  base::Result<void> terminate(std::string_view role, base::Nanos within);
  // After kill() or terminate(): the same process once more, same ports and data; returns when it
  // answers as after a start. Errc::config for one that cannot be started again, else as start().
  virtual base::Result<void> restart(std::string_view role, base::Nanos within);

  // The last lines of every process's log, each under its role.
  std::string log_tail(int lines) const;
  base::Result<void> copy_logs_to(const std::filesystem::path& folder) const;

  // For result files: version, service, command lines, effective configuration as it was set and as
  // the server reports it, seconds until ready.
  const base::json::object& facts() const { return facts_; }
  const std::filesystem::path& directory() const { return run_->path(); }

 protected:
  explicit Server(std::shared_ptr<RunDirectory> run) : run_(std::move(run)) {}

  // The child's log is <run directory>/logs/<name>.log unless `options` has one.
  base::Result<ChildProcess*> start_process(SpawnOptions options);
  // The command of a process that has ended once more; what it logs is appended. Errors as
  // require_ended().
  base::Result<ChildProcess*> start_again(std::string_view role);
  // Errc::config for a role that does not exist, Errc::io for one that runs.
  base::Result<void> require_ended(std::string_view role) const;
  // The error of a start, with the end of every log where a deadline passed: only they know why.
  base::Error explained(base::Error error) const;
  // Ends and forgets every process, for another attempt.
  void discard_processes();
  ChildProcess* find(std::string_view role) const;
  // Ends all children whose role starts with `prefix` at the same time.
  void stop_processes(std::string_view prefix, base::Nanos grace, int signal);

  std::shared_ptr<RunDirectory> run_;
  base::json::object facts_;

 private:
  struct Member {
    std::unique_ptr<ChildProcess> process;
    SpawnOptions options;  // What it was started with.
    bool is_expected_to_be_gone = false;
  };
  base::Result<void> require_role(std::string_view role) const;
  // The process that a fault is about to end: check_alive() no longer misses it.
  base::Result<ChildProcess*> give_up(std::string_view role);
  base::Result<ChildProcess*> find_running(std::string_view role) const;
  std::vector<Member> members_;
};

}  // namespace flow::servers

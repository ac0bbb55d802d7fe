// Where a run of Flow keeps what its servers write, and how a run that was killed is cleaned up
// after. Every run directory is held by an flock of its owner and lists the processes that were
// started for it; whoever can take the lock knows that the owner is dead.
// Thread: any; add_process() may be called from several.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <sys/types.h>

#include "base/result.hpp"
#include "servers/supervisor.hpp"

namespace flow::servers {

// $FLOW_CACHE, else $XDG_CACHE_HOME/flow, else ~/.cache/flow.
std::filesystem::path cache_directory();

// <cache>/run/<pid>-<random>, removed by the destructor.
class RunDirectory {
 public:
  static base::Result<std::shared_ptr<RunDirectory>> create(
      const std::filesystem::path& cache = cache_directory());
  ~RunDirectory();
  RunDirectory(const RunDirectory&) = delete;
  RunDirectory& operator=(const RunDirectory&) = delete;

  const std::filesystem::path& path() const { return path_; }

  // A directory that `user` owns and can reach: inside path() where every folder above it lets the
  // user through, else a new one in /var/tmp that is removed together with this one. Short enough
  // for a Unix socket inside it. Empty user: simply path()/name.
  base::Result<std::filesystem::path> directory_for(const std::string& name,
                                                    const std::string& user);

  // spawn(), and the child is noted so that a later sweep ends it should we be killed. The child
  // carries FLOW_RUN_DIRECTORY in its environment, which finds it and its children as well.
  base::Result<std::unique_ptr<ChildProcess>> spawn(SpawnOptions options);

 private:
  RunDirectory(std::filesystem::path path, int lock);
  base::Result<void> note(std::string_view line);

  std::filesystem::path path_;
  int lock_ = -1;
  std::mutex mutex_;
  std::vector<std::filesystem::path> outside_;
};

struct SweepReport {
  int directories = 0;       // Removed.
  int processes = 0;         // Killed.
  std::string text() const;  // One line for people; empty when there was nothing to do.
};

// For every run directory whose owner is dead: kills the processes listed in it that are still the
// same (pid and start time) and those that carry its name in their environment, removes the
// directory. Called at the start of every command of Flow.
SweepReport sweep_leftovers(const std::filesystem::path& cache = cache_directory());

}  // namespace flow::servers

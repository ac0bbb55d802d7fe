// running.json in a result folder: this experiment is being run, by whom and since when. The
// coordinator holds a lock on the file; the kernel takes it back when the process ends, however it
// ends. So whoever looks can tell a run that goes on from one that was killed, and two coordinators
// never write into one folder.
// Thread: any.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <string_view>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "lab/result/bounded_file.hpp"

namespace flow::lab {

inline constexpr std::string_view running_mark_name = "running.json";

class RunningMark {
 public:
  // {"format": "flow-running/1", "pid", "since_unix_ns", "estimated_seconds"}. Errc::config when
  // another process runs this experiment.
  static base::Result<std::unique_ptr<RunningMark>> create(const std::filesystem::path& folder,
                                                           base::Nanos estimated_duration);
  ~RunningMark();  // Removes the file.
  RunningMark(const RunningMark&) = delete;
  RunningMark& operator=(const RunningMark&) = delete;

 private:
  RunningMark(std::filesystem::path path, OpenFile file)
      : path_(std::move(path)), file_(std::move(file)) {}

  std::filesystem::path path_;
  OpenFile file_;
};

// Whether a process holds the mark of this folder now. Takes no lock itself.
bool is_running(const std::filesystem::path& folder);

}  // namespace flow::lab

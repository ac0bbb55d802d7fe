// Less CPU time for some processes than the machine has: what a smaller machine or a container
// would give them. By a control group of Linux (version 2, or the "cpu" controller of version 1),
// which needs the right to make one: root, or a delegated group.
// Thread: one.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <span>

#include <sys/types.h>

#include "base/result.hpp"

namespace flow::servers {

class CpuLimit {
 public:
  // All `processes` together, and what they fork from now on, get at most `cpus` CPUs' worth of
  // time in each 100 ms. Errc::io says what is missing: no controller, or no right to use it.
  static base::Result<std::unique_ptr<CpuLimit>> apply(std::span<const pid_t> processes,
                                                       double cpus);
  // Removes the group when its processes have ended; an empty one that is left does nothing.
  ~CpuLimit();
  CpuLimit(const CpuLimit&) = delete;
  CpuLimit& operator=(const CpuLimit&) = delete;

  const std::filesystem::path& group() const { return group_; }

 private:
  explicit CpuLimit(std::filesystem::path group) : group_(std::move(group)) {}

  std::filesystem::path group_;
};

}  // namespace flow::servers

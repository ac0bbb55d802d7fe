// SPDX-License-Identifier: Apache-2.0
#include "servers/cpu_limit.hpp"

#include <atomic>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <unistd.h>

#include <fmt/format.h>
#include <sys/stat.h>

namespace flow::servers {
namespace {

namespace fs = std::filesystem;
using base::Errc;
using base::fail;
using base::Result;

constexpr int period_us = 100'000;  // The kernel's own default.

// Where groups with a CPU limit are made (cgroups(7)).
struct Hierarchy {
  fs::path parent;  // This process's own group there.
  bool is_unified = false;
};

bool has_word(const std::string& text, std::string_view wanted, char separator) {
  std::istringstream words(text);
  for (std::string word; std::getline(words, word, separator);) {
    if (word == wanted) return true;
  }
  return false;
}

std::string first_line(const fs::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

// Where a hierarchy is mounted: the mount with this option of version 1, or the one of version 2.
std::optional<fs::path> mount_of(bool is_unified) {
  std::ifstream mounts("/proc/self/mounts");
  for (std::string line; std::getline(mounts, line);) {
    std::istringstream words(line);
    std::string device, where, type, options;
    words >> device >> where >> type >> options;
    if (is_unified ? type == "cgroup2" : type == "cgroup" && has_word(options, "cpu", ',')) {
      return where;
    }
  }
  return std::nullopt;
}

// "1:cpu:/a" or "0::/a" of /proc/self/cgroup.
fs::path own_group(bool is_unified) {
  std::ifstream groups("/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    if (is_unified ? controllers.empty() : has_word(controllers, "cpu", ',')) {
      return fs::path(line.substr(second + 1)).relative_path();
    }
  }
  return {};
}

std::optional<Hierarchy> find_hierarchy() {
  if (const auto mount = mount_of(true)) {
    // A group that holds processes cannot give controllers to children: beside it, not below.
    const fs::path own = *mount / own_group(true);
    for (const fs::path& parent : {own, own.parent_path()}) {
      if (has_word(first_line(parent / "cgroup.subtree_control"), "cpu", ' ')) {
        return Hierarchy{parent, true};
      }
    }
  }
  if (const auto mount = mount_of(false)) return Hierarchy{*mount / own_group(false), false};
  return std::nullopt;
}

Result<void> write_to(const fs::path& path, const std::string& text) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  const bool is_written =
      file >= 0 && ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  const int error = errno;
  if (file >= 0) ::close(file);
  if (is_written) return {};
  return fail(Errc::io, "limit of CPU time: {}: {}", path.string(), std::strerror(error));
}

}  // namespace

Result<std::unique_ptr<CpuLimit>> CpuLimit::apply(std::span<const pid_t> processes, double cpus) {
  const auto hierarchy = find_hierarchy();
  if (!hierarchy) {
    return fail(
        Errc::io,
        "limit of CPU time: no control group with the cpu controller is to be had here; "
        "run as root, or with a delegated group (systemd-run --user --scope -p Delegate=yes)");
  }
  static std::atomic<int> made = 0;
  const fs::path group = hierarchy->parent / fmt::format("flow-{}-{}", ::getpid(), ++made);
  if (::mkdir(group.c_str(), 0755) != 0) {
    return fail(Errc::io, "limit of CPU time: {}: {}; it takes root or a delegated group",
                group.string(), std::strerror(errno));
  }
  std::unique_ptr<CpuLimit> limit(new CpuLimit(group));
  const auto quota = std::lround(cpus * period_us);
  auto done = hierarchy->is_unified
                  ? write_to(group / "cpu.max", fmt::format("{} {}", quota, period_us))
                  : write_to(group / "cpu.cfs_quota_us", std::to_string(quota));
  if (!done) return std::unexpected(done.error());
  for (const pid_t process : processes) {
    if (auto moved = write_to(group / "cgroup.procs", std::to_string(process)); !moved) {
      return std::unexpected(moved.error());
    }
  }
  return limit;
}

CpuLimit::~CpuLimit() { ::rmdir(group_.c_str()); }

}  // namespace flow::servers

// Reads what Linux tells under /proc: pure parsers of the text, and readers of the files.
// Thread: any; plain values.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace flow::servers {

// /proc/PID/stat, proc(5). The command in parentheses may itself hold spaces and parentheses.
struct ProcessStat {
  pid_t pid = 0;
  char state = '?';  // 'Z': dead, waits to be reaped.
  pid_t parent = 0;
  pid_t group = 0;
  std::uint64_t user_ticks = 0;
  std::uint64_t system_ticks = 0;
  std::uint64_t start_time = 0;  // Clock ticks since boot.
  std::uint64_t rss_pages = 0;
};
std::optional<ProcessStat> parse_process_stat(std::string_view text);
std::optional<ProcessStat> read_process_stat(pid_t pid);

// write_bytes of /proc/PID/io: what the process caused to be sent to storage, page cache
// write-back included.
std::optional<std::uint64_t> parse_write_bytes(std::string_view io_text);

// The first line of /proc/stat, in clock ticks over all CPUs.
struct MachineStat {
  std::uint64_t user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0,
                steal = 0;
  std::uint64_t total() const {
    return user + nice + system + idle + iowait + irq + softirq + steal;
  }
};
std::optional<MachineStat> parse_machine_stat(std::string_view text);

// A block device as the kernel numbers it.
struct DeviceId {
  unsigned major = 0;
  unsigned minor = 0;
};
// Bytes written to a device since boot, of /proc/diskstats (Documentation/admin-guide/iostats.rst:
// seventh field behind the name, in sectors of 512 bytes whatever the device has). Partitions have
// lines of their own. nullopt when the device has none.
std::optional<std::uint64_t> parse_device_write_bytes(std::string_view diskstats, DeviceId device);

// The device that holds `path`; nullopt where it has none of its own: in memory, on a network, in
// an overlay.
std::optional<DeviceId> device_of(const std::string& path);

// Of /proc/self/mountinfo: the source ("/dev/vda1") of the last mount with this device number, for
// filesystems that number themselves (btrfs).
std::string parse_mount_source(std::string_view mountinfo, DeviceId device);

std::vector<pid_t> all_pids();

// A process is the same one as long as pid and start time agree; a zombie counts as gone.
bool is_same_process(pid_t pid, std::uint64_t start_time);

// Who is whose child, at one moment.
class ProcessTree {
 public:
  static ProcessTree read();
  void add(pid_t pid, pid_t parent) { children_.emplace(parent, pid); }

  // Everything below `root`, without `root`, without `except` and what is below those.
  std::vector<pid_t> descendants_of(pid_t root, const std::set<pid_t>& except = {}) const;

 private:
  std::multimap<pid_t, pid_t> children_;
};

// The whole file; empty when it cannot be read.
std::string read_text_file(const std::string& path);

}  // namespace flow::servers

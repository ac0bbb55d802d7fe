// SPDX-License-Identifier: Apache-2.0
#include "servers/proc.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <dirent.h>
#include <memory>

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

namespace flow::servers {
namespace {

// The words of a text that is separated by blanks and line ends.
std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  std::size_t at = 0;
  while ((at = text.find_first_not_of(" \n", at)) != std::string_view::npos) {
    const std::size_t end = std::min(text.find_first_of(" \n", at), text.size());
    words.push_back(text.substr(at, end - at));
    at = end;
  }
  return words;
}

template <class Number>
bool read_number(std::string_view word, Number& out) {
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), out);
  return error == std::errc{} && end == word.data() + word.size();
}

}  // namespace

std::string read_text_file(const std::string& path) {
  std::string text;
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "re"),
                                                             &std::fclose);
  if (!file) return text;
  char buffer[16 * 1024];
  for (std::size_t n; (n = std::fread(buffer, 1, sizeof buffer, file.get())) > 0;) {
    text.append(buffer, n);
  }
  return text;
}

std::optional<ProcessStat> parse_process_stat(std::string_view text) {
  ProcessStat stat;
  const std::size_t open = text.find(" (");
  const std::size_t close = text.rfind(") ");
  if (open == std::string_view::npos || close == std::string_view::npos) return std::nullopt;
  // Field 3 of proc(5) is words[0].
  const auto words = words_of(text.substr(close + 2));
  if (words.size() < 22 || words[0].size() != 1) return std::nullopt;
  stat.state = words[0][0];
  const bool is_good =
      read_number(text.substr(0, open), stat.pid) && read_number(words[1], stat.parent) &&
      read_number(words[2], stat.group) && read_number(words[11], stat.user_ticks) &&
      read_number(words[12], stat.system_ticks) && read_number(words[19], stat.start_time) &&
      read_number(words[21], stat.rss_pages);
  return is_good ? std::optional(stat) : std::nullopt;
}

std::optional<ProcessStat> read_process_stat(pid_t pid) {
  return parse_process_stat(read_text_file(fmt::format("/proc/{}/stat", pid)));
}

std::optional<std::uint64_t> parse_write_bytes(std::string_view io_text) {
  const auto words = words_of(io_text);
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    std::uint64_t bytes = 0;
    if (words[i] == "write_bytes:" && read_number(words[i + 1], bytes)) return bytes;
  }
  return std::nullopt;
}

std::optional<MachineStat> parse_machine_stat(std::string_view text) {
  const auto words = words_of(text.substr(0, text.find('\n')));
  if (words.size() < 9 || words[0] != "cpu") return std::nullopt;
  MachineStat stat;
  std::uint64_t* const fields[] = {&stat.user,   &stat.nice, &stat.system,  &stat.idle,
                                   &stat.iowait, &stat.irq,  &stat.softirq, &stat.steal};
  for (std::size_t i = 0; i < std::size(fields); ++i) {
    if (!read_number(words[i + 1], *fields[i])) return std::nullopt;
  }
  return stat;
}

std::optional<std::uint64_t> parse_device_write_bytes(std::string_view diskstats, DeviceId device) {
  constexpr std::uint64_t sector_bytes = 512;
  const std::string id = fmt::format("{} {}", device.major, device.minor);
  std::size_t at = 0;
  while (at < diskstats.size()) {
    const std::size_t end = std::min(diskstats.find('\n', at), diskstats.size());
    const auto words = words_of(diskstats.substr(at, end - at));
    at = end + 1;
    std::uint64_t sectors = 0;
    if (words.size() < 10 || fmt::format("{} {}", words[0], words[1]) != id) continue;
    if (read_number(words[9], sectors)) return sectors * sector_bytes;
  }
  return std::nullopt;
}

// "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue", proc(5).
std::string parse_mount_source(std::string_view mountinfo, DeviceId device) {
  const std::string id = fmt::format("{}:{}", device.major, device.minor);
  std::string source;
  std::size_t at = 0;
  while (at < mountinfo.size()) {
    const std::size_t end = std::min(mountinfo.find('\n', at), mountinfo.size());
    const auto words = words_of(mountinfo.substr(at, end - at));
    at = end + 1;
    if (words.size() < 3 || words[2] != id) continue;
    const auto dash = std::ranges::find(words, "-");
    if (std::distance(dash, words.end()) > 2) source = dash[2];
  }
  return source;
}

std::optional<DeviceId> device_of(const std::string& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  const DeviceId device{major(status.st_dev), minor(status.st_dev)};
  if (device.major != 0) return device;
  const auto source = parse_mount_source(read_text_file("/proc/self/mountinfo"), device);
  if (source.empty() || ::stat(source.c_str(), &status) != 0 || !S_ISBLK(status.st_mode)) {
    return std::nullopt;
  }
  return DeviceId{major(status.st_rdev), minor(status.st_rdev)};
}

std::vector<pid_t> all_pids() {
  std::vector<pid_t> pids;
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir("/proc"), &::closedir);
  if (!folder) return pids;
  while (const dirent* entry = ::readdir(folder.get())) {
    pid_t pid = 0;
    if (read_number(std::string_view(entry->d_name), pid)) pids.push_back(pid);
  }
  return pids;
}

bool is_same_process(pid_t pid, std::uint64_t start_time) {
  const auto stat = read_process_stat(pid);
  return stat && stat->start_time == start_time && stat->state != 'Z' && stat->state != 'X';
}

ProcessTree ProcessTree::read() {
  ProcessTree tree;
  for (const pid_t pid : all_pids()) {
    if (const auto stat = read_process_stat(pid)) tree.add(pid, stat->parent);
  }
  return tree;
}

std::vector<pid_t> ProcessTree::descendants_of(pid_t root, const std::set<pid_t>& except) const {
  std::vector<pid_t> found;
  std::vector<pid_t> open = {root};
  while (!open.empty()) {
    const auto [begin, end] = children_.equal_range(open.back());
    open.pop_back();
    for (auto at = begin; at != end; ++at) {
      if (except.contains(at->second)) continue;
      found.push_back(at->second);
      open.push_back(at->second);
    }
  }
  return found;
}

}  // namespace flow::servers

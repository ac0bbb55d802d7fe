// SPDX-License-Identifier: Apache-2.0
#include "servers/run_directory.hpp"

#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <map>
#include <pwd.h>
#include <random>
#include <signal.h>
#include <sstream>
#include <thread>
#include <unistd.h>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "servers/proc.hpp"

namespace flow::servers {
namespace {

namespace fs = std::filesystem;
using base::Errc;
using base::fail;
using base::Result;

constexpr std::string_view list_name = "started";  // "process PID START NAME", "outside PATH".
constexpr std::string_view outside_root = "/var/tmp";
constexpr std::string_view marker = "FLOW_RUN_DIRECTORY";

std::string errno_text(int error) { return std::generic_category().message(error); }

std::string random_word() {
  std::random_device device;
  return fmt::format("{:08x}", static_cast<std::uint32_t>(device()));
}

// Opens a directory and takes its lock; -1 when somebody else has it or it is gone.
int lock_directory(const fs::path& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return -1;
  struct stat opened{}, named{};
  // A sweep may have removed it between open and lock.
  if (::flock(fd, LOCK_EX | LOCK_NB) == 0 && ::fstat(fd, &opened) == 0 &&
      ::stat(path.c_str(), &named) == 0 && opened.st_ino == named.st_ino) {
    return fd;
  }
  ::close(fd);
  return -1;
}

bool is_run_directory_name(std::string_view name) {
  const std::size_t dash = name.find('-');
  return dash != std::string_view::npos && dash > 0 &&
         name.substr(0, dash).find_first_not_of("0123456789") == std::string_view::npos &&
         name.size() == dash + 9 &&
         name.substr(dash + 1).find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// True when `user` (not root) may pass through every folder of `path`.
bool is_reachable(const fs::path& path, const passwd& user) {
  fs::path folder;
  for (const auto& part : path) {
    folder /= part;
    struct stat status{};
    if (::stat(folder.c_str(), &status) != 0) return false;
    const bool is_owner = status.st_uid == user.pw_uid;
    if ((status.st_mode & (is_owner ? S_IXUSR : S_IXOTH)) == 0) return false;
  }
  return true;
}

Result<void> make_owned(const fs::path& path, const passwd& user) {
  if (::mkdir(path.c_str(), 0700) != 0 || ::chown(path.c_str(), user.pw_uid, user.pw_gid) != 0) {
    return fail(Errc::io, "{}: {}", path.string(), errno_text(errno));
  }
  return {};
}

// Removes a tree that dying processes may still be writing into.
void remove_tree(const fs::path& path) {
  std::error_code error;
  for (int attempt = 0; attempt < 5; ++attempt) {
    fs::remove_all(path, error);
    if (!error && !fs::exists(path, error)) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

struct Started {
  std::map<pid_t, std::uint64_t> processes;
  std::vector<fs::path> outside;
};

Started read_list(const fs::path& directory) {
  Started started;
  std::istringstream lines(read_text_file((directory / list_name).string()));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string kind, path;
    pid_t pid = 0;
    std::uint64_t start_time = 0;
    words >> kind;
    if (kind == "process" && words >> pid >> start_time) started.processes.emplace(pid, start_time);
    if (kind == "outside" && words >> path) {
      if (path.starts_with(fmt::format("{}/flow-", outside_root)))
        started.outside.emplace_back(path);
    }
  }
  return started;
}

bool carries_marker(pid_t pid, const std::string& entry) {
  const std::string environment = read_text_file(fmt::format("/proc/{}/environ", pid));
  for (std::size_t at = environment.find(entry); at != std::string::npos;
       at = environment.find(entry, at + 1)) {
    if (at == 0 || environment[at - 1] == '\0') return true;
  }
  return false;
}

// Processes of a dead owner that still run, with their start times.
std::map<pid_t, std::uint64_t> find_processes(const Started& started, const fs::path& directory) {
  std::string entry = fmt::format("{}={}", marker, directory.string());
  entry.push_back('\0');
  std::map<pid_t, std::uint64_t> found;
  for (const pid_t pid : all_pids()) {
    if (pid == ::getpid()) continue;
    const auto listed = started.processes.find(pid);
    const bool is_listed =
        listed != started.processes.end() && is_same_process(pid, listed->second);
    if (!is_listed && !carries_marker(pid, entry)) continue;
    const auto stat = read_process_stat(pid);
    if (stat && stat->state != 'Z') found.emplace(pid, stat->start_time);
  }
  return found;
}

void kill_and_wait(std::map<pid_t, std::uint64_t> processes) {
  for (const auto& [pid, start_time] : processes) {
    if (is_same_process(pid, start_time)) ::kill(pid, SIGKILL);
  }
  const auto deadline = base::now() + std::chrono::seconds(5);
  while (!processes.empty() && base::now() < deadline) {
    std::erase_if(processes,
                  [](const auto& one) { return !is_same_process(one.first, one.second); });
    if (!processes.empty()) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

// Ends what a dead owner left. PostgreSQL's processes hide their environment and end themselves
// within a moment after their postmaster.
int end_processes(const Started& started, const fs::path& directory) {
  const auto found = find_processes(started, directory);
  if (found.empty()) return 0;
  std::map<pid_t, std::uint64_t> below = found;
  const ProcessTree tree = ProcessTree::read();
  for (const auto& [pid, start_time] : found) {
    for (const pid_t child : tree.descendants_of(pid)) {
      if (const auto stat = read_process_stat(child)) below.emplace(child, stat->start_time);
    }
  }
  kill_and_wait(below);
  return static_cast<int>(found.size());
}

}  // namespace

fs::path cache_directory() {
  if (const char* cache = std::getenv("FLOW_CACHE"); cache && *cache) return fs::absolute(cache);
  if (const char* xdg = std::getenv("XDG_CACHE_HOME"); xdg && *xdg) return fs::path(xdg) / "flow";
  const char* home = std::getenv("HOME");
  return fs::path(home && *home ? home : "/var/tmp") / ".cache" / "flow";
}

RunDirectory::RunDirectory(fs::path path, int lock) : path_(std::move(path)), lock_(lock) {}

RunDirectory::~RunDirectory() {
  for (const auto& path : outside_) remove_tree(path);
  remove_tree(path_);
  ::close(lock_);
}

Result<std::shared_ptr<RunDirectory>> RunDirectory::create(const fs::path& cache) {
  std::error_code error;
  fs::create_directories(cache / "run", error);
  for (int attempt = 0; attempt < 10; ++attempt) {
    const fs::path path = cache / "run" / fmt::format("{}-{}", ::getpid(), random_word());
    if (::mkdir(path.c_str(), 0755) != 0) {
      if (errno == EEXIST) continue;
      return fail(Errc::io, "{}: {}", path.string(), errno_text(errno));
    }
    const int lock = lock_directory(path);
    if (lock >= 0) return std::shared_ptr<RunDirectory>(new RunDirectory(path, lock));
  }
  return fail(Errc::io, "{}: no directory can be made and locked in it", (cache / "run").string());
}

Result<void> RunDirectory::note(std::string_view line) {
  const std::string text = fmt::format("{}\n", line);
  const fs::path list = path_ / list_name;
  const int fd = ::open(list.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  const bool is_written =
      fd >= 0 && ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  const int error_number = errno;
  if (fd >= 0) ::close(fd);
  if (!is_written) return fail(Errc::io, "{}: {}", list.string(), errno_text(error_number));
  return {};
}

Result<fs::path> RunDirectory::directory_for(const std::string& name, const std::string& user) {
  const fs::path inside = path_ / name;
  const passwd* entry = user.empty() ? nullptr : ::getpwnam(user.c_str());
  if (!user.empty() && !entry) return fail(Errc::io, "user {}: there is no such user", user);
  if (!entry || entry->pw_uid == ::geteuid()) {
    std::error_code error;
    fs::create_directory(inside, error);
    if (error) return fail(Errc::io, "{}: {}", inside.string(), error.message());
    return inside;
  }
  fs::path made = inside;
  if (!is_reachable(path_, *entry)) {
    made = fs::path(outside_root) / fmt::format("flow-{}-{}", ::getpid(), random_word());
    if (auto noted = note(fmt::format("outside {}", made.string())); !noted) {
      return std::unexpected(noted.error());
    }
    const std::lock_guard lock(mutex_);
    outside_.push_back(made);
  }
  if (auto owned = make_owned(made, *entry); !owned) return std::unexpected(owned.error());
  return made;
}

Result<std::unique_ptr<ChildProcess>> RunDirectory::spawn(SpawnOptions options) {
  options.environment.emplace_back(marker, path_.string());
  const std::string name = options.name;
  auto child = servers::spawn(std::move(options));
  if (!child) return child;
  auto noted = note(fmt::format("process {} {} {}", (*child)->pid(), (*child)->start_time(), name));
  if (!noted) return std::unexpected(noted.error());
  return child;
}

std::string SweepReport::text() const {
  if (directories == 0) return {};
  return fmt::format("cleaned up after {} that ended early: {} ended, {} removed",
                     directories == 1 ? "a run" : fmt::format("{} runs", directories),
                     processes == 1 ? "1 process" : fmt::format("{} processes", processes),
                     directories == 1 ? "1 directory" : fmt::format("{} directories", directories));
}

SweepReport sweep_leftovers(const fs::path& cache) {
  SweepReport report;
  std::error_code error;
  std::vector<fs::path> candidates;
  for (const auto& entry : fs::directory_iterator(cache / "run", error)) {
    if (is_run_directory_name(entry.path().filename().string())) candidates.push_back(entry.path());
  }
  for (const auto& path : candidates) {
    const int lock = lock_directory(path);
    if (lock < 0) continue;
    const Started started = read_list(path);
    report.processes += end_processes(started, path);
    for (const auto& outside : started.outside) remove_tree(outside);
    remove_tree(path);
    ::close(lock);
    ++report.directories;
  }
  return report;
}

}  // namespace flow::servers

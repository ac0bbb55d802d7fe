// What kind of machine this is: read once per experiment, and the disk measured.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdlib>
#include <fcntl.h>
#include <sstream>
#include <thread>
#include <unistd.h>

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include "servers/proc.hpp"
#include "servers/resources.hpp"
#include "servers/supervisor.hpp"
#include "servers/wait.hpp"

namespace flow::servers {
namespace {

namespace fs = std::filesystem;

std::string first_line_of(const std::string& path) {
  const std::string text = read_text_file(path);
  return text.substr(0, text.find('\n'));
}

// "model name : X" of /proc/cpuinfo, "MemTotal: X kB" of /proc/meminfo.
std::string field_of(const std::string& path, std::string_view name) {
  std::istringstream lines(read_text_file(path));
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(name)) continue;
    const std::size_t colon = line.find(':');
    const std::size_t start = line.find_first_not_of(" \t", colon + 1);
    return start == std::string::npos ? "" : line.substr(start);
  }
  return "";
}

struct Mount {
  std::string device, type;
};

// The longest mount point of /proc/self/mounts that `path` lies under.
Mount mount_of(const fs::path& path) {
  Mount best;
  std::size_t length = 0;
  std::istringstream lines(read_text_file("/proc/self/mounts"));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string device, point, type;
    words >> device >> point >> type;
    const std::string prefix = point == "/" ? "/" : point + "/";
    if (!(path.string() + "/").starts_with(prefix) || prefix.size() < length) continue;
    length = prefix.size();
    best = {device, type};
  }
  return best;
}

// What a program prints, first line; empty when it is not there.
std::string version_line(const std::vector<std::string>& command) {
  std::string first;
  auto child =
      spawn({.name = "version", .command = command, .on_line = [&first](std::string_view line) {
               if (first.empty()) first = line;
             }});
  if (!child || !(*child)->wait_exit(base::now() + std::chrono::seconds(10))) return "";
  return first;
}

double quantile_us(std::vector<double>& sorted, double q) {
  const auto at = static_cast<std::size_t>(q * static_cast<double>(sorted.size() - 1) + 0.5);
  return sorted[at];
}

// Writes 4 KiB and calls fdatasync, 200 times: what an acknowledgement from disk costs at least.
base::json::object measure_fdatasync(const fs::path& folder) {
  constexpr int calls = 200;
  std::error_code ignored;
  fs::create_directories(folder, ignored);
  const std::string name = (folder / fmt::format(".flow-fsync-{}", ::getpid())).string();
  const int fd = ::open(name.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return {{"error", fmt::format("{}: cannot be written", name)}};
  ::unlink(name.c_str());
  const std::vector<char> block(4096, 'f');
  std::vector<double> micros;
  for (int i = 0; i < calls; ++i) {
    const auto start = base::now();
    if (::write(fd, block.data(), block.size()) < 0 || ::fdatasync(fd) != 0) break;
    micros.push_back(std::chrono::duration<double, std::micro>(base::now() - start).count());
  }
  ::close(fd);
  if (micros.empty()) return {{"fsync_error", "fdatasync failed"}};
  std::ranges::sort(micros);
  const auto to_ns = [](double us) { return static_cast<std::int64_t>(us * 1000); };
  return {{"fsync_calls", micros.size()},
          {"fsync_latency_p50_ns", to_ns(quantile_us(micros, 0.5))},
          {"fsync_latency_p99_ns", to_ns(quantile_us(micros, 0.99))},
          {"fsync_latency_max_ns", to_ns(micros.back())}};
}

std::string postgres_version() {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator("/usr/lib/postgresql", error)) {
    const fs::path program = entry.path() / "bin" / "postgres";
    if (fs::exists(program, error)) return version_line({program.string(), "--version"});
  }
  return "";
}

}  // namespace

base::json::object host_facts(const fs::path& data) {
  std::error_code error;
  fs::create_directories(data, error);
  const fs::path folder = fs::weakly_canonical(data, error);
  utsname kernel{};
  ::uname(&kernel);
  const Mount mount = mount_of(folder);
  const std::string cpu = "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor";
  const std::string clock = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
  const std::string memory = field_of("/proc/meminfo", "MemTotal");
  const auto java = find_java();
  std::string os;
  std::istringstream release(read_text_file("/etc/os-release"));
  for (std::string line; std::getline(release, line);) {
    if (line.starts_with("PRETTY_NAME=\"")) os = line.substr(13, line.size() - 14);
  }
  base::json::object facts{{"host_name", kernel.nodename},
                           {"os", os},
                           {"kernel", fmt::format("{} {}", kernel.sysname, kernel.release)},
                           {"cpu_model", field_of("/proc/cpuinfo", "model name")},
                           {"cores", std::thread::hardware_concurrency()},
                           {"governor", first_line_of(cpu)},
                           {"memory_bytes", std::strtoull(memory.c_str(), nullptr, 10) * 1024},
                           {"clock_source", first_line_of(clock)},
                           {"java", java ? version_line({*java, "--version"}) : ""},
                           {"postgres", postgres_version()},
                           {"data_folder", folder.string()},
                           {"filesystem", mount.type},
                           {"disk", mount.device},
                           {"is_data_in_memory", mount.type == "tmpfs" || mount.type == "ramfs"}};
  for (const auto& [name, fact] : measure_fdatasync(folder)) facts[name] = fact;
  return facts;
}

}  // namespace flow::servers

// SPDX-License-Identifier: Apache-2.0
#include "servers/resources.hpp"

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <unistd.h>

#include "servers/proc.hpp"

namespace flow::servers {
namespace {

struct Process {
  std::uint64_t ticks_first = 0, ticks_last = 0;
  std::uint64_t written_first = 0, written_last = 0;
};

// One role and what is below its processes, over time.
struct Role {
  std::string name;
  std::vector<pid_t> pids;  // More than one when it was started again.
  std::map<std::pair<pid_t, std::uint64_t>, Process> processes;  // By pid and start time.
  std::uint64_t rss_now = 0;                                     // 0 when it is gone.
  std::uint64_t rss_max = 0;
  std::uint64_t rss_sum = 0;
  std::uint64_t samples = 0;
  std::uint64_t ticks_told = 0;  // At the sample that was told before.
};

double tick_seconds() {
  static const double seconds = 1.0 / static_cast<double>(::sysconf(_SC_CLK_TCK));
  return seconds;
}

// Adds what one process uses now; returns its resident bytes. `is_first`: what it used before the
// first sample is not ours. A process that appears later counts from its start.
std::uint64_t sample_process(Role& role, pid_t pid, bool is_first) {
  const auto stat = read_process_stat(pid);
  if (!stat || stat->state == 'Z') return 0;
  const auto io = read_text_file("/proc/" + std::to_string(pid) + "/io");
  const std::uint64_t written = parse_write_bytes(io).value_or(0);
  const std::uint64_t ticks = stat->user_ticks + stat->system_ticks;
  const auto [at, is_new] = role.processes.try_emplace({pid, stat->start_time});
  if (is_new && is_first) {
    at->second.ticks_first = ticks;
    at->second.written_first = written;
  }
  at->second.ticks_last = ticks;
  at->second.written_last = std::max(at->second.written_last, written);
  return stat->rss_pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

void sample_role(Role& role, const ProcessTree& tree, const std::set<pid_t>& roots, bool is_first) {
  std::uint64_t rss = 0;
  for (const pid_t root : role.pids) {
    rss += sample_process(role, root, is_first);
    for (const pid_t pid : tree.descendants_of(root, roots)) {
      rss += sample_process(role, pid, is_first);
    }
  }
  role.rss_now = rss;
  if (rss == 0) return;
  role.rss_max = std::max(role.rss_max, rss);
  role.rss_sum += rss;
  ++role.samples;
}

std::uint64_t ticks_of(const Role& role) {
  std::uint64_t ticks = 0;
  for (const auto& [key, process] : role.processes) {
    ticks += process.ticks_last - std::min(process.ticks_first, process.ticks_last);
  }
  return ticks;
}

RoleUse use_of(const Role& role) {
  RoleUse use;
  use.role = role.name;
  for (const auto& [key, process] : role.processes) {
    use.write_bytes += process.written_last - std::min(process.written_first, process.written_last);
  }
  use.cpu_seconds = static_cast<double>(ticks_of(role)) * tick_seconds();
  use.rss_bytes_max = role.rss_max;
  use.rss_bytes_mean = role.samples == 0 ? 0 : role.rss_sum / role.samples;
  return use;
}

double fraction(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

MachineStat read_machine() {
  return parse_machine_stat(read_text_file("/proc/stat")).value_or(MachineStat{});
}

std::optional<std::uint64_t> read_device(std::optional<DeviceId> device) {
  if (!device) return std::nullopt;
  return parse_device_write_bytes(read_text_file("/proc/diskstats"), *device);
}

MachineUse use_between(const MachineStat& from, const MachineStat& to) {
  const std::uint64_t total = to.total() - from.total();
  const std::uint64_t quiet = (to.idle - from.idle) + (to.iowait - from.iowait);
  MachineUse use;
  use.cpu_fraction = fraction(total - std::min(quiet, total), total);
  use.iowait_fraction = fraction(to.iowait - from.iowait, total);
  use.steal_fraction = fraction(to.steal - from.steal, total);
  return use;
}

}  // namespace

struct ResourceSampler::Impl {
  std::mutex mutex;
  std::condition_variable changed;
  bool is_stopping = false;
  std::thread thread;
  base::TimePoint started_at;
  std::vector<Role> roles;
  std::set<pid_t> roots;  // A role that is below another one counts once, for itself.
  MachineStat machine_first, machine_last;
  MachineStat machine_told;
  base::TimePoint told_at;
  double steal_max = 0;
  std::optional<DeviceId> device;
  std::optional<std::uint64_t> written_first;
  OnSample on_sample;

  // Shares go by the time that passed: a thread that was late has seen more than one interval.
  void tell() {
    if (!on_sample) return;
    const auto now = base::now();
    const double seconds = std::chrono::duration<double>(now - told_at).count();
    ResourceSample sample;
    for (auto& role : roles) {
      const std::uint64_t ticks = ticks_of(role);
      const double cpu = static_cast<double>(ticks - role.ticks_told) * tick_seconds();
      role.ticks_told = ticks;
      sample.roles.push_back({role.name, seconds > 0 ? cpu / seconds : 0, role.rss_now});
    }
    sample.machine = use_between(machine_told, machine_last);
    sample.machine_so_far = use_between(machine_first, machine_last);
    machine_told = machine_last;
    told_at = now;
    on_sample(sample);
  }

  void sample(bool is_first) {
    const ProcessTree tree = ProcessTree::read();
    for (auto& role : roles) sample_role(role, tree, roots, is_first);
    const MachineStat now = read_machine();
    if (is_first) {
      machine_first = now;
    } else if (now.total() > machine_last.total()) {
      steal_max = std::max(steal_max, use_between(machine_last, now).steal_fraction);
    }
    machine_last = now;
  }

  void run(base::Nanos interval) {
    auto next = base::now() + interval;
    std::unique_lock lock(mutex);
    while (!changed.wait_until(lock, next, [this] { return is_stopping; })) {
      sample(false);
      tell();
      next = std::max(next + interval, base::now());
    }
  }
};

ResourceSampler::ResourceSampler(std::filesystem::path data) : data_(std::move(data)) {}

ResourceSampler::~ResourceSampler() {
  if (impl_) (void)stop();
}

void ResourceSampler::start(std::vector<ProcessInfo> processes, base::Nanos interval,
                            OnSample on_sample) {
  if (impl_) (void)stop();
  impl_ = std::make_unique<Impl>();
  for (auto& process : processes) {
    impl_->roots.insert(process.pid);
    Role& role = impl_->roles.emplace_back();
    role.name = std::move(process.role);
    role.pids = {process.pid};
  }
  impl_->started_at = base::now();
  if (!data_.empty()) impl_->device = device_of(data_.string());
  impl_->written_first = read_device(impl_->device);
  impl_->sample(true);
  impl_->on_sample = std::move(on_sample);
  impl_->machine_told = impl_->machine_last;
  impl_->told_at = impl_->started_at;
  impl_->thread = std::thread([impl = impl_.get(), interval] {
    pthread_setname_np(pthread_self(), "resources");
    impl->run(interval);
  });
}

void ResourceSampler::update(const std::vector<ProcessInfo>& processes) {
  if (!impl_) return;
  const std::lock_guard lock(impl_->mutex);
  for (const auto& process : processes) {
    const auto role = std::ranges::find(impl_->roles, process.role, &Role::name);
    if (role == impl_->roles.end()) continue;
    if (std::ranges::find(role->pids, process.pid) != role->pids.end()) continue;
    role->pids.push_back(process.pid);
    impl_->roots.insert(process.pid);
  }
}

ResourceUse ResourceSampler::stop() {
  ResourceUse use;
  if (!impl_) return use;
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->is_stopping = true;
  }
  impl_->changed.notify_all();
  impl_->thread.join();
  impl_->sample(false);
  for (const auto& role : impl_->roles) use.roles.push_back(use_of(role));
  use.machine = use_between(impl_->machine_first, impl_->machine_last);
  use.machine.steal_fraction_max = impl_->steal_max;
  const auto written = read_device(impl_->device);
  if (written && impl_->written_first && *written >= *impl_->written_first) {
    use.machine.device_write_bytes = *written - *impl_->written_first;
  }
  use.machine.seconds = std::chrono::duration<double>(base::now() - impl_->started_at).count();
  impl_.reset();
  return use;
}

base::json::object to_json(const ResourceUse& use) {
  base::json::array roles;
  for (const auto& role : use.roles) {
    roles.push_back(base::json::object{{"role", role.role},
                                       {"cpu_seconds", role.cpu_seconds},
                                       {"rss_bytes_max", role.rss_bytes_max},
                                       {"rss_bytes_mean", role.rss_bytes_mean},
                                       {"write_bytes", role.write_bytes}});
  }
  return {{"roles", std::move(roles)},
          {"machine", base::json::object{{"seconds", use.machine.seconds},
                                         {"cpu_fraction", use.machine.cpu_fraction},
                                         {"iowait_fraction", use.machine.iowait_fraction},
                                         {"steal_fraction", use.machine.steal_fraction},
                                         {"steal_fraction_max", use.machine.steal_fraction_max}}}};
}

}  // namespace flow::servers

// What processes and the machine use while a trial runs, sampled once per second on a thread of its
// own, and what kind of machine this is.
// Thread: start(), update() and stop() from one thread, any.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/json.hpp"
#include "base/result.hpp"
#include "servers/server.hpp"

namespace flow::servers {

// Between start() and stop(), of a process and everything below it that is no role of its own.
struct RoleUse {
  std::string role;
  double cpu_seconds = 0;  // User and system.
  std::uint64_t rss_bytes_max = 0;
  std::uint64_t rss_bytes_mean = 0;
  std::uint64_t write_bytes = 0;  // Sent to storage; 0 where /proc/PID/io may not be read.
};

struct MachineUse {
  double seconds = 0;
  double cpu_fraction = 0;  // Busy, of all cores: 1 = all of them, all the time.
  double iowait_fraction = 0;
  double steal_fraction = 0;      // Taken by the hypervisor.
  double steal_fraction_max = 0;  // Of the worst second.
  // Written to the device of the data folder by everything on this machine; none where that device
  // is not known. Only of stop().
  std::optional<std::uint64_t> device_write_bytes = {};
};

struct ResourceUse {
  std::vector<RoleUse> roles;  // In the order of start().
  MachineUse machine;
};

// What was seen at one moment while the sampler runs.
struct ResourceSample {
  struct Role {
    std::string role;
    double cpu_share = 0;         // Of one core, since the sample before: 2 = two cores.
    std::uint64_t rss_bytes = 0;  // 0 when the process is gone.
  };
  std::vector<Role> roles;    // In the order of start().
  MachineUse machine;         // Since the sample before.
  MachineUse machine_so_far;  // Since start().
};

class ResourceSampler {
 public:
  // On the sampler's thread, after each interval; must not call the sampler.
  using OnSample = std::function<void(const ResourceSample&)>;

  // `data`: a folder whose device is watched as well; empty: none.
  explicit ResourceSampler(std::filesystem::path data = {});
  ~ResourceSampler();

  void start(std::vector<ProcessInfo> processes, base::Nanos interval = std::chrono::seconds(1),
             OnSample on_sample = {});
  // Roles as they run now: one that was started again is followed in its new process as well.
  void update(const std::vector<ProcessInfo>& processes);
  // Takes a last sample, ends the thread. A process that died keeps what was seen of it.
  ResourceUse stop();

 private:
  struct Impl;
  std::filesystem::path data_;
  std::unique_ptr<Impl> impl_;
};

base::json::object to_json(const ResourceUse& use);

// CPU model, cores, memory, kernel, filesystem and device of `data`, clock source, governor, Java,
// PostgreSQL, and the measured latency of 200 fdatasync calls after 4 KiB each at `data`.
base::json::object host_facts(const std::filesystem::path& data);

}  // namespace flow::servers

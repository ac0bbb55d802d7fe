// The servers that `flow up` left running on purpose: one JSON file per name under <cache>/up/,
// written by the process that keeps them (the keeper) and locked by it as long as it lives.
// Thread: any; plain values.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "base/clock.hpp"
#include "base/json.hpp"
#include "base/result.hpp"
#include "servers/run_directory.hpp"
#include "servers/server.hpp"

namespace flow::servers {

struct KeptProcess {
  std::string role;
  pid_t pid = 0;
  std::uint64_t start_time = 0;  // Of /proc/PID/stat.
};

struct UpEntry {
  std::string name;      // Chosen by the operator; the platform's when not.
  std::string platform;  // "kafka", "pulsar", "pinot", "postgres"
  std::string level;     // Empty for PostgreSQL.
  std::string service;   // What clients connect to.
  std::string admin;     // Admin URL of Pulsar, of Pinot's controller, else empty.
  std::string directory;
  KeptProcess keeper;
  std::vector<KeptProcess> processes;
  std::int64_t started_unix_ns = 0;
  bool is_ready = false;  // False while the keeper is still starting them.
};

base::json::object to_json(const UpEntry& entry);
base::Result<UpEntry> up_entry_from(const base::json::value& value, const std::string& file);

// "ok", or what is wrong: "kafka-2 is gone", "starting", "nobody keeps them".
std::string health_of(const UpEntry& entry);

// Letters, digits, - and _, 1 to 32 of them. Errc::config otherwise.
base::Result<void> check_name(const std::string& name);

class Registry {
 public:
  explicit Registry(std::filesystem::path cache = cache_directory());

  // Held by the keeper for its life. Errc::config when the name is taken.
  class Claim {
   public:
    Claim(const Registry& registry, std::string name, int lock);
    ~Claim();  // Removes the entry, its log and the lock.
    Claim(const Claim&) = delete;
    Claim& operator=(const Claim&) = delete;
    base::Result<void> write(const UpEntry& entry);  // Atomic.

   private:
    std::filesystem::path folder_;
    std::string name_;
    int lock_;
  };
  base::Result<std::unique_ptr<Claim>> claim(const std::string& name) const;

  // By name. Entries whose keeper died are removed first: the sweep has ended their servers.
  std::vector<UpEntry> list() const;

  std::filesystem::path log_of(const std::string& name) const;  // What the keeper prints.

 private:
  std::filesystem::path folder_;
};

// Asks the keeper to end its servers in order, waits, and after `within` kills it and sweeps.
// Errc::timed_out when even that did not help.
base::Result<void> end_kept(const UpEntry& entry, const ProgressText& progress, base::Nanos within);

}  // namespace flow::servers

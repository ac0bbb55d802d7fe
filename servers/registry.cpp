// SPDX-License-Identifier: Apache-2.0
#include "servers/registry.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <signal.h>
#include <thread>
#include <unistd.h>

#include <fmt/format.h>
#include <sys/file.h>

#include "servers/proc.hpp"
#include "servers/settings_text.hpp"
#include "servers/wait.hpp"

namespace flow::servers {
namespace {

namespace fs = std::filesystem;
using base::Errc;
using base::fail;
using base::Result;

base::json::object to_object(const KeptProcess& process) {
  return {{"role", process.role}, {"pid", process.pid}, {"start_time", process.start_time}};
}

Result<KeptProcess> process_from(const base::JsonView& view) {
  KeptProcess process;
  const auto role = view.at("role");
  const auto pid = view.at("pid");
  const auto start_time = view.at("start_time");
  for (const auto* part : {&role, &pid, &start_time}) {
    if (!*part) return std::unexpected(part->error());
  }
  const auto role_text = role->text();
  const auto pid_number = pid->whole_number();
  const auto start_number = start_time->whole_number();
  if (!role_text) return std::unexpected(role_text.error());
  if (!pid_number) return std::unexpected(pid_number.error());
  if (!start_number) return std::unexpected(start_number.error());
  process.role = *role_text;
  process.pid = static_cast<pid_t>(*pid_number);
  process.start_time = static_cast<std::uint64_t>(*start_number);
  return process;
}

Result<void> read_text(const base::JsonView& view, std::string_view key, std::string& out) {
  const auto member = view.at(key);
  if (!member) return std::unexpected(member.error());
  const auto text = member->text();
  if (!text) return std::unexpected(text.error());
  out = *text;
  return {};
}

bool runs(const KeptProcess& process) { return is_same_process(process.pid, process.start_time); }

// -1 when somebody else holds it.
int take_lock(const fs::path& file) {
  const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd >= 0 && ::flock(fd, LOCK_EX | LOCK_NB) == 0) return fd;
  if (fd >= 0) ::close(fd);
  return -1;
}

void remove_files(const fs::path& folder, const std::string& name) {
  std::error_code ignored;
  for (const char* ending : {".json", ".log", ".lock"})
    fs::remove(folder / (name + ending), ignored);
}

}  // namespace

base::json::object to_json(const UpEntry& entry) {
  base::json::array processes;
  for (const auto& process : entry.processes) processes.push_back(to_object(process));
  return {{"name", entry.name},
          {"platform", entry.platform},
          {"level", entry.level},
          {"service", entry.service},
          {"admin", entry.admin},
          {"directory", entry.directory},
          {"keeper", to_object(entry.keeper)},
          {"processes", std::move(processes)},
          {"started_unix_ns", entry.started_unix_ns},
          {"is_ready", entry.is_ready}};
}

Result<UpEntry> up_entry_from(const base::json::value& value, const std::string& file) {
  const base::JsonView view(value, file + ": ");
  UpEntry entry;
  for (const auto& [key, out] : {std::pair<std::string_view, std::string*>{"name", &entry.name},
                                 {"platform", &entry.platform},
                                 {"level", &entry.level},
                                 {"service", &entry.service},
                                 {"admin", &entry.admin},
                                 {"directory", &entry.directory}}) {
    if (auto read = read_text(view, key, *out); !read) return std::unexpected(read.error());
  }
  const auto keeper = view.at("keeper");
  if (!keeper) return std::unexpected(keeper.error());
  auto keeper_process = process_from(*keeper);
  if (!keeper_process) return std::unexpected(keeper_process.error());
  entry.keeper = std::move(*keeper_process);
  const auto processes = view.at("processes");
  if (!processes) return std::unexpected(processes.error());
  const auto list = processes->array();
  if (!list) return std::unexpected(list.error());
  for (const auto& item : **list) {
    auto process = process_from(base::JsonView(item, processes->path()));
    if (!process) return std::unexpected(process.error());
    entry.processes.push_back(std::move(*process));
  }
  const auto started = view.at("started_unix_ns");
  const auto ready = view.at("is_ready");
  if (!started) return std::unexpected(started.error());
  if (!ready) return std::unexpected(ready.error());
  entry.started_unix_ns = started->whole_number().value_or(0);
  entry.is_ready = ready->boolean().value_or(false);
  return entry;
}

std::string health_of(const UpEntry& entry) {
  if (!runs(entry.keeper)) return "nobody keeps them";
  if (!entry.is_ready) return "starting";
  for (const auto& process : entry.processes) {
    const auto stat = read_process_stat(process.pid);
    if (!runs(process)) return process.role + " is gone";
    if (stat && stat->state == 'T') return process.role + " is frozen";
  }
  return "ok";
}

Result<void> check_name(const std::string& name) {
  const auto is_good = [](unsigned char c) { return std::isalnum(c) || c == '-' || c == '_'; };
  if (!name.empty() && name.size() <= 32 && std::ranges::all_of(name, is_good)) return {};
  return fail(Errc::config, "name '{}': expected 1 to 32 letters, digits, - and _", name);
}

Registry::Registry(fs::path cache) : folder_(std::move(cache) / "up") {}

fs::path Registry::log_of(const std::string& name) const { return folder_ / (name + ".log"); }

Registry::Claim::Claim(const Registry& registry, std::string name, int lock)
    : folder_(registry.folder_), name_(std::move(name)), lock_(lock) {}

Registry::Claim::~Claim() {
  remove_files(folder_, name_);
  ::close(lock_);
}

Result<void> Registry::Claim::write(const UpEntry& entry) {
  const fs::path part = folder_ / ("." + name_ + ".part");
  if (auto ok = write_text_file(part, base::pretty_json(to_json(entry))); !ok) return ok;
  std::error_code error;
  fs::rename(part, folder_ / (name_ + ".json"), error);
  if (error) return fail(Errc::io, "{}: {}", part.string(), error.message());
  return {};
}

Result<std::unique_ptr<Registry::Claim>> Registry::claim(const std::string& name) const {
  if (auto ok = check_name(name); !ok) return std::unexpected(ok.error());
  std::error_code error;
  fs::create_directories(folder_, error);
  if (error) return fail(Errc::io, "{}: {}", folder_.string(), error.message());
  const int lock = take_lock(folder_ / (name + ".lock"));
  if (lock >= 0) return std::make_unique<Claim>(*this, name, lock);
  return fail(Errc::config,
              "'{0}' is up already: 'flow down {0}' ends it, --name gives another one a name",
              name);
}

std::vector<UpEntry> Registry::list() const {
  std::vector<UpEntry> entries;
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& file : fs::directory_iterator(folder_, error)) {
    if (file.path().extension() == ".json") names.push_back(file.path().stem().string());
  }
  std::ranges::sort(names);
  for (const auto& name : names) {
    const int lock = take_lock(folder_ / (name + ".lock"));
    if (lock >= 0) {  // Its keeper is dead.
      remove_files(folder_, name);
      ::close(lock);
      continue;
    }
    const std::string file = (folder_ / (name + ".json")).string();
    auto value = base::read_json_file(file);
    if (!value) continue;  // Removed just now.
    if (auto entry = up_entry_from(*value, file)) entries.push_back(std::move(*entry));
  }
  return entries;
}

Result<void> end_kept(const UpEntry& entry, const ProgressText& progress, base::Nanos within) {
  if (runs(entry.keeper)) ::kill(entry.keeper.pid, SIGTERM);
  Wait wait(entry.name, progress, within);
  const auto is_gone = [&] { return !runs(entry.keeper); };
  const auto keep_waiting = [] { return Result<void>(); };
  if (wait.until("ending its servers in order", is_gone, keep_waiting)) return {};
  if (runs(entry.keeper)) ::kill(entry.keeper.pid, SIGKILL);
  Wait last(entry.name, progress, std::chrono::seconds(5));
  if (auto gone = last.until("killing what did not end", is_gone, keep_waiting); !gone) return gone;
  sweep_leftovers();
  return {};
}

}  // namespace flow::servers

// SPDX-License-Identifier: Apache-2.0
#include "servers/server.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace flow::servers {

namespace fs = std::filesystem;
using base::Errc;
using base::fail;
using base::Result;

Server::~Server() { discard_processes(); }

void Server::discard_processes() {
  for (auto& member : members_) member.process->kill_group(SIGKILL);
  members_.clear();
}

base::Error Server::explained(base::Error error) const {
  if (error.code == Errc::timed_out && !members_.empty()) {
    error.what += fmt::format("; the end of the logs:\n{}", log_tail(6));
  }
  return error;
}

Result<ChildProcess*> Server::start_process(SpawnOptions options) {
  if (options.log_path.empty()) {
    const fs::path folder = run_->path() / "logs";
    std::error_code error;
    fs::create_directories(folder, error);
    options.log_path = folder / (options.name + ".log");
  }
  auto child = run_->spawn(options);
  if (!child) return std::unexpected(child.error());
  members_.push_back({std::move(*child), std::move(options), false});
  return members_.back().process.get();
}

Result<void> Server::require_ended(std::string_view role) const {
  if (auto ok = require_role(role); !ok) return ok;
  const ChildProcess* process = find(role);
  if (process->exited()) return {};
  return fail(Errc::io, "{}: runs already (pid {})", role, process->pid());
}

Result<ChildProcess*> Server::start_again(std::string_view role) {
  if (auto ended = require_ended(role); !ended) return std::unexpected(ended.error());
  const auto member = std::ranges::find_if(
      members_, [role](const Member& one) { return one.process->name() == role; });
  auto child = run_->spawn(member->options);
  if (!child) return std::unexpected(child.error());
  member->process = std::move(*child);
  member->is_expected_to_be_gone = false;
  return member->process.get();
}

ChildProcess* Server::find(std::string_view role) const {
  for (const auto& member : members_) {
    if (member.process->name() == role) return member.process.get();
  }
  return nullptr;
}

std::vector<ProcessInfo> Server::processes() const {
  std::vector<ProcessInfo> processes;
  for (const auto& member : members_) {
    if (member.process->exited()) continue;
    processes.push_back({member.process->name(), member.process->pid()});
  }
  return processes;
}

Result<void> Server::check_alive() const {
  for (const auto& member : members_) {
    if (member.is_expected_to_be_gone || !member.process->exited()) continue;
    const std::string tail = member.process->log_tail(25);
    return fail(Errc::io, "{} has ended by itself ({}); the end of its log:\n{}",
                member.process->name(), member.process->exit_text(),
                tail.empty() ? "(nothing was logged)\n" : tail);
  }
  return {};
}

Result<void> Server::require_role(std::string_view role) const {
  if (find(role)) return {};
  std::vector<std::string> names;
  for (const auto& member : members_) names.push_back(member.process->name());
  return fail(Errc::config, "{}: there is no such role; expected one of {}", role,
              fmt::join(names, ", "));
}

Result<ChildProcess*> Server::find_running(std::string_view role) const {
  if (auto ok = require_role(role); !ok) return std::unexpected(ok.error());
  ChildProcess* process = find(role);
  if (process->exited()) return fail(Errc::io, "{}: does not run: {}", role, process->exit_text());
  return process;
}

Result<void> Server::freeze(std::string_view role) {
  auto process = find_running(role);
  if (!process) return std::unexpected(process.error());
  (*process)->kill(SIGSTOP);
  return {};
}

Result<void> Server::thaw(std::string_view role) {
  auto process = find_running(role);
  if (!process) return std::unexpected(process.error());
  (*process)->kill(SIGCONT);
  return {};
}

Result<ChildProcess*> Server::give_up(std::string_view role) {
  auto process = find_running(role);
  if (!process) return process;
  for (auto& member : members_) {
    if (member.process.get() == *process) member.is_expected_to_be_gone = true;
  }
  return process;
}

Result<void> Server::kill(std::string_view role) {
  auto process = give_up(role);
  if (!process) return std::unexpected(process.error());
  (*process)->kill_group(SIGKILL);
  if (!(*process)->wait_exit(base::now() + std::chrono::seconds(10))) {
    return fail(Errc::timed_out, "{}: still there 10 s after SIGKILL", role);
  }
  return {};
}

Result<void> Server::terminate(std::string_view role, base::Nanos within) {
  auto process = give_up(role);
  if (!process) return std::unexpected(process.error());
  (*process)->kill(SIGTERM);
  if (!(*process)->wait_exit(base::now() + within)) {
    return fail(Errc::timed_out, "{}: still there {} s after SIGTERM", role,
                std::chrono::duration_cast<std::chrono::seconds>(within).count());
  }
  return {};
}

Result<void> Server::restart(std::string_view role, base::Nanos) {
  if (auto ok = require_role(role); !ok) return ok;
  return fail(Errc::config,
              "{}: cannot be started again; expected a role of Kafka, Pulsar or Pinot", role);
}

void Server::stop_processes(std::string_view prefix, base::Nanos grace, int signal) {
  std::vector<ChildProcess*> ending;
  for (auto& member : members_) {
    if (!member.process->name().starts_with(prefix)) continue;
    member.is_expected_to_be_gone = true;
    if (!member.process->exited()) ending.push_back(member.process.get());
  }
  for (auto* process : ending) {
    process->kill(signal);
    process->kill(SIGCONT);  // A frozen one would not hear it.
  }
  const auto deadline = base::now() + grace;
  for (auto* process : ending) {
    if (!process->wait_exit(deadline)) process->terminate(base::Nanos{0}, SIGKILL);
  }
}

std::string Server::log_tail(int lines) const {
  std::string text;
  for (const auto& member : members_) {
    text += fmt::format("--- {} ({})\n{}", member.process->name(), member.process->exit_text(),
                        member.process->log_tail(lines));
  }
  return text;
}

Result<void> Server::copy_logs_to(const fs::path& folder) const {
  std::error_code error;
  fs::create_directories(folder, error);
  for (const char* part : {"logs", "config"}) {
    const fs::path from = run_->path() / part;
    if (error || !fs::exists(from)) continue;
    fs::copy(from, folder, fs::copy_options::recursive | fs::copy_options::overwrite_existing,
             error);
  }
  if (error) return fail(Errc::io, "{}: {}", folder.string(), error.message());
  return {};
}

}  // namespace flow::servers

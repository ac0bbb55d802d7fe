// SPDX-License-Identifier: Apache-2.0
#include "lab/trial/program.hpp"

#include <condition_variable>
#include <mutex>
#include <optional>

namespace flow::lab {

using base::Errc;
using base::fail;
using base::Result;
using base::json::object;

// What the supervisor's thread heard, and the trial's thread waits for.
struct Program::Lines {
  net::IoThread& io;
  std::function<void(const object&)> on_second;
  std::mutex mutex;
  std::condition_variable changed;
  std::optional<object> ready;
  std::optional<object> stopped;

  void take(std::string_view line) {
    auto parsed = base::parse_json(line, "line");
    if (!parsed || !parsed->is_object()) return;  // Not for us: it is in no contract.
    object& event = parsed->as_object();
    const auto* kind = event.if_contains("event");
    if (!kind || !kind->is_string()) return;
    if (kind->as_string() == "second") {
      io.post([on_second = on_second, event = std::move(event)] { on_second(event); });
      return;
    }
    const std::lock_guard lock(mutex);
    if (kind->as_string() == "ready")
      ready = std::move(event);
    else if (kind->as_string() == "stopped")
      stopped = std::move(event);
    changed.notify_all();
  }
};

Program::Program(std::string role, std::shared_ptr<Lines> lines,
                 std::unique_ptr<servers::ChildProcess> process)
    : role_(std::move(role)), lines_(std::move(lines)), process_(std::move(process)) {}

Result<std::unique_ptr<Program>> Program::start(servers::RunDirectory& run, net::IoThread& io,
                                                ProgramOptions options) {
  auto lines = std::make_shared<Lines>(io, std::move(options.on_second));
  servers::SpawnOptions spawn;
  spawn.name = options.role;
  spawn.command = std::move(options.command);
  spawn.environment = std::move(options.environment);
  spawn.log_path = std::move(options.log_path);
  spawn.on_line = [lines](std::string_view line) { lines->take(line); };
  auto process = run.spawn(std::move(spawn));
  if (!process) return std::unexpected(process.error());
  return std::unique_ptr<Program>(
      new Program(std::move(options.role), std::move(lines), std::move(*process)));
}

Result<object> Program::wait_ready(base::TimePoint deadline) {
  std::unique_lock lock(lines_->mutex);
  while (!lines_->ready && base::now() < deadline) {
    lines_->changed.wait_for(lock, std::chrono::milliseconds(20));
    if (!lines_->ready && process_->exited()) {
      return fail(Errc::io, "{} before it was ready:\n{}", end_text(), process_->log_tail(20));
    }
  }
  if (lines_->ready) return *lines_->ready;
  return fail(Errc::timed_out, "{}: not ready in time:\n{}", role_, process_->log_tail(20));
}

Result<object> Program::finish(base::Nanos grace) {
  const bool was_running = !process_->exited();
  const bool in_time = process_->terminate(grace);
  const std::lock_guard lock(lines_->mutex);
  if (lines_->stopped) return *lines_->stopped;
  if (was_running && !in_time) {
    return fail(Errc::timed_out, "{}: did not finish within {} s", role_,
                std::chrono::duration_cast<std::chrono::seconds>(grace).count());
  }
  return fail(Errc::io, "{}:\n{}", end_text(), process_->log_tail(20));
}

std::string Program::end_text() const {
  return fmt::format("{}: {}", role_, process_->exit_text());
}

}  // namespace flow::lab

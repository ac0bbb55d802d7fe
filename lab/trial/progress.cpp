// SPDX-License-Identifier: Apache-2.0
#include "lab/trial/progress.hpp"

#include <algorithm>
#include <chrono>
#include <unistd.h>

#include <fmt/format.h>

#include "lab/plan/estimate.hpp"

namespace flow::lab {
namespace {

using namespace std::chrono_literals;

constexpr auto redraw_every = 200ms;  // On a terminal.
constexpr auto line_every = 4s;       // In a pipe.

std::string bar_of(double share) {
  constexpr int width = 24;
  const int filled = static_cast<int>(std::clamp(share, 0.0, 1.0) * width);
  return fmt::format("[{:#<{}}{:.<{}}]", "", filled, "", width - filled);
}

}  // namespace

Progress::Progress(std::FILE* out)
    : out_(out), is_terminal_(isatty(fileno(out)) == 1), thread_([this] { heartbeat(); }) {}

Progress::~Progress() {
  finish();
  {
    const std::lock_guard lock(mutex_);
    stops_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

std::string Progress::line() const {
  const base::Nanos taken = base::now() - step_began_;
  std::string text = fmt::format("{}  {}", format_elapsed(taken), step_);
  if (share_ && *share_ > 0) {
    const auto left = base::Nanos{
        static_cast<std::int64_t>(static_cast<double>(taken.count()) * (1 / *share_ - 1))};
    text += fmt::format("  {}  {} left", bar_of(*share_), format_elapsed(left));
  }
  if (!text_.empty()) text += "  " + text_;
  return text;
}

void Progress::draw() {
  drawn_at_ = base::now();
  if (is_terminal_) {
    fmt::print(out_, "\r\033[K{}", line());
  } else {
    fmt::print(out_, "{}\n", line());
  }
  std::fflush(out_);
}

void Progress::step(std::string_view name) {
  finish();
  const std::lock_guard lock(mutex_);
  step_ = name;
  step_began_ = base::now();
  draw();
}

void Progress::update(std::string_view text, std::optional<double> done_share) {
  const std::lock_guard lock(mutex_);
  text_ = text;
  share_ = done_share;
  if (base::now() - drawn_at_ >=
      (is_terminal_ ? base::Nanos(redraw_every) : base::Nanos(line_every))) {
    draw();
  }
}

void Progress::note(std::string_view text) {
  const std::lock_guard lock(mutex_);
  fmt::print(out_, "{}{}\n", is_terminal_ ? "\r\033[K" : "", text);
  if (!step_.empty() && is_terminal_) draw();
  std::fflush(out_);
}

void Progress::finish() {
  const std::lock_guard lock(mutex_);
  if (step_.empty()) return;
  share_.reset();
  if (is_terminal_) {
    fmt::print(out_, "\r\033[K{}\n", line());
    std::fflush(out_);
  }
  step_.clear();
  text_.clear();
}

void Progress::heartbeat() {
  std::unique_lock lock(mutex_);
  while (!stops_) {
    wake_.wait_for(lock, is_terminal_ ? base::Nanos(redraw_every) : base::Nanos(500ms));
    if (stops_ || step_.empty()) continue;
    const base::Nanos since = base::now() - drawn_at_;
    if (since >= (is_terminal_ ? base::Nanos(redraw_every) : base::Nanos(line_every))) draw();
  }
}

}  // namespace flow::lab

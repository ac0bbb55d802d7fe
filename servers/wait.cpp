// SPDX-License-Identifier: Apache-2.0
#include "servers/wait.hpp"

#include <cstdlib>
#include <thread>
#include <unistd.h>

#include <fmt/format.h>

namespace flow::servers {

using base::Errc;
using base::fail;
using base::Result;

Wait::Wait(std::string who, ProgressText progress, base::Nanos within)
    : who_(std::move(who)),
      progress_(std::move(progress)),
      started_(base::now()),
      deadline_(started_ + within),
      told_at_(started_) {}

double Wait::seconds() const {
  return std::chrono::duration<double>(base::now() - started_).count();
}

void Wait::tell(const std::string& what) {
  const auto now = base::now();
  if (!progress_ || (what == told_ && now - told_at_ < std::chrono::seconds(4))) return;
  progress_(what == told_ ? fmt::format("{}: {} ({:.0f} s)", who_, what, seconds())
                          : fmt::format("{}: {}", who_, what));
  told_ = what;
  told_at_ = now;
}

Result<void> Wait::until(const std::string& what, const std::function<bool()>& is_done,
                         const std::function<Result<void>()>& check, base::Nanos pause) {
  tell(what);
  for (;;) {
    if (is_done()) return {};
    if (auto alive = check(); !alive) return alive;
    if (base::now() >= deadline_) {
      return fail(Errc::timed_out, "{}: {}: not done after {:.0f} s", who_, what, seconds());
    }
    tell(what);
    std::this_thread::sleep_for(pause);
  }
}

bool says_port_is_taken(std::string_view log) {
  for (const std::string_view words :
       {"Address already in use", "BindException", "could not bind", "Failed to bind"}) {
    if (log.find(words) != std::string_view::npos) return true;
  }
  return false;
}

Result<std::string> find_java() {
  if (const char* home = std::getenv("JAVA_HOME"); home && *home) {
    const std::string java = fmt::format("{}/bin/java", home);
    if (::access(java.c_str(), X_OK) == 0) return java;
    return fail(Errc::config, "JAVA_HOME={}: there is no bin/java in it", home);
  }
  std::string_view rest = std::getenv("PATH") ? std::getenv("PATH") : "/usr/bin:/bin";
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(':'), rest.size());
    const std::string java = fmt::format("{}/java", rest.substr(0, end));
    if (::access(java.c_str(), X_OK) == 0) return java;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return fail(Errc::config, "java: not in PATH; Debian's package is openjdk-17-jre-headless");
}

}  // namespace flow::servers

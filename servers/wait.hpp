// Waiting for a server with a deadline, a sign of life and an eye on its processes.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "servers/server.hpp"

namespace flow::servers {

class Wait {
 public:
  // `who` stands in errors: "kafka".
  Wait(std::string who, ProgressText progress, base::Nanos within);

  // Says something when it is due: at once for a new text, every 4 s for the same one.
  void tell(const std::string& what);

  // Calls `is_done` every few milliseconds. Errc::timed_out names `what` at the deadline; an error
  // of `check` (a process that died) ends it at once.
  base::Result<void> until(const std::string& what, const std::function<bool()>& is_done,
                           const std::function<base::Result<void>()>& check,
                           base::Nanos pause = std::chrono::milliseconds(20));

  base::TimePoint deadline() const { return deadline_; }
  double seconds() const;  // Since the start.

 private:
  std::string who_;
  ProgressText progress_;
  base::TimePoint started_;
  base::TimePoint deadline_;
  base::TimePoint told_at_;
  std::string told_;
};

// True when the text of a log says that somebody else has the port.
bool says_port_is_taken(std::string_view log);

// $JAVA_HOME/bin/java, else java of PATH; Errc::config when there is none.
base::Result<std::string> find_java();

}  // namespace flow::servers

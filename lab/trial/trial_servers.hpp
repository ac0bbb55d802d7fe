// The real servers of one trial: PostgreSQL, the platform of its cell and, where asked for, Pinot,
// started side by side. A trial of the null broker has no platform: its broker lives in the shop.
// Thread: the trial's main thread.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/json.hpp"
#include "base/result.hpp"
#include "lab/plan/experiment.hpp"
#include "lab/trial/progress.hpp"
#include "servers/cpu_limit.hpp"
#include "servers/kafka.hpp"
#include "servers/level.hpp"
#include "servers/pinot.hpp"
#include "servers/postgres.hpp"
#include "servers/pulsar.hpp"
#include "streaming/driver_choice.hpp"

namespace flow::lab {

class TrialServers {
 public:
  static base::Result<std::unique_ptr<TrialServers>> start(
      const std::string& platform, const servers::Level& level, const AnalyticsSettings& analytics,
      const streaming::DriverFactory& make_driver, Progress& progress);

  // From now on, for all of the platform's processes together. Errc::io says what is missing.
  base::Result<void> limit_platform(double cpus);

  const std::string& postgres_conninfo() const { return postgres_->conninfo(); }
  // Service, admin URL and the level's client settings.
  const streaming::DriverChoice& choice() const { return choice_; }

  const servers::Pinot* pinot() const { return pinot_.get(); }  // Null where none was started.

  // The server that has this role; "broker" is the platform's first one.
  base::Result<void> kill(const std::string& role);
  base::Result<void> restart(const std::string& role);  // After kill().
  base::Result<void> freeze(const std::string& role);
  base::Result<void> thaw(const std::string& role);

  // For the next trial on the same servers: the topics of the last one are deleted, and PostgreSQL
  // is a new one. After an error only stop() is of use.
  base::Result<void> clear(net::IoThread& io, const std::vector<std::string>& topics,
                           const streaming::DriverFactory& make_driver);
  int trials_before() const { return trials_before_; }  // That ran on these servers.

  std::vector<servers::ProcessInfo> processes() const;
  base::Result<void> check_alive() const;  // The first server that has ended, with its log's tail.
  // The platform itself, and not what runs beside it.
  bool has_platform_ended() const { return platform_ && !platform_->check_alive(); }
  base::json::object facts() const;  // By server.
  base::Result<void> copy_logs_to(const std::filesystem::path& folder) const;
  void stop();

 private:
  // The server of a role, and its own name for it.
  std::pair<servers::Server*, std::string> owner_of(const std::string& role);
  // In the order of their start.
  std::vector<servers::Server*> all() const;

  std::unique_ptr<servers::CpuLimit> limit_;  // Of the platform, whose processes end before it.
  std::unique_ptr<servers::Postgres> postgres_;
  std::unique_ptr<servers::Server> platform_;
  std::unique_ptr<servers::Pinot> pinot_;
  streaming::DriverChoice choice_;
  int trials_before_ = 0;
};

}  // namespace flow::lab

// The real servers of one trial: PostgreSQL and the platform of its cell, started side by side.
// Thread: the trial's main thread.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "base/result.hpp"
#include "lab/progress.hpp"
#include "servers/kafka.hpp"
#include "servers/level.hpp"
#include "servers/postgres.hpp"
#include "servers/pulsar.hpp"
#include "streaming/driver_choice.hpp"

namespace flow::lab {

class TrialServers {
 public:
  static base::Result<std::unique_ptr<TrialServers>> start(
      const std::string& platform, const servers::Level& level,
      const streaming::DriverFactory& make_driver, Progress& progress);

  const std::string& postgres_conninfo() const { return postgres_->conninfo(); }
  // Service, admin URL and the level's client settings.
  const streaming::DriverChoice& choice() const { return choice_; }

  std::vector<servers::ProcessInfo> processes() const;
  base::Result<void> check_alive() const;  // The first server that has ended, with its log's tail.
  base::json::object facts() const;        // By server.
  base::Result<void> copy_logs_to(const std::filesystem::path& folder) const;
  void stop();

 private:
  std::unique_ptr<servers::Postgres> postgres_;
  std::unique_ptr<servers::Server> platform_;
  streaming::DriverChoice choice_;
};

}  // namespace flow::lab

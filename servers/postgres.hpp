// A private PostgreSQL on this machine: its own data directory, a Unix socket in it and TCP on
// 127.0.0.1 at a port that the kernel picked. Whoever is on this machine gets in without a
// password.
// Thread: as Server.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "servers/level.hpp"
#include "servers/server.hpp"

namespace flow::servers {

class Wait;

struct PostgresOptions {
  ProgressText progress = {};
  base::Nanos ready_within = std::chrono::seconds(30);
  std::string database = "shop";
  Settings settings = {};                    // Of postgresql.conf, on top of Flow's own.
  std::filesystem::path bin_directory = {};  // With initdb and postgres; empty: Debian's newest.
};

class Postgres final : public Server {
 public:
  // Runs as the user postgres, else nobody, when this process is root (PostgreSQL refuses root).
  // fsync and synchronous_commit are on: a row that was answered for is on disk.
  static base::Result<std::unique_ptr<Postgres>> start(PostgresOptions options);
  ~Postgres() override;

  std::string_view platform() const override { return "postgres"; }
  void stop() override;

  // For libpq, over TCP: "postgresql://flow@127.0.0.1:1234/shop". The role is "postgres".
  const std::string& conninfo() const { return conninfo_; }
  // The same through the Unix socket.
  const std::string& socket_conninfo() const { return socket_conninfo_; }

 private:
  using Server::Server;

  base::Result<void> initialize(const std::filesystem::path& bin, const std::string& user,
                                Wait& wait);
  base::Result<void> start_once(const PostgresOptions& options, const std::filesystem::path& bin,
                                const std::string& user, Wait& wait);
  base::Result<void> open_database(const PostgresOptions& options, const Wait& wait);

  std::filesystem::path home_;  // Of the user that it runs as.
  std::string conninfo_;
  std::string socket_conninfo_;
};

}  // namespace flow::servers

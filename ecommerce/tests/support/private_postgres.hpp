// A real PostgreSQL for tests: its own data directory and unix socket in a temporary directory, no
// TCP port, gone with the test process even when that crashes.
// Thread: the one that constructed it (the server dies with that thread).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <sys/types.h>

namespace flow::ecommerce::testing {

class PrivatePostgres {
 public:
  PrivatePostgres();  // Throws std::runtime_error with the server's log when it does not start.
  ~PrivatePostgres();
  PrivatePostgres(const PrivatePostgres&) = delete;
  PrivatePostgres& operator=(const PrivatePostgres&) = delete;

  std::string conninfo(const std::string& database = "postgres") const;

  // Creates an empty database and returns its conninfo.
  std::string create_database();
  // One value, as text, of a query.
  std::string query(const std::string& conninfo, const std::string& sql) const;

  void crash();   // As after a power loss: connections break at once.
  void start();   // Again, after crash().
  void freeze();  // SIGSTOP for every process of the server.
  void thaw();

 private:
  [[noreturn]] void exec_as_owner(const std::string& command) const;
  int run(const std::string& command) const;
  std::string log() const;

  std::string directory_;
  uid_t owner_ = 0;
  gid_t group_ = 0;
  pid_t server_ = -1;
  int databases_ = 0;
};

// One server for a whole test program.
PrivatePostgres& shared_postgres();

}  // namespace flow::ecommerce::testing

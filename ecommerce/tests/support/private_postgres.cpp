// SPDX-License-Identifier: Apache-2.0
#include "ecommerce/tests/support/private_postgres.hpp"

#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <grp.h>
#include <pwd.h>
#include <sstream>
#include <stdexcept>
#include <thread>
#include <unistd.h>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <libpq-fe.h>
#include <sys/prctl.h>
#include <sys/wait.h>

namespace flow::ecommerce::testing {
namespace {

using namespace std::chrono_literals;

constexpr const char* programs = "/usr/lib/postgresql/15/bin";

bool is_up(const std::string& conninfo) { return PQping(conninfo.c_str()) == PQPING_OK; }

// Direct children of a process, from /proc.
std::vector<pid_t> children_of(pid_t parent) {
  std::vector<pid_t> children;
  std::ifstream file(fmt::format("/proc/{0}/task/{0}/children", parent));
  for (pid_t child = 0; file >> child;) children.push_back(child);
  return children;
}

}  // namespace

PrivatePostgres::PrivatePostgres() {
  std::string name = "/tmp/flow-shop-postgres-XXXXXX";
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
  directory_ = name;
  owner_ = getuid();
  group_ = getgid();
  if (owner_ == 0) {  // The server refuses to run as root.
    const passwd* postgres = getpwnam("postgres");
    if (postgres == nullptr) throw std::runtime_error("no user postgres");
    owner_ = postgres->pw_uid;
    group_ = postgres->pw_gid;
    if (chown(directory_.c_str(), owner_, group_) != 0) throw std::runtime_error("chown failed");
  }
  const int made =
      run(fmt::format("exec {}/initdb -D {}/data -U flow --auth=trust --no-sync -E UTF8 --locale=C",
                      programs, directory_));
  if (made != 0) throw std::runtime_error("initdb failed:\n" + log());
  start();
}

PrivatePostgres::~PrivatePostgres() {
  if (server_ > 0) crash();
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

void PrivatePostgres::exec_as_owner(const std::string& command) const {
  const pid_t parent = getppid();
  setsid();
  if (getuid() == 0 && (setgroups(0, nullptr) != 0 || setgid(group_) != 0 || setuid(owner_) != 0)) {
    _exit(126);
  }
  prctl(PR_SET_PDEATHSIG, SIGQUIT);  // After setuid, which clears it.
  if (getppid() != parent) _exit(125);
  const std::string log_path = directory_ + "/log";
  const int log_file = open(log_path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  const int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
  dup2(nothing, 0);
  dup2(log_file, 1);
  dup2(log_file, 2);
  if (chdir(directory_.c_str()) != 0) _exit(124);
  execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
  _exit(127);
}

int PrivatePostgres::run(const std::string& command) const {
  const pid_t child = fork();
  if (child == 0) exec_as_owner(command);
  int status = 0;
  waitpid(child, &status, 0);
  return status;
}

void PrivatePostgres::start() {
  const std::string command = fmt::format(
      "exec {}/postgres -D {}/data -c listen_addresses= -c unix_socket_directories={} -c fsync=off "
      "-c max_connections=300 -c shared_buffers=32MB -c log_min_messages=fatal",
      programs, directory_, directory_);
  server_ = fork();
  if (server_ == 0) exec_as_owner(command);
  const auto deadline = std::chrono::steady_clock::now() + 30s;
  while (!is_up(conninfo())) {
    const bool is_dead = waitpid(server_, nullptr, WNOHANG) == server_;
    if (is_dead || std::chrono::steady_clock::now() > deadline) {
      throw std::runtime_error("PostgreSQL did not start:\n" + log());
    }
    std::this_thread::sleep_for(10ms);
  }
}

void PrivatePostgres::crash() {
  thaw();
  kill(server_, SIGQUIT);
  const auto deadline = std::chrono::steady_clock::now() + 10s;
  while (waitpid(server_, nullptr, WNOHANG) == 0) {
    if (std::chrono::steady_clock::now() > deadline) kill(server_, SIGKILL);
    std::this_thread::sleep_for(5ms);
  }
  server_ = -1;
}

void PrivatePostgres::freeze() {
  kill(server_, SIGSTOP);
  for (const pid_t child : children_of(server_)) kill(child, SIGSTOP);
}

void PrivatePostgres::thaw() {
  for (const pid_t child : children_of(server_)) kill(child, SIGCONT);
  kill(server_, SIGCONT);
}

std::string PrivatePostgres::log() const {
  std::ifstream file(directory_ + "/log");
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string PrivatePostgres::conninfo(const std::string& database) const {
  return fmt::format("host={} user=flow dbname={}", directory_, database);
}

std::string PrivatePostgres::create_database() {
  const std::string name = fmt::format("shop{}", ++databases_);
  query(conninfo(), "CREATE DATABASE " + name);
  return conninfo(name);
}

std::string PrivatePostgres::query(const std::string& conninfo, const std::string& sql) const {
  PGconn* const connection = PQconnectdb(conninfo.c_str());
  PGresult* const result = PQexec(connection, sql.c_str());
  const auto status = PQresultStatus(result);
  std::string value;
  if (status == PGRES_TUPLES_OK && PQntuples(result) > 0) value = PQgetvalue(result, 0, 0);
  if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
    ADD_FAILURE() << sql << ": " << PQerrorMessage(connection);
  }
  PQclear(result);
  PQfinish(connection);
  return value;
}

PrivatePostgres& shared_postgres() {
  static PrivatePostgres postgres;
  return postgres;
}

}  // namespace flow::ecommerce::testing

// A program that starts children and waits to be killed: what the tests do to it is what a user
// does to Flow with kill -9. Prints one "pid N" or "child N" a line, then "ready".
//   servers_test_parent sleepers CACHE | servers CACHE | pinot CACHE
// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <string_view>
#include <unistd.h>

#include "servers/kafka.hpp"
#include "servers/pinot.hpp"
#include "servers/postgres.hpp"
#include "servers/run_directory.hpp"

namespace flow::servers {
namespace {

void say(const char* word, long long number) {
  std::printf("%s %lld\n", word, number);
  std::fflush(stdout);
}

[[noreturn]] void wait_for_death() {
  std::puts("ready");
  std::fflush(stdout);
  for (;;) ::pause();
}

int fail(const base::Error& error) {
  std::printf("error %s\n", error.what.c_str());
  return 1;
}

int run_sleepers(const char* cache) {
  auto run = RunDirectory::create(cache);
  if (!run) return fail(run.error());
  SpawnOptions options;
  options.name = "sleeper";
  // The shell is the child, the sleep its grandchild; neither ends by itself.
  options.command = {"/bin/sh", "-c", "sleep 1000 & echo pid $!; wait"};
  options.on_line = [](std::string_view line) {
    std::printf("%.*s\n", static_cast<int>(line.size()), line.data());
    std::fflush(stdout);
  };
  auto child = (*run)->spawn(std::move(options));
  if (!child) return fail(child.error());
  say("child", (*child)->pid());
  wait_for_death();
}

int run_servers() {
  auto postgres = Postgres::start({.ready_within = std::chrono::seconds(60)});
  if (!postgres) return fail(postgres.error());
  auto level = load_level("fsync-1");
  if (!level) return fail(level.error());
  KafkaOptions options;
  options.level = level->kafka;
  options.ready_within = std::chrono::seconds(120);
  auto kafka = Kafka::start(std::move(options));
  if (!kafka) return fail(kafka.error());
  for (const auto& process : (*postgres)->processes()) say("pid", process.pid);
  for (const auto& process : (*kafka)->processes()) say("pid", process.pid);
  wait_for_death();
}

int run_pinot() {
  auto pinot = Pinot::start({});
  if (!pinot) return fail(pinot.error());
  wait_for_death();
}

}  // namespace
}  // namespace flow::servers

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const std::string_view mode = argv[1];
  if (mode == "pinot") return flow::servers::run_pinot();
  return mode == "servers" ? flow::servers::run_servers() : flow::servers::run_sleepers(argv[2]);
}

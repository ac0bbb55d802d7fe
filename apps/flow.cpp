// flow: the program. Adds the subcommands and hands over; each lives in a file of its own.
// SPDX-License-Identifier: Apache-2.0
#include <csignal>
#include <cstdio>
#include <exception>

#include "apps/command.hpp"
#include "apps/version.hpp"
#include "servers/run_directory.hpp"

namespace flow::apps {

int report_error(const base::Error& error) {
  std::fprintf(stderr, "flow: %s\n", error.what.c_str());
  return base::exit_code_of(error.code);
}

namespace {

void add_commands(CLI::App& root, int& exit_code) {
  add_demo(root, exit_code);
  add_run(root, exit_code);
  add_dashboard(root, exit_code);
  add_diff(root, exit_code);
  add_servers(root, exit_code);
  add_shop(root, exit_code);
  add_load(root, exit_code);
  add_auditor(root, exit_code);
  add_traffic(root, exit_code);
  add_pinot(root, exit_code);
}

// Ends and removes what a run that was killed has left.
void sweep() {
  const std::string text = servers::sweep_leftovers().text();
  if (!text.empty()) std::fprintf(stderr, "flow: %s\n", text.c_str());
}

int run(int argc, char** argv) {
  sweep();
  int exit_code = 0;
  CLI::App root("Flow measures event streaming platforms under bursty traffic, end to end.\n");
  root.name("flow");
  root.require_subcommand(1);
  root.set_version_flag("--version", std::string(version_text()));
  root.footer("Example: flow demo\nEach subcommand has --help with an example.");
  add_commands(root, exit_code);
  try {
    root.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const bool is_mistake = error.get_exit_code() != 0;
    root.exit(error);  // Prints help, version, or the mistake.
    return is_mistake ? 2 : exit_code;
  }
  return exit_code;
}

}  // namespace
}  // namespace flow::apps

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  try {
    return flow::apps::run(argc, argv);
  } catch (const std::exception& exception) {
    std::fprintf(stderr, "flow: an exception left the program: %s\n", exception.what());
    return 3;
  }
}

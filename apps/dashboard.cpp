// flow dashboard: watches a folder of results from a process of its own.
// SPDX-License-Identifier: Apache-2.0
#include "apps/dashboard.hpp"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <future>

#include <fmt/format.h>

#include "apps/command.hpp"
#include "apps/version.hpp"
#include "net/io_thread.hpp"
#include "net/signals.hpp"

namespace flow::apps {
namespace {

using base::Errc;
using base::fail;
using base::Result;

constexpr const char* default_folder = "results";
constexpr const char* token_variable = "FLOW_DASHBOARD_TOKEN";

Result<std::unique_ptr<DashboardServer>> start(const DashboardFlags& flags,
                                               const std::string& folder) {
  DashboardServerOptions options;
  options.folder = folder;
  options.address = flags.address;
  options.port = flags.port;
  // Not a flag: command lines can be read by everybody, and are written to results.
  if (const char* token = std::getenv(token_variable)) options.token = token;
  options.flow_facts = {{"version", version()}, {"commit", commit()}};
  return DashboardServer::start(std::move(options));
}

Result<void> serve(const DashboardFlags& flags, const std::string& folder, bool is_folder_given) {
  if (is_folder_given && !std::filesystem::is_directory(folder)) {
    return fail(Errc::config, "{}: no such folder; expected a folder of results or one result",
                folder);
  }
  auto dashboard = start(flags, folder);
  if (!dashboard) return std::unexpected(dashboard.error());
  std::promise<void> stop;
  net::IoThread signal_thread("flow-signals");
  const net::StopSignals signals(signal_thread, [&stop](int nth) {
    if (nth == 1) stop.set_value();
    if (nth > 1) std::_Exit(3);
  });
  fmt::print("Dashboard: {}\nIt shows {}. Ctrl-C ends it.\n", (*dashboard)->url(),
             std::filesystem::absolute(folder).lexically_normal().string());
  std::fflush(stdout);
  stop.get_future().wait();
  return {};
}

void add_address(CLI::App& command, DashboardFlags& flags, const std::string& prefix) {
  command
      .add_option(prefix + "address", flags.address,
                  "IP address to listen on; beyond this machine a token is asked for")
      ->capture_default_str();
  command.add_option(prefix + "port", flags.port, "0: a free one")
      ->check(CLI::Range(0, 65535))
      ->capture_default_str();
}

}  // namespace

void add_dashboard_flags(CLI::App& command, DashboardFlags& flags) {
  command.add_flag("--dashboard", flags.is_wanted, "A live page while it runs");
  add_address(command, flags, "--dashboard-");
}

Result<std::unique_ptr<DashboardServer>> start_dashboard_if_wanted(const DashboardFlags& flags,
                                                                   const std::string& results) {
  if (!flags.is_wanted) return nullptr;
  auto dashboard = start(flags, results);
  if (dashboard) fmt::print(stderr, "Dashboard: {}\n", (*dashboard)->url());
  return dashboard;
}

void add_dashboard(CLI::App& root, int& exit_code) {
  struct Flags {
    std::string folder = default_folder;
    DashboardFlags dashboard;
  };
  auto flags = std::make_shared<Flags>();
  auto* command = root.add_subcommand(
      "dashboard", "A live page about the experiment that runs, and the results so far");
  auto* folder = command->add_option("folder", flags->folder, "Folder of results, or one result")
                     ->capture_default_str();
  add_address(*command, flags->dashboard, "--");
  command->footer(
      "Example: flow dashboard results\nEnvironment: FLOW_DASHBOARD_TOKEN sets the "
      "token that is asked for (16 or more of A-Z a-z 0-9 - _)");
  command->callback([flags, folder, &exit_code] {
    auto served = serve(flags->dashboard, flags->folder, folder->count() > 0);
    exit_code = served ? 0 : report_error(served.error());
  });
}

}  // namespace flow::apps

// The dashboard over HTTP: the page, its events (server-sent, with Last-Event-ID), headline numbers
// of a result, and the reports that lie in the results. It reads and never writes.
//
// Who may ask: on a loopback address everybody on this machine, but no page of another site (the
// Host must be this machine's own name, so that a name that somebody else controls leads nowhere).
// On any other address, and where a token was given, only who sends it: `Authorization: Bearer
// TOKEN`. The page takes it from the fragment of its address, which browsers send to nobody. A
// report is opened by a link, which carries no header: its ticket is good for one request and half
// a minute. Nothing is logged.
// Thread: start() and the destructor from one thread, any but the server's own, which it has.
// Invariant: bounded clients, and a bounded queue for each.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "base/json.hpp"
#include "base/result.hpp"

namespace flow::apps {

struct DashboardServerOptions {
  std::filesystem::path folder = "results";  // lab::DashboardOptions::folder
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;              // 0: the kernel picks one.
  std::string token = {};              // Empty: none on loopback, a random one elsewhere.
  base::json::object flow_facts = {};  // version, commit.
  std::chrono::milliseconds poll_every{500};
  std::size_t clients_max = 16;  // That listen to events at a time.
};

class DashboardServer {
 public:
  // Errc::config: the address or the token; Errc::io: the port is taken.
  static base::Result<std::unique_ptr<DashboardServer>> start(DashboardServerOptions options);
  // Looks once more, tells what is new and that it ends, and closes: within two seconds.
  ~DashboardServer();
  DashboardServer(const DashboardServer&) = delete;
  DashboardServer& operator=(const DashboardServer&) = delete;

  std::uint16_t port() const;
  // What to open, with the token in the fragment where one is needed.
  std::string url() const;

 private:
  class Impl;
  explicit DashboardServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace flow::apps

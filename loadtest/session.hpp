// The set-up of a trial, before any measuring: signs the admin in, makes the ten products,
// registers the customers and signs them in. Closed: a few workers, each waiting for its answer.
// Every request is stamped and logged like a measured one, so that the sums over a trial's
// requests hold; its intended time is the moment at which it was begun.  Request numbers:
// first_request = the admin's sign-in, then the list of products, the ten products, one
// registration per user, one sign-in per user. A product that is there already is not made again;
// its number stays unused.
// Thread: open_session() waits on the calling thread.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "loadtest/request_log.hpp"
#include "net/url.hpp"

namespace flow::loadtest {

using base::Nanos;

struct SessionPlan {
  net::HttpUrl base;  // http://host:port, with or without /api/v1.
  std::string admin_email;
  std::string admin_password;
  std::uint32_t users = 100;  // At least 1.
  unsigned concurrency = 4;   // Workers, each with a connection and a thread.
  Nanos request_deadline = std::chrono::seconds(15);
  std::uint64_t trial = 1;  // Not 0; part of the customers' email addresses.
  std::uint64_t first_request = 1;
  base::ClockAnchor anchor = base::ClockAnchor::take();
};

struct Session {
  std::vector<std::string> tokens;  // By user index.
  std::uint64_t next_request = 0;   // The first number that the set-up did not use.
  std::uint64_t requests = 0;       // Made, and all answered.
};

// `on_progress(done, all)` is called several times per second on the calling thread. The error of
// the first request that failed names it and what came back; whatever was logged stays logged.
// Errc::io, timed_out: the server; Errc::refused: its answer; Errc::config: the plan, or
// the shop does not know the admin; cancelled.
base::Result<Session> open_session(
    const SessionPlan& plan, RequestSink* sink,
    const std::function<void(std::uint64_t done, std::uint64_t all)>& on_progress = {},
    const std::function<bool()>& is_cancelled = {});

}  // namespace flow::loadtest

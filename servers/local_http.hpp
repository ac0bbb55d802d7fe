// Asks a server of our own on 127.0.0.1 over HTTP: readiness probes and configuration read back.
// Thread: any; each object from one at a time.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <future>
#include <string>

#include "base/clock.hpp"
#include "base/json.hpp"
#include "base/result.hpp"
#include "net/http_client.hpp"

namespace flow::servers {

net::HttpUrl local_url(std::uint16_t port);

base::Result<net::HttpResponse> http_get(std::uint16_t port, const std::string& target,
                                         base::Nanos within);

// The object that a GET answers with; Errc::io for another status than 200, Errc::protocol for
// anything but an object.
base::Result<base::json::object> http_get_object(std::uint16_t port, const std::string& target);

// Asks again and again without holding up whoever waits, for answers that take seconds.
class HttpProbe {
 public:
  HttpProbe(std::uint16_t port, std::string target) : port_(port), target_(std::move(target)) {}

  // True when the answer to the last question was status 200; false while there is none yet.
  bool is_good();

 private:
  std::uint16_t port_;
  std::string target_;
  std::future<bool> answer_;  // Its destructor waits for the request's deadline at most.
};

}  // namespace flow::servers

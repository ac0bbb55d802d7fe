// The fastest HTTP server that we can make: one epoll thread that answers every request with the
// same few bytes. What the generator reaches against it is the generator's own ceiling and its own
// error, printed beside every result.
// Thread: start() and the destructor on one thread; port() and requests() from any.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>

#include "base/result.hpp"
#include "net/url.hpp"

namespace flow::loadtest {

class NullServer {
 public:
  // Listens on 127.0.0.1, on a port that the kernel picks. Errc::io.
  static base::Result<std::unique_ptr<NullServer>> start();
  virtual ~NullServer() = default;

  virtual std::uint16_t port() const = 0;
  virtual std::uint64_t requests() const = 0;  // Read so far.
  net::HttpUrl url() const { return {.host = "127.0.0.1", .port = port(), .path = ""}; }
};

}  // namespace flow::loadtest

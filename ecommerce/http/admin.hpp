// The administration port: /actuator/health and /actuator/prometheus, without tokens. It runs on
// another thread than the shop's requests and asks that thread, and the driver's, through checks.
// Thread: one IoThread.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "net/http.hpp"
#include "net/io_thread.hpp"

namespace flow::ecommerce {

struct ComponentHealth {
  bool is_up = false;
  base::json::object details;
};

class AdminService {
 public:
  struct Check {
    std::string name;                                 // "db"
    std::function<net::Task<ComponentHealth>()> run;  // Bounded in time; may hop to other threads.
  };

  // `metrics` gives the text exposition.
  AdminService(std::vector<Check> checks, std::function<std::string()> metrics);

  net::Task<net::HttpResponse> handle(net::HttpRequest request);

 private:
  net::Task<net::HttpResponse> health();

  std::vector<Check> checks_;
  std::function<std::string()> metrics_;
};

// Free space where the process works; down below 10 MiB.
ComponentHealth disk_health();

}  // namespace flow::ecommerce

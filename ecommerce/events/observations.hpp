// What the shop's HTTP thread tells the thread that keeps records and metrics, in batches.
// Thread: any; plain values.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "streaming/audit/records.hpp"

namespace flow::ecommerce {

struct RequestObservation {
  std::string_view method;  // A constant: "GET", or "OTHER".
  std::string_view uri;     // A constant, the template of the path: "/api/v1/products/{id}".
  std::uint16_t status = 0;
  base::Nanos service{};  // From the whole request to the whole answer, sockets not included.
  base::TimePoint answered;
};

struct Observations {
  std::vector<streaming::audit::AttemptRecord> attempts;  // Decided since the last batch.
  std::vector<RequestObservation> requests;

  // As of the moment of the batch.
  std::size_t places_used = 0;  // Of the driver's queue: reserved, or published and not decided.
  std::size_t places = 0;
  std::size_t connections_open = 0;
  std::size_t connections_idle = 0;
  std::size_t connections_waiting = 0;
  std::size_t passwords_queued = 0;
};

}  // namespace flow::ecommerce

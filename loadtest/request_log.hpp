// One entry for every intended request: the generator's side of the ledger. The generator hands the
// entries to a RequestSink while it runs; what becomes of them (a records file, a test's vector) is
// the sink's business.
// Moments are Unix ns by the trial's clock anchor; 0 = did not happen.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace flow::loadtest {

// How an intended request ended. Exactly one of these for each.
enum class RequestEnd : std::uint8_t {
  answered = 0,    // A whole answer came; `status` holds.
  failed = 1,      // Sent or not, the connection broke or the answer was no HTTP.
  unanswered = 2,  // Open, or still waiting for a connection, when the drain's deadline passed.
};

struct RequestEntry {
  std::uint64_t request = 0;  // Number in the trial, from 1.
  std::int64_t intended = 0;
  std::int64_t sent = 0;             // The last byte was handed to the kernel.
  std::int64_t answered = 0;         // Or the moment of failure, or the drain's deadline.
  std::int64_t connection_free = 0;  // A connection was ready: blocked time = this - intended.
  std::uint16_t status = 0;          // HTTP status when answered.
  RequestEnd end = RequestEnd::failed;
  std::uint8_t action = 0;  // traffic::ActionKind as a number.
  std::uint32_t user = 0;   // Index of the user it was made for.

  bool operator==(const RequestEntry&) const = default;
};

class RequestSink {
 public:
  // On the thread that runs the generator or the session, in the order in which the requests of
  // one shard ended.
  virtual void on_request(const RequestEntry& entry) = 0;

 protected:
  ~RequestSink() = default;  // Borrowed: it must outlive the run.
};

}  // namespace flow::loadtest

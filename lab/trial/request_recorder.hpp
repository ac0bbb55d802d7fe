// Takes the generator's entries into requests.records of a trial.
// Thread: the one that runs the generator.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>

#include "base/result.hpp"
#include "loadtest/request_log.hpp"
#include "streaming/audit/records.hpp"

namespace flow::lab {

class RequestRecorder final : public loadtest::RequestSink {
 public:
  using Writer = streaming::audit::RecordWriter<streaming::audit::RequestRecord>;
  explicit RequestRecorder(Writer writer) : writer_(std::move(writer)) {}

  void on_request(const loadtest::RequestEntry& entry) override {
    streaming::audit::RequestRecord record{};
    record.request = entry.request;
    record.intended = entry.intended;
    record.sent = entry.sent;
    record.answered = entry.answered;
    record.connection_free = entry.connection_free;
    record.status = entry.status;
    record.end = static_cast<streaming::audit::RequestEnd>(entry.end);
    record.action = entry.action;
    record.user = entry.user;
    writer_.append(record);
  }
  base::Result<void> flush() { return writer_.flush(); }

 private:
  Writer writer_;
};

}  // namespace flow::lab

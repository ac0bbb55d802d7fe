// Reads what the broker kept, while the trial runs: every record becomes a ReadRecord, and every
// record of the trial with an intended time a value of the end-to-end histogram. The sink only
// remembers; a second thread takes what has gathered, once per second, and writes it down, so that
// a slow disk delays no `seen`.
// Thread: the sink's calls on the driver's IoThread; write_second() and the rest on one other
// thread.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "measure/histogram.hpp"
#include "measure/interval_recorder.hpp"
#include "net/io_thread.hpp"
#include "streaming/audit/records.hpp"
#include "streaming/driver.hpp"

namespace flow::streaming::audit {

class Auditor final : public RecordSink {
 public:
  struct Options {
    std::uint64_t trial = 0;   // Records of other trials are written, and in no histogram.
    base::ClockAnchor anchor;  // Of the trial: moments become Unix ns with it.
    std::string records_path;  // A new file; one that is there is replaced.
  };

  // What one call of write_second() covers.
  struct Second {
    std::uint64_t seen = 0;         // Records of any trial.
    measure::Histogram end_to_end;  // Of this trial's records with an intended time.
  };

  // Errc::io when the file cannot be made.
  static base::Result<std::unique_ptr<Auditor>> create(Options options);

  void on_record(const Record& record) override;
  void on_consumer_error(const base::Error& error) override;

  // Takes what has gathered since the last call from `io` (the driver's thread), appends it to the
  // file and flushes. Errc::io when the disk refuses: reading goes on, the file is incomplete.
  base::Result<Second> write_second(net::IoThread& io);

  std::uint64_t records_written() const { return writer_.written(); }
  const measure::Histogram& end_to_end() const { return total_; }  // Of all seconds so far.

  // Why reading stopped before its end; from `io`, like the records.
  std::optional<base::Error> consumer_error(net::IoThread& io) const;

 private:
  Auditor(Options options, RecordWriter<ReadRecord> writer);

  Options options_;
  std::vector<ReadRecord> fresh_;              // IoThread.
  std::optional<base::Error> consumer_error_;  // IoThread.
  measure::IntervalRecorder recorder_;
  RecordWriter<ReadRecord> writer_;
  measure::Histogram total_;
};

// The record as the file has it. `anchor` turns its moment into Unix ns.
ReadRecord to_read_record(const Record& record, const base::ClockAnchor& anchor);

}  // namespace flow::streaming::audit

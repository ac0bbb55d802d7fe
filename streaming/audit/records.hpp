// The compact binary records that the processes of a trial append to its folder while it runs, and
// that the lab joins afterwards by (trial, request): requests.records (generator), attempts.records
// (shop), reads.records (auditor); in a trial with analytics also rows.records (what Pinot holds),
// probes.records and queries.records (what it was asked). A crash loses at most what was written
// since the last flush.
//
// File: 16 bytes of header (magic "FLOWREC" and a kind byte, u32 record size, u32 version), then
// records of fixed size, little endian, as these structs lie in memory (x86-64 and AArch64 agree).
// A torn last record is ignored and counted.
// Moments are Unix ns by the trial's clock anchor; 0 = did not happen or not known.
// Thread: a RecordWriter belongs to one thread.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/check.hpp"
#include "base/result.hpp"

namespace flow::streaming::audit {

// How an intended HTTP request ended. Exactly one of these for each.
enum class RequestEnd : std::uint8_t {
  answered = 0,    // A whole answer came; `status` holds.
  failed = 1,      // Sent or not, the connection broke or the answer was no HTTP.
  unanswered = 2,  // Open when the drain's deadline passed: right-censored there.
};

struct RequestRecord {
  std::uint64_t request;  // Number in the trial, from 1.
  std::int64_t intended;
  std::int64_t sent;      // The last byte was handed to the kernel.
  std::int64_t answered;  // Or the moment of failure, or the drain's deadline.
  std::int64_t
      connection_free;   // When a connection was ready for it: blocked time = this - intended.
  std::uint16_t status;  // HTTP status when answered.
  RequestEnd end;
  std::uint8_t action;  // traffic::ActionKind as a number.
  std::uint32_t user;   // Index of the user it was made for.

  bool operator==(const RequestRecord&) const = default;
};
static_assert(sizeof(RequestRecord) == 48);

// What became of one attempt to publish an event; streaming::Outcome plus the refusal.
enum class AttemptEnd : std::uint8_t {
  acked = 0,
  rejected = 1,
  timed_out = 2,
  lost = 3,
  queue_full = 4
};

struct AttemptRecord {
  std::uint64_t trial;  // 0 with request > 0: an event without a stamp, numbered by the shop.
  std::uint64_t request;
  std::int64_t intended;   // 0: no intended time.
  std::int64_t published;  // Handed to the driver.
  std::int64_t decided;    // Acked, rejected, timed out, lost or refused.
  std::uint64_t key_hash;  // key_hash() of the record's key.
  std::int16_t partition;  // -1: not known.
  std::uint8_t topic;      // 0 users, 1 products, 2 orders.
  AttemptEnd end;
  std::uint8_t event;  // ecommerce::EventName as a number.
  std::uint8_t reserved[3];

  bool operator==(const AttemptRecord&) const = default;
};
static_assert(sizeof(AttemptRecord) == 56);

struct ReadRecord {
  std::uint64_t trial;  // 0 and request 0: a record without a stamp.
  std::uint64_t request;
  std::int64_t intended;
  std::int64_t seen;
  std::uint64_t key_hash;
  std::uint64_t ledger;  // Position in the partition.
  std::uint64_t entry;
  std::uint32_t index;
  std::int16_t partition;
  std::uint8_t topic;
  std::uint8_t reserved;
  std::uint32_t payload_crc;  // CRC-32 (zlib) of the value.
  std::uint32_t payload_bytes;

  bool operator==(const ReadRecord&) const = default;
};
static_assert(sizeof(ReadRecord) == 72);

// One row of an analytics table, as queries return it after the drain.
struct RowRecord {
  std::uint64_t trial;  // 0 and request 0: a row without a stamp.
  std::uint64_t request;
  std::int64_t intended;  // 0: no intended time.
  std::int64_t ingested;  // When the server took the row; whole milliseconds of its wall clock.
  std::uint8_t topic;
  std::uint8_t reserved[7];

  bool operator==(const RowRecord&) const = default;
};
static_assert(sizeof(RowRecord) == 40);

// One sampled event that was asked for by SQL until an answer held it.
struct ProbeRecord {
  std::uint64_t request;
  std::int64_t intended;
  std::int64_t absent;    // The last question whose answer did not hold it was sent; 0: none was.
  std::int64_t asked;     // The question whose answer held it was sent; 0: it was never found.
  std::int64_t answered;  // That answer, or when the search was given up.
  std::uint32_t queries;
  std::uint8_t topic;
  std::uint8_t reserved[3];

  bool operator==(const ProbeRecord&) const = default;
};
static_assert(sizeof(ProbeRecord) == 48);

// One query of the analytics load.
struct QueryRecord {
  std::int64_t intended;
  std::int64_t sent;      // 0: never.
  std::int64_t answered;  // Or the moment of failure, or the deadline.
  std::int64_t fresh_ms;  // minConsumingFreshnessTimeMs of the answer; 0: it had none.
  std::uint32_t rows;
  std::uint16_t query;  // Index in the query set.
  RequestEnd end;
  std::uint8_t reserved;

  bool operator==(const QueryRecord&) const = default;
};
static_assert(sizeof(QueryRecord) == 40);

// FNV-1a-64 of the key's bytes: enough to tell keys apart in the reorder check.
std::uint64_t key_hash(std::string_view key);

enum class RecordKind : char {
  requests = 'Q',
  attempts = 'A',
  reads = 'R',
  rows = 'W',
  probes = 'P',
  queries = 'D'
};

// Appends to a file through a buffer. A failed write (disk full) is remembered and told by flush().
class RecordFile {
 public:
  static base::Result<RecordFile> create(const std::string& path, RecordKind kind,
                                         std::uint32_t record_bytes);
  void append(const void* record, std::size_t bytes);
  base::Result<void> flush();
  std::uint64_t written() const { return written_; }

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  std::string path_;
  std::unique_ptr<std::FILE, Close> file_;
  std::uint64_t written_ = 0;
  int error_ = 0;
};

template <class Record>
constexpr RecordKind record_kind();  // Of the records above only.
template <>
constexpr RecordKind record_kind<RequestRecord>() {
  return RecordKind::requests;
}
template <>
constexpr RecordKind record_kind<AttemptRecord>() {
  return RecordKind::attempts;
}
template <>
constexpr RecordKind record_kind<ReadRecord>() {
  return RecordKind::reads;
}
template <>
constexpr RecordKind record_kind<RowRecord>() {
  return RecordKind::rows;
}
template <>
constexpr RecordKind record_kind<ProbeRecord>() {
  return RecordKind::probes;
}
template <>
constexpr RecordKind record_kind<QueryRecord>() {
  return RecordKind::queries;
}

// RecordWriter<AttemptRecord>::create("attempts.records") -> append(record) ... flush() each
// second.
template <class Record>
class RecordWriter {
 public:
  static base::Result<RecordWriter> create(const std::string& path) {
    auto file = RecordFile::create(path, record_kind<Record>(), sizeof(Record));
    if (!file) return std::unexpected(file.error());
    return RecordWriter(std::move(*file));
  }
  void append(const Record& record) { file_.append(&record, sizeof(Record)); }
  base::Result<void> flush() { return file_.flush(); }
  std::uint64_t written() const { return file_.written(); }

 private:
  explicit RecordWriter(RecordFile file) : file_(std::move(file)) {}
  RecordFile file_;
};

// Bytes after the header, checked against kind, size and version.
base::Result<std::vector<std::byte>> read_record_bytes(const std::string& path, RecordKind kind,
                                                       std::uint32_t record_bytes);

// All whole records of a file.
template <class Record>
base::Result<std::vector<Record>> read_records(const std::string& path) {
  auto bytes = read_record_bytes(path, record_kind<Record>(), sizeof(Record));
  if (!bytes) return std::unexpected(bytes.error());
  std::vector<Record> records(bytes->size() / sizeof(Record));
  std::copy_n(bytes->data(), records.size() * sizeof(Record),
              reinterpret_cast<std::byte*>(records.data()));
  return records;
}

}  // namespace flow::streaming::audit

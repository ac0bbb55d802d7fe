// SPDX-License-Identifier: Apache-2.0
#include "streaming/audit/auditor.hpp"

#include <cstring>
#include <utility>
#include <zlib.h>

namespace flow::streaming::audit {

using base::Result;

ReadRecord to_read_record(const Record& record, const base::ClockAnchor& anchor) {
  ReadRecord read;
  std::memset(&read, 0, sizeof read);  // The file has no stray bytes.
  if (record.stamp) {
    read.trial = record.stamp->trial;
    read.request = record.stamp->request;
    if (record.stamp->intended) read.intended = base::count(*record.stamp->intended);
  }
  read.seen = base::count(anchor.to_unix(record.seen_at));
  read.key_hash = key_hash(record.key);
  read.ledger = record.position.ledger;
  read.entry = record.position.entry;
  read.index = record.position.index;
  read.partition = static_cast<std::int16_t>(record.partition);
  read.topic = static_cast<std::uint8_t>(record.topic);
  read.payload_crc = static_cast<std::uint32_t>(
      crc32_z(0, reinterpret_cast<const Bytef*>(record.payload.data()), record.payload.size()));
  read.payload_bytes = static_cast<std::uint32_t>(record.payload.size());
  return read;
}

Result<std::unique_ptr<Auditor>> Auditor::create(Options options) {
  auto writer = RecordWriter<ReadRecord>::create(options.records_path);
  if (!writer) return std::unexpected(writer.error());
  return std::unique_ptr<Auditor>(new Auditor(std::move(options), std::move(*writer)));
}

Auditor::Auditor(Options options, RecordWriter<ReadRecord> writer)
    : options_(std::move(options)), writer_(std::move(writer)) {}

void Auditor::on_record(const Record& record) {
  const ReadRecord read = to_read_record(record, options_.anchor);
  fresh_.push_back(read);
  const bool is_ours = options_.trial == 0 || read.trial == options_.trial;
  if (is_ours && read.intended != 0) {
    recorder_.record(base::Nanos{read.seen - read.intended});
  }
}

void Auditor::on_consumer_error(const base::Error& error) {
  if (!consumer_error_) consumer_error_ = error;
}

Result<Auditor::Second> Auditor::write_second(net::IoThread& io) {
  std::vector<ReadRecord> taken;
  taken.reserve(4096);  // Here and not on the driver's thread.
  io.run([&] { taken.swap(fresh_); });
  Second second;
  second.seen = taken.size();
  recorder_.take(second.end_to_end);
  total_.merge(second.end_to_end);
  for (const ReadRecord& record : taken) writer_.append(record);
  if (auto flushed = writer_.flush(); !flushed) return std::unexpected(flushed.error());
  return second;
}

std::optional<base::Error> Auditor::consumer_error(net::IoThread& io) const {
  return io.run([this] { return consumer_error_; });
}

}  // namespace flow::streaming::audit

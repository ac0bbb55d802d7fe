// SPDX-License-Identifier: Apache-2.0
#include "analytics/table_status.hpp"

#include <algorithm>
#include <map>

namespace flow::analytics {
namespace {

using base::Errc;
using base::fail;
using base::Result;
namespace json = base::json;

constexpr int attempts_max = 3;

}  // namespace

bool PartitionStatus::is_consuming() const {
  return std::ranges::any_of(replicas,
                             [](const Consuming& each) { return each.state == "CONSUMING"; });
}

bool TableStatus::is_healthy() const {
  return !partitions.empty() && std::ranges::all_of(partitions, &PartitionStatus::is_consuming);
}

std::vector<PartitionStatus> partitions_of(const std::vector<Segment>& segments,
                                           const std::vector<Consuming>& consuming) {
  std::map<int, PartitionStatus> partitions;
  for (const Segment& segment : segments) {
    PartitionStatus& partition = partitions[segment.partition];
    ++partition.segments;
    if (!segment.is_committed) continue;
    ++partition.commits;
    partition.rows_committed += segment.rows.value_or(0);
  }
  for (const Consuming& replica : consuming) {
    partitions[replica.partition].replicas.push_back(replica);
  }
  std::vector<PartitionStatus> list;
  for (auto& [number, partition] : partitions) {
    partition.partition = number;
    list.push_back(std::move(partition));
  }
  return list;
}

net::Task<Result<std::int64_t>> count_rows(SqlClient* sql, std::string table,
                                           base::TimePoint deadline) {
  std::string statement = fmt::format("SELECT COUNT(*) FROM {}", table);
  const Result<SqlAnswer> answer = co_await sql->query(std::move(statement), deadline);
  if (!answer) co_return std::unexpected(answer.error());
  if (answer->rows.size() != 1 || answer->columns.size() != 1) {
    co_return fail(Errc::protocol, "pinot: COUNT(*) of {}: expected one value", table);
  }
  const auto count = base::JsonView(answer->rows[0].get_array()[0], "COUNT(*)").whole_number();
  if (!count) co_return malformed(table, count.error());
  co_return *count;
}

net::Task<Result<TableStatus>> read_table_status(Controller* controller, SqlClient* sql,
                                                 std::string table, base::TimePoint deadline) {
  TableStatus status;
  status.table = table;
  for (int attempt = 1; attempt <= attempts_max; ++attempt) {
    // Offsets before rows: what is consumed in between makes `dropped` too low, never too high.
    const Result<std::vector<Segment>> segments = co_await controller->segments(table, deadline);
    if (!segments) co_return std::unexpected(segments.error());
    const Result<std::vector<Consuming>> before = co_await controller->consuming(table, deadline);
    if (!before) co_return std::unexpected(before.error());
    const Result<std::int64_t> rows = co_await count_rows(sql, table, deadline);
    if (!rows) co_return std::unexpected(rows.error());
    const Result<std::vector<Consuming>> after = co_await controller->consuming(table, deadline);
    if (!after) co_return std::unexpected(after.error());
    status.rows = *rows;
    status.partitions = partitions_of(*segments, *before);
    status.commits = commits_of(*segments);
    status.events = events_consumed(*segments, *before);
    status.is_moving = status.events != events_consumed(*segments, *after);
    if (!status.is_moving) break;
  }
  if (status.events) status.dropped = std::max<std::int64_t>(0, *status.events - status.rows);
  const Result<TableSize> size = co_await controller->size(table, deadline);
  if (!size) co_return std::unexpected(size.error());
  status.size = *size;
  Result<std::vector<SegmentComplaint>> complaints =
      co_await controller->complaints(table, deadline);
  if (!complaints) co_return std::unexpected(complaints.error());
  status.complaints = std::move(*complaints);
  co_return status;
}

namespace {

json::object to_json(const PartitionStatus& partition) {
  json::array replicas;
  for (const Consuming& replica : partition.replicas) {
    replicas.push_back({{"segment", replica.segment},
                        {"server", replica.server},
                        {"state", replica.state},
                        {"offset", replica.offset}});
  }
  return {{"partition", partition.partition},
          {"consuming", partition.is_consuming()},
          {"segments", partition.segments},
          {"commits", partition.commits},
          {"rows_committed", partition.rows_committed},
          {"replicas", std::move(replicas)}};
}

}  // namespace

json::object to_json(const TableStatus& status) {
  json::array partitions, commits, complaints;
  for (const auto& partition : status.partitions) partitions.push_back(to_json(partition));
  for (const auto& commit : status.commits) {
    commits.push_back(
        {{"partition", commit.partition}, {"rows", commit.rows}, {"unix_ms", commit.unix_ms}});
  }
  for (const auto& complaint : status.complaints) {
    complaints.push_back({{"segment", complaint.segment},
                          {"server", complaint.server},
                          {"at", complaint.at},
                          {"words", complaint.words}});
  }
  json::object object{{"table", status.table},
                      {"healthy", status.is_healthy()},
                      {"rows", status.rows},
                      {"bytes", status.size.bytes}};
  if (status.events) object["events"] = *status.events;
  if (status.dropped) object["dropped"] = *status.dropped;
  object["moving"] = status.is_moving;
  object["partitions"] = std::move(partitions);
  object["commits"] = std::move(commits);
  object["complaints"] = std::move(complaints);
  return object;
}

}  // namespace flow::analytics

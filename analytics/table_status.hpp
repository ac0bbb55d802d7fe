// How a table stands: its rows, how far every partition has been consumed, what was committed, what
// was dropped.
// Thread: the IoThread's of the two clients.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "analytics/controller.hpp"
#include "analytics/sql_client.hpp"

namespace flow::analytics {

struct PartitionStatus {
  int partition = 0;
  std::vector<Consuming> replicas;  // Of the segment that consumes; empty: nothing does.
  std::int64_t segments = 0;
  std::int64_t commits = 0;
  std::int64_t rows_committed = 0;
  bool is_consuming() const;  // By one replica at least.
};

struct TableStatus {
  std::string table;
  std::int64_t rows = 0;
  std::vector<PartitionStatus> partitions;
  std::vector<Commit> commits;
  TableSize size;
  // Events of the topic that Pinot has read, where offsets count them (Kafka).
  std::optional<std::int64_t> events;
  // Events that were read and gave no row: not JSON, or a value that does not fit its column. A
  // lower bound while rows arrive (`is_moving`).
  std::optional<std::int64_t> dropped;
  bool is_moving = false;
  std::vector<SegmentComplaint> complaints;

  bool is_healthy() const;  // Every partition is consumed, and there is one.
};

// Partitions out of what Pinot says. Pure.
std::vector<PartitionStatus> partitions_of(const std::vector<Segment>& segments,
                                           const std::vector<Consuming>& consuming);

// Rows and offsets are read by turns until both stand still, three times at most. Errors as the
// clients'. The caller keeps both clients.
net::Task<base::Result<TableStatus>> read_table_status(Controller* controller, SqlClient* sql,
                                                       std::string table, base::TimePoint deadline);

// SELECT COUNT(*).
net::Task<base::Result<std::int64_t>> count_rows(SqlClient* sql, std::string table,
                                                 base::TimePoint deadline);

base::json::object to_json(const TableStatus& status);

}  // namespace flow::analytics

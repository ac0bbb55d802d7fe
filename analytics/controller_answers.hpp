// What Pinot's controller says, as values: pure functions from its JSON, which differs between
// versions and can be cut off, empty or odd. Errc::protocol names the place.
// Thread: any; plain values.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "base/result.hpp"
#include "net/url.hpp"

namespace flow::analytics {

struct Instance {
  std::string name;  // "Server_127.0.0.1_8098"
  std::string role;  // "controller", "broker", "server", "minion", or empty
  bool is_live = false;
};

// One replica of a partition's consuming segment.
struct Consuming {
  std::string segment;
  int partition = 0;
  std::string server;
  std::string state;  // "CONSUMING", "NOT_CONSUMING"
  std::string
      offset;  // The next to be read (Kafka), the last that was read (Flow's Pulsar plugin).
};

// table__partition__number__time
struct SegmentName {
  std::string table;
  int partition = 0;
  std::int64_t number = 0;
};
std::optional<SegmentName> parse_segment_name(std::string_view name);

struct Segment {
  std::string name;
  int partition = 0;
  std::int64_t number = 0;    // In its partition, from 0.
  bool is_committed = false;  // Else it consumes.
  std::string start_offset;
  std::string end_offset;            // Empty while it consumes.
  std::optional<std::int64_t> rows;  // Of a committed one.
  std::int64_t created_unix_ms = 0;
  std::int64_t flush_rows = 0;  // Its commit is due at this many.
};

// A commit seals a segment; its partition indexes nothing until the next segment is there.
struct Commit {
  int partition = 0;
  std::int64_t rows = 0;
  std::int64_t unix_ms = 0;  // When the next segment of the partition was made.
};
std::vector<Commit> commits_of(const std::vector<Segment>& segments);

// Events of the partitions from the first segment to where consumption stands, where offsets are
// plain numbers (Kafka). nullopt otherwise, or when a partition has nothing that consumes.
std::optional<std::int64_t> events_consumed(const std::vector<Segment>& segments,
                                            const std::vector<Consuming>& consuming);

struct TableSize {
  std::int64_t bytes = 0;  // Of committed segments, over all replicas.
  std::int64_t segments_missing = 0;
};

struct SegmentComplaint {
  std::string segment;
  std::string server;
  std::string at;     // As Pinot writes it: "2026-11-24 19:51:33 UTC".
  std::string words;  // In a line.
};

base::Result<std::vector<std::string>> tables_in(const base::json::value& answer);
base::Result<std::vector<std::string>> names_in(const base::json::value& answer,
                                                std::string_view key);  // {"key": ["…"]}, ["…"]
base::Result<net::HttpUrl> broker_in(const base::json::value& answer);
std::string role_of(std::string_view instance);
base::Result<std::vector<Consuming>> consuming_in(const base::json::value& answer);
base::Result<std::vector<std::string>> segments_in(const base::json::value& answer);
base::Result<Segment> segment_in(const base::json::value& answer, const std::string& name);
base::Result<TableSize> size_in(const base::json::value& answer);
base::Result<std::vector<SegmentComplaint>> complaints_in(const base::json::value& answer);
// Segments of an idealstate or externalview answer whose every replica is in `state`; all of them
// when `state` is empty.
base::Result<std::vector<std::string>> segments_in_state(const base::json::value& answer,
                                                         std::string_view state);

}  // namespace flow::analytics

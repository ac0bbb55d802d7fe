// SPDX-License-Identifier: Apache-2.0
#include "analytics/controller_answers.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <tuple>

#include "analytics/rest.hpp"

namespace flow::analytics {
namespace {

using base::Errc;
using base::fail;
using base::JsonView;
using base::Result;
namespace json = base::json;

std::optional<std::int64_t> number_in(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// The member as text, whether Pinot wrote "5" or 5; empty when it is missing or null.
Result<std::string> text_or_number(const json::object& object, std::string_view key,
                                   std::string_view path) {
  const auto* member = object.if_contains(key);
  if (!member || member->is_null()) return std::string();
  if (member->is_string()) return std::string(member->get_string());
  const auto number = JsonView(*member, fmt::format("{}/{}", path, key)).whole_number();
  if (!number) return std::unexpected(number.error());
  return fmt::to_string(*number);
}

Result<std::optional<std::int64_t>> number_of(const json::object& object, std::string_view key,
                                              std::string_view path) {
  const auto text = text_or_number(object, key, path);
  if (!text) return std::unexpected(text.error());
  std::optional<std::int64_t> none;
  if (text->empty()) return none;
  const auto number = number_in(*text);
  if (!number) return fail(Errc::protocol, "{}/{}: '{}' is no whole number", path, key, *text);
  return number;
}

std::string text_of(const json::object& object, std::string_view key) {
  const auto* member = object.if_contains(key);
  return member && member->is_string() ? std::string(member->get_string()) : std::string();
}

// `read` as the server's mistake when it fails.
template <class T>
Result<T> told_by_pinot(std::string_view call, Result<T> read) {
  if (!read) return malformed(call, read.error());
  return read;
}

Result<std::vector<std::string>> texts_of(const JsonView& view) {
  const auto list = view.array();
  if (!list) return std::unexpected(list.error());
  std::vector<std::string> texts;
  for (const auto& each : **list) {
    const auto text = JsonView(each, view.path()).text();
    if (!text) return std::unexpected(text.error());
    texts.emplace_back(*text);
  }
  return texts;
}

}  // namespace

std::optional<SegmentName> parse_segment_name(std::string_view name) {
  std::vector<std::string_view> parts;
  for (std::size_t at; (at = name.find("__")) != std::string_view::npos;) {
    parts.push_back(name.substr(0, at));
    name.remove_prefix(at + 2);
  }
  if (parts.size() != 3 || parts[0].empty() || name.empty()) return std::nullopt;
  const auto partition = number_in(parts[1]);
  const auto number = number_in(parts[2]);
  if (!partition || !number || *partition < 0 || *partition > 1'000'000 || *number < 0) {
    return std::nullopt;
  }
  return SegmentName{std::string(parts[0]), static_cast<int>(*partition), *number};
}

std::vector<Commit> commits_of(const std::vector<Segment>& segments) {
  std::vector<Commit> commits;
  for (const Segment& segment : segments) {
    if (!segment.is_committed) continue;
    const auto next = std::ranges::find_if(segments, [&](const Segment& other) {
      return other.partition == segment.partition && other.number == segment.number + 1;
    });
    commits.push_back({.partition = segment.partition,
                       .rows = segment.rows.value_or(0),
                       .unix_ms = next == segments.end() ? 0 : next->created_unix_ms});
  }
  std::ranges::sort(commits, {}, &Commit::unix_ms);
  return commits;
}

std::optional<std::int64_t> events_consumed(const std::vector<Segment>& segments,
                                            const std::vector<Consuming>& consuming) {
  struct Range {
    std::optional<std::int64_t> begin, end;
    std::int64_t first = 0;
  };
  std::map<int, Range> partitions;
  for (const Segment& segment : segments) {
    const auto start = number_in(segment.start_offset);
    if (!start) return std::nullopt;
    Range& range = partitions[segment.partition];
    if (range.begin && range.first <= segment.number) continue;
    range.begin = start;
    range.first = segment.number;
  }
  for (const Consuming& replica : consuming) {
    const auto offset = number_in(replica.offset);
    if (!offset) return std::nullopt;
    Range& range = partitions[replica.partition];
    range.end = std::max(range.end.value_or(0), *offset);  // The replica that is ahead.
  }
  std::int64_t events = 0;
  for (const auto& [partition, range] : partitions) {
    if (!range.begin || !range.end) return std::nullopt;
    events += *range.end - *range.begin;
  }
  return events;
}

Result<std::vector<std::string>> names_in(const json::value& answer, std::string_view key) {
  const JsonView view(answer, "");
  if (key.empty()) return told_by_pinot("names", texts_of(view));
  const auto member = view.at(key);
  if (!member) return malformed("names", member.error());
  return told_by_pinot("names", texts_of(*member));
}

Result<std::vector<std::string>> tables_in(const json::value& answer) {
  auto names = names_in(answer, "tables");
  if (names) std::ranges::sort(*names);
  return names;
}

Result<net::HttpUrl> broker_in(const json::value& answer) {
  const auto* tenants = answer.if_object();
  if (!tenants) return fail(Errc::protocol, "pinot: brokers: expected an object of tenants");
  for (const auto& [tenant, list] : *tenants) {
    const auto* brokers = list.if_array();
    if (!brokers || brokers->empty()) continue;
    const auto* broker = brokers->front().if_object();
    if (!broker) return fail(Errc::protocol, "pinot: brokers: expected objects");
    const auto port = number_of(*broker, "port", "brokers");
    if (!port) return malformed("brokers", port.error());
    net::HttpUrl url{.host = text_of(*broker, "host"), .port = 0, .path = {}};
    if (url.host.empty() || !*port || **port < 1 || **port > 65'535) {
      return fail(Errc::protocol, "pinot: brokers: {} is no host and port",
                  json::serialize(*broker));
    }
    url.port = static_cast<std::uint16_t>(**port);
    return url;
  }
  return fail(Errc::refused, "pinot: the controller knows no broker that is up");
}

std::string role_of(std::string_view instance) {
  for (const std::string_view role : {"Controller", "Broker", "Server", "Minion"}) {
    if (!instance.starts_with(role)) continue;
    std::string name(role);
    name.front() = static_cast<char>(name.front() - 'A' + 'a');
    return name;
  }
  return "";
}

namespace {

Result<Consuming> replica_in(const json::value& value, const std::string& segment) {
  const std::string path = "consumingSegmentsInfo/" + segment;
  const auto* replica = value.if_object();
  const auto name = parse_segment_name(segment);
  if (!replica || !name) return fail(Errc::protocol, "{}: not a replica of a segment", path);
  Consuming consuming{.segment = segment,
                      .partition = name->partition,
                      .server = text_of(*replica, "serverName"),
                      .state = text_of(*replica, "consumerState"),
                      .offset = {}};
  const auto* offsets = replica->if_contains("partitionToOffsetMap");
  if (!offsets || !offsets->is_object()) return consuming;
  auto offset = text_or_number(offsets->get_object(), fmt::to_string(name->partition), path);
  if (!offset) return std::unexpected(offset.error());
  consuming.offset = std::move(*offset);
  return consuming;
}

Result<std::vector<Consuming>> read_consuming(const json::value& answer) {
  const auto map = JsonView(answer, "").at("_segmentToConsumingInfoMap");
  if (!map) return std::unexpected(map.error());
  const auto object = map->object();
  if (!object) return std::unexpected(object.error());
  std::vector<Consuming> all;
  for (const auto& [segment, replicas] : **object) {
    const auto list = JsonView(replicas, std::string(segment)).array();
    if (!list) return std::unexpected(list.error());
    for (const auto& replica : **list) {
      auto consuming = replica_in(replica, std::string(segment));
      if (!consuming) return std::unexpected(consuming.error());
      all.push_back(std::move(*consuming));
    }
  }
  std::ranges::sort(all, [](const Consuming& a, const Consuming& b) {
    return std::tie(a.partition, a.server) < std::tie(b.partition, b.server);
  });
  return all;
}

}  // namespace

Result<std::vector<Consuming>> consuming_in(const json::value& answer) {
  return told_by_pinot("consuming segments", read_consuming(answer));
}

Result<std::vector<std::string>> segments_in(const json::value& answer) {
  const auto list = JsonView(answer, "").array();
  if (!list) return malformed("segments", list.error());
  for (const auto& each : **list) {
    const auto* type = each.if_object();
    const auto* names = type ? type->if_contains("REALTIME") : nullptr;
    if (names) return told_by_pinot("segments", texts_of(JsonView(*names, "/REALTIME")));
  }
  return std::vector<std::string>{};
}

Result<Segment> segment_in(const json::value& answer, const std::string& name) {
  const auto parts = parse_segment_name(name);
  const auto* object = answer.if_object();
  if (!parts || !object) return fail(Errc::protocol, "pinot: segment {}: no metadata", name);
  Segment segment;
  segment.name = name;
  segment.partition = parts->partition;
  segment.number = parts->number;
  segment.is_committed = text_of(*object, "segment.realtime.status") != "IN_PROGRESS";
  for (const auto& [key, into] : {std::pair("segment.realtime.startOffset", &segment.start_offset),
                                  std::pair("segment.realtime.endOffset", &segment.end_offset)}) {
    auto text = text_or_number(*object, key, name);
    if (!text) return malformed("segment", text.error());
    if (*text != "null") *into = std::move(*text);
  }
  const auto rows = number_of(*object, "segment.total.docs", name);
  const auto created = number_of(*object, "segment.creation.time", name);
  const auto flush = number_of(*object, "segment.flush.threshold.size", name);
  for (const auto* number : {&rows, &created, &flush}) {
    if (!*number) return malformed("segment", number->error());
  }
  if (segment.is_committed) segment.rows = *rows;
  segment.created_unix_ms = created->value_or(0);
  segment.flush_rows = flush->value_or(0);
  return segment;
}

Result<TableSize> size_in(const json::value& answer) {
  TableSize size;
  const auto* object = answer.if_object();
  const auto* realtime = object ? object->if_contains("realtimeSegments") : nullptr;
  if (!realtime || !realtime->is_object()) return size;
  for (const auto& [key, into] : {std::pair("reportedSizeInBytes", &size.bytes),
                                  std::pair("missingSegments", &size.segments_missing)}) {
    const auto number = number_of(realtime->get_object(), key, "size");
    if (!number) return malformed("size", number.error());
    *into = number->value_or(0);
  }
  return size;
}

namespace {

void add_complaints(const json::object& segment, std::vector<SegmentComplaint>& out) {
  const auto* servers = segment.if_contains("serverState");
  if (!servers || !servers->is_object()) return;
  for (const auto& [server, state] : servers->get_object()) {
    const auto* object = state.if_object();
    const auto* error = object ? object->if_contains("errorInfo") : nullptr;
    if (!error || !error->is_object()) continue;
    // The message quotes the record; the cause is the first line of the stack.
    const std::string stack = text_of(error->get_object(), "stackTrace");
    const std::string message = text_of(error->get_object(), "errorMessage");
    const std::string words = without_stack(stack.empty() ? message : stack);
    if (words.empty()) continue;
    out.push_back({.segment = text_of(segment, "segmentName"),
                   .server = std::string(server),
                   .at = text_of(error->get_object(), "timestamp"),
                   .words = words});
  }
}

}  // namespace

Result<std::vector<SegmentComplaint>> complaints_in(const json::value& answer) {
  std::vector<SegmentComplaint> complaints;
  const auto tables = JsonView(answer, "").array();
  if (!tables) return malformed("debug", tables.error());
  for (const auto& table : **tables) {
    const auto* object = table.if_object();
    const auto* segments = object ? object->if_contains("segmentDebugInfos") : nullptr;
    if (!segments || !segments->is_array()) continue;
    for (const auto& segment : segments->get_array()) {
      if (segment.is_object()) add_complaints(segment.get_object(), complaints);
    }
  }
  return complaints;
}

Result<std::vector<std::string>> segments_in_state(const json::value& answer,
                                                   std::string_view state) {
  std::vector<std::string> names;
  const auto realtime = JsonView(answer, "").at("REALTIME");
  if (!realtime) return malformed("segments", realtime.error());
  if (realtime->value().is_null()) return names;
  const auto segments = realtime->object();
  if (!segments) return malformed("segments", segments.error());
  for (const auto& [name, replicas] : **segments) {
    const auto* object = replicas.if_object();
    if (!object)
      return fail(Errc::protocol, "pinot: segments: no replicas of {}", std::string_view(name));
    const bool all = std::ranges::all_of(*object, [&](const auto& replica) {
      return replica.value().is_string() && replica.value().get_string() == state;
    });
    if (state.empty() || all) names.emplace_back(name);
  }
  return names;
}

}  // namespace flow::analytics

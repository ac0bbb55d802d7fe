// SPDX-License-Identifier: Apache-2.0
#include "analytics/controller.hpp"

#include <algorithm>
#include <tuple>

namespace flow::analytics {
namespace {

using base::Errc;
using base::fail;
using base::Result;
namespace json = base::json;

constexpr base::Nanos poll_interval = std::chrono::milliseconds(100);

std::string table_path(std::string_view table) { return "/tables/" + percent_encoded(table); }

std::unexpected<base::Error> too_late(std::string_view table, std::string_view what) {
  return fail(Errc::timed_out, "pinot table {}: {} in time", table, what);
}

// A look at the table went wrong. One that the deadline cut short says less than what the one
// before it saw; `seen` is empty at the first.
std::unexpected<base::Error> failed_look(std::string_view table, std::string_view seen,
                                         const base::Error& error) {
  if (error.code != Errc::timed_out || seen.empty()) return std::unexpected(error);
  return too_late(table, seen);
}

bool contains(const std::vector<std::string>& list, const std::string& name) {
  return std::ranges::find(list, name) != list.end();
}

}  // namespace

Controller::Controller(net::IoThread& io, net::HttpUrl url, std::string authorization)
    : rest_(io, std::move(url), std::move(authorization), {.connections_max = 4}) {}

net::Task<Result<json::value>> Controller::get(std::string target, base::TimePoint deadline) {
  return rest_.call_well("GET", std::move(target), "", deadline);
}

net::Task<Result<std::optional<json::value>>> Controller::find(std::string target,
                                                               base::TimePoint deadline) {
  Result<RestAnswer> answer = co_await rest_.call("GET", target, "", deadline);
  if (!answer) co_return std::unexpected(answer.error());
  std::optional<json::value> found;
  if (answer->status == 404) co_return found;
  if (answer->status / 100 != 2) co_return refused("GET " + target, *answer);
  found = std::move(answer->body);
  co_return found;
}

// ------------------------------------------------------------------------------ the cluster

net::Task<Result<PinotVersion>> Controller::version(base::TimePoint deadline) {
  const Result<json::value> answer = co_await get("/version", deadline);
  if (!answer) co_return std::unexpected(answer.error());
  co_return pinot_version_in(*answer);
}

net::Task<Result<net::HttpUrl>> Controller::broker_url(base::TimePoint deadline) {
  const Result<json::value> answer = co_await get("/v2/brokers/tenants", deadline);
  if (!answer) co_return std::unexpected(answer.error());
  co_return broker_in(*answer);
}

net::Task<Result<std::vector<Instance>>> Controller::instances(base::TimePoint deadline) {
  const Result<json::value> known = co_await get("/instances", deadline);
  if (!known) co_return std::unexpected(known.error());
  const auto names = names_in(*known, "instances");
  if (!names) co_return std::unexpected(names.error());
  const Result<json::value> info = co_await get("/cluster/info", deadline);
  if (!info) co_return std::unexpected(info.error());
  const base::JsonView view(*info, "/cluster/info");
  const auto cluster = view.at("clusterName");
  if (!cluster) co_return malformed("cluster", cluster.error());
  const auto cluster_name = cluster->text();
  if (!cluster_name) co_return malformed("cluster", cluster_name.error());
  const std::string path = fmt::format("/{}/LIVEINSTANCES", *cluster_name);
  const Result<json::value> live = co_await get("/zk/ls?path=" + percent_encoded(path), deadline);
  if (!live) co_return std::unexpected(live.error());
  const auto live_names = names_in(*live, "");
  if (!live_names) co_return std::unexpected(live_names.error());
  std::vector<Instance> instances;
  for (const auto& name : *names) {
    instances.push_back({name, role_of(name), contains(*live_names, name)});
  }
  std::ranges::sort(instances, {}, &Instance::name);
  co_return instances;
}

// ------------------------------------------------------------------------------ tables

net::Task<Result<std::vector<std::string>>> Controller::tables(base::TimePoint deadline) {
  const Result<json::value> answer = co_await get("/tables", deadline);
  if (!answer) co_return std::unexpected(answer.error());
  co_return tables_in(*answer);
}

net::Task<Result<void>> Controller::create(TableDefinition definition, base::TimePoint deadline) {
  const std::string& name = definition.name;
  const Result<std::vector<std::string>> existing = co_await tables(deadline);
  if (!existing) co_return std::unexpected(existing.error());
  if (contains(*existing, name)) {
    co_return fail(Errc::refused, "pinot table {}: it exists already", name);
  }
  std::string schema = json::serialize(definition.schema);
  const Result<json::value> made_schema =
      co_await rest_.call_well("POST", "/schemas", std::move(schema), deadline);
  if (!made_schema) co_return base::with_context("schema " + name, made_schema.error());
  std::string table = json::serialize(definition.table);
  const Result<json::value> made =
      co_await rest_.call_well("POST", "/tables", std::move(table), deadline);
  if (!made) {
    // Best effort: the error that counts is the table's.
    const std::string target = "/schemas/" + percent_encoded(name);
    (void)co_await rest_.call("DELETE", target, "", deadline);
    co_return base::with_context("table " + name, made.error());
  }
  co_return co_await wait_until_consuming(name, deadline);
}

net::Task<Result<std::size_t>> Controller::count_consuming(std::string target,
                                                           base::TimePoint deadline) {
  const Result<std::optional<json::value>> view = co_await find(target, deadline);
  if (!view) co_return std::unexpected(view.error());
  if (!*view) co_return std::size_t{0};  // Not there yet.
  const auto segments = segments_in_state(**view, "CONSUMING");
  if (!segments) co_return std::unexpected(segments.error());
  co_return segments->size();
}

net::Task<Result<bool>> Controller::is_known_to_brokers(std::string table,
                                                        base::TimePoint deadline) {
  const std::string target = table_path(table) + "/livebrokers";
  const Result<std::optional<json::value>> brokers = co_await find(target, deadline);
  if (!brokers) co_return std::unexpected(brokers.error());
  co_return *brokers && (*brokers)->is_array() && !(*brokers)->get_array().empty();
}

net::Task<Result<void>> Controller::wait_until_consuming(std::string table,
                                                         base::TimePoint deadline) {
  std::string seen;
  for (;;) {
    const Result<std::size_t> wanted =
        co_await count_consuming(table_path(table) + "/idealstate", deadline);
    if (!wanted) co_return failed_look(table, seen, wanted.error());
    const Result<std::size_t> there =
        co_await count_consuming(table_path(table) + "/externalview", deadline);
    if (!there) co_return failed_look(table, seen, there.error());
    const Result<bool> is_known = co_await is_known_to_brokers(table, deadline);
    if (!is_known) co_return failed_look(table, seen, is_known.error());
    if (*wanted > 0 && *there >= *wanted && *is_known) co_return Result<void>{};
    seen = fmt::format("{} of {} partitions consumed{}", *there, *wanted,
                       *is_known ? "" : ", known to no broker,");
    if (base::now() + poll_interval >= deadline) co_return too_late(table, seen);
    co_await net::sleep_until(base::now() + poll_interval);
  }
}

net::Task<Result<bool>> Controller::drop(std::string table, base::TimePoint deadline) {
  const std::string target = table_path(table) + "?type=realtime&retention=0d";
  const Result<RestAnswer> dropped = co_await rest_.call("DELETE", target, "", deadline);
  if (!dropped) co_return std::unexpected(dropped.error());
  const bool was_there = dropped->status != 404;
  if (was_there && dropped->status / 100 != 2) co_return refused("DELETE " + target, *dropped);
  if (was_there) {
    const Result<void> gone = co_await wait_until_gone(table, deadline);
    if (!gone) co_return std::unexpected(gone.error());
  }
  const std::string schema = "/schemas/" + percent_encoded(table);
  const Result<RestAnswer> forgotten = co_await rest_.call("DELETE", schema, "", deadline);
  if (!forgotten) co_return std::unexpected(forgotten.error());
  if (forgotten->status != 404 && forgotten->status / 100 != 2) {
    co_return refused("DELETE " + schema, *forgotten);
  }
  co_return was_there;
}

net::Task<Result<void>> Controller::wait_until_gone(std::string table, base::TimePoint deadline) {
  std::string seen;
  for (;;) {
    const Result<std::optional<json::value>> view =
        co_await find(table_path(table) + "/externalview", deadline);
    if (!view) co_return failed_look(table, seen, view.error());
    if (!*view) co_return Result<void>{};
    const auto left = segments_in_state(**view, "");
    if (!left) co_return std::unexpected(left.error());
    if (left->empty()) co_return Result<void>{};
    seen = fmt::format("{} segments were not let go of", left->size());
    if (base::now() + poll_interval >= deadline) co_return too_late(table, seen);
    co_await net::sleep_until(base::now() + poll_interval);
  }
}

// ------------------------------------------------------------------------------ one table

net::Task<Result<json::object>> Controller::table_config(std::string table,
                                                         base::TimePoint deadline) {
  const Result<json::value> answer = co_await get(table_path(table), deadline);
  if (!answer) co_return std::unexpected(answer.error());
  const auto* types = answer->if_object();
  const auto* realtime = types ? types->if_contains("REALTIME") : nullptr;
  if (!realtime || !realtime->is_object()) {
    co_return fail(Errc::refused, "pinot table {}: there is no such table", table);
  }
  co_return realtime->get_object();
}

net::Task<Result<std::vector<Consuming>>> Controller::consuming(std::string table,
                                                                base::TimePoint deadline) {
  const Result<json::value> answer =
      co_await get(table_path(table) + "/consumingSegmentsInfo", deadline);
  if (!answer) co_return std::unexpected(answer.error());
  co_return consuming_in(*answer);
}

net::Task<Result<std::vector<Segment>>> Controller::segments(std::string table,
                                                             base::TimePoint deadline) {
  const std::string target = "/segments/" + percent_encoded(table);
  const Result<json::value> answer = co_await get(target + "?type=REALTIME", deadline);
  if (!answer) co_return std::unexpected(answer.error());
  const auto names = segments_in(*answer);
  if (!names) co_return std::unexpected(names.error());
  std::vector<Segment> segments;
  for (const auto& name : *names) {
    const std::string path = target + "_REALTIME/" + percent_encoded(name) + "/metadata";
    const Result<std::optional<json::value>> metadata = co_await find(path, deadline);
    if (!metadata) co_return std::unexpected(metadata.error());
    if (!*metadata) continue;  // Removed between the two calls.
    auto segment = segment_in(**metadata, name);
    if (!segment) co_return std::unexpected(segment.error());
    segments.push_back(std::move(*segment));
  }
  std::ranges::sort(segments, [](const Segment& a, const Segment& b) {
    return std::tie(a.partition, a.number) < std::tie(b.partition, b.number);
  });
  co_return segments;
}

net::Task<Result<TableSize>> Controller::size(std::string table, base::TimePoint deadline) {
  const Result<json::value> answer = co_await get(table_path(table) + "/size", deadline);
  if (!answer) co_return std::unexpected(answer.error());
  co_return size_in(*answer);
}

net::Task<Result<std::vector<SegmentComplaint>>> Controller::complaints(std::string table,
                                                                        base::TimePoint deadline) {
  const std::string target =
      "/debug/tables/" + percent_encoded(table) + "?type=REALTIME&verbosity=10";
  const Result<json::value> answer = co_await get(target, deadline);
  if (!answer) co_return std::unexpected(answer.error());
  co_return complaints_in(*answer);
}

}  // namespace flow::analytics

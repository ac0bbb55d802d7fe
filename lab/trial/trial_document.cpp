// SPDX-License-Identifier: Apache-2.0
#include "lab/trial/trial_document.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <memory>
#include <unordered_set>

#include "lab/join/analytics_document.hpp"
#include "lab/join/gates.hpp"
#include "lab/join/ledger_document.hpp"
#include "lab/join/volume_classes.hpp"
#include "lab/plan/workload_mode.hpp"
#include "streaming/audit/records.hpp"

namespace flow::lab {
namespace {

namespace fs = std::filesystem;
using base::fail;
using base::Result;
using base::json::array;
using base::json::object;
using base::json::value;

template <class Record>
Result<std::vector<Record>> read_if_there(const fs::path& path) {
  if (!fs::exists(path)) return std::vector<Record>{};
  return streaming::audit::read_records<Record>(path.string());
}

Result<TrialRecords> read_all(const fs::path& folder) {
  using namespace streaming::audit;
  TrialRecords records;
  auto requests = read_if_there<RequestRecord>(folder / "requests.records");
  if (!requests) return std::unexpected(requests.error());
  auto attempts = read_if_there<AttemptRecord>(folder / "attempts.records");
  if (!attempts) return std::unexpected(attempts.error());
  auto reads = read_if_there<ReadRecord>(folder / "reads.records");
  if (!reads) return std::unexpected(reads.error());
  records.requests = std::move(*requests);
  records.attempts = std::move(*attempts);
  records.reads = std::move(*reads);
  return records;
}

Result<void> read_analytics(const fs::path& folder, TrialRecords& records) {
  using namespace streaming::audit;
  auto rows = read_if_there<RowRecord>(folder / "rows.records");
  if (!rows) return std::unexpected(rows.error());
  auto probes = read_if_there<ProbeRecord>(folder / "probes.records");
  if (!probes) return std::unexpected(probes.error());
  auto queries = read_if_there<QueryRecord>(folder / "queries.records");
  if (!queries) return std::unexpected(queries.error());
  records.has_analytics = true;
  records.rows = std::move(*rows);
  records.probes = std::move(*probes);
  records.queries = std::move(*queries);
  return {};
}

GateInputs gate_inputs(const TrialInput& input, const TrialFacts& facts,
                       const TrialRecords& records, const HopSummary& hops,
                       const LedgerDocument& ledger, const Stationarity& stationarity) {
  GateInputs gates;
  gates.stationarity = stationarity;
  const auto& start_error = hops.hops.at("start_error").values;
  const auto& response = hops.hops.at("response_time").values;
  // No request found a connection free: nothing shows that the generator kept its times.
  gates.start_error_p99 =
      start_error.count() > 0 ? start_error.quantile(0.99) : base::Nanos(std::chrono::hours(1));
  if (response.count() > 0) gates.response_p50 = response.quantile(0.5);
  if (facts.load) {
    gates.completeness = facts.load->completeness();
    gates.is_closed = facts.load->is_closed;
    gates.late_share = facts.load->late_share();
    gates.generator_cpu_share = facts.load->cpu_share_max();
    gates.littles_law_error = facts.load->littles_law_gap();
  }
  if (facts.resources) gates.steal_share = facts.resources->machine.steal_fraction;
  gates.clock_step = facts.clock_step;
  gates.schedule_hash = facts.schedule_hash;
  gates.block_schedule_hash =
      input.block_schedule_hash.empty() ? facts.schedule_hash : input.block_schedule_hash;
  gates.sums = ledger.sums_checked;
  gates.sums_broken = ledger.sums_broken;
  gates.is_audited = facts.is_audited;
  gates.audit_complete = facts.audit_complete;
  gates.has_analytics = facts.analytics.has_value();
  if (facts.analytics) gates.analytics_complete = facts.analytics->is_complete;
  gates.probe_cpu_share = probe_cpu_share(records, facts);
  return gates;
}

object generator_of(const TrialInput& input, const TrialFacts& facts) {
  object generator{{"shards", input.experiment.shards}};
  if (!facts.load) return generator;
  const auto& load = *facts.load;
  if (!load.shards.empty()) generator["priority"] = load.shards.front().priority;
  generator["cpu_share"] = load.cpu_share_max();
  generator["connections_opened"] = load.measured.connections_opened;
  generator["in_flight_max"] = load.measured.in_flight_max;
  generator["in_flight_mean"] = load.in_flight_mean();
  return generator;
}

// Of customers who wait for answers: what became of them, and of the requests that they would have
// made of a server that answers at once.
object customers_of(const TrialInput& input, const loadtest::LoadResult& load) {
  const auto& visits = load.measured.visits;
  return {{"mode", traffic::name_of(input.workload.customers.mode)},
          {"arrived", visits.arrived},
          {"completed", visits.completed},
          {"cut", visits.cut},
          {"turned_away", visits.turned_away},
          {"present_mean", load.present_mean()},
          {"present_max", visits.present_max},
          {"requests_planned", load.planned},
          {"omitted_share", load.omitted_share()},
          {"words", fmt::format("customers waited for their answers: {:.2f} % of the {} requests "
                                "that they would have made of a server that answers at once were "
                                "never made, and no response time shows them",
                                100 * load.omitted_share(), load.planned)}};
}

array resources_of(const TrialFacts& facts) {
  array rows;
  if (!facts.resources) return rows;
  for (const auto& role : facts.resources->roles) {
    rows.push_back({{"role", role.role},
                    {"cpu_seconds", role.cpu_seconds},
                    {"rss_bytes_max", role.rss_bytes_max},
                    {"rss_bytes_mean", role.rss_bytes_mean},
                    {"write_bytes", role.write_bytes}});
  }
  return rows;
}

object machine_of(const TrialFacts& facts) {
  if (!facts.resources) return {};
  const auto& machine = facts.resources->machine;
  return {{"seconds", machine.seconds},
          {"busy_share", machine.cpu_fraction},
          {"iowait_share", machine.iowait_fraction},
          {"steal_share", machine.steal_fraction},
          {"steal_share_max", machine.steal_fraction_max},
          {"device_write_bytes",
           machine.device_write_bytes ? value(*machine.device_write_bytes) : value(nullptr)}};
}

// Ten keys on six partitions load them unevenly: the report shows how.
array partitions_of(const TrialRecords& records, PhaseRange measured, std::uint64_t trial) {
  static constexpr const char* topics[] = {"users", "products", "orders"};
  std::map<std::pair<int, int>, std::uint64_t> events;
  for (const auto& read : records.reads) {
    if (read.trial != trial || !measured.contains(read.request)) continue;
    ++events[{std::min<int>(read.topic, 2), read.partition}];
  }
  array rows;
  for (const auto& [where, count] : events) {
    rows.push_back(
        {{"topic", topics[where.first]}, {"partition", where.second}, {"events", count}});
  }
  return rows;
}

// What `resources` was spent on: the events of the same time, each once, as they were read back.
object published_of(const TrialRecords& records, const Phases& phases, std::uint64_t trial) {
  std::unordered_set<std::uint64_t> seen;
  std::uint64_t bytes = 0;
  for (const auto& read : records.reads) {
    const bool is_of_load =
        phases.warm_up.contains(read.request) || phases.measured.contains(read.request);
    if (read.trial != trial || !is_of_load || !seen.insert(read.request).second) continue;
    bytes += read.payload_bytes;
  }
  return {{"events", seen.size()}, {"bytes", bytes}};
}

object hops_of(const HopSummary& summary) {
  object hops;
  for (const auto& [name, hop] : summary.hops) hops[name] = describe(hop);
  return hops;
}

}  // namespace

Result<object> make_trial_document(const TrialInput& input, const TrialFacts& facts) {
  auto records = read_all(input.folder);
  if (!records) return std::unexpected(records.error());
  if (facts.analytics) {
    if (auto read = read_analytics(input.folder, *records); !read) {
      return std::unexpected(read.error());
    }
  }
  // A trial that never began to measure has nothing to be judged.
  const bool was_measured = base::count(facts.measured_from) != 0;
  const bool has_classes = was_measured && has_rate_by_tick(input.workload);
  TickTally tally(
      has_classes ? ticks_of(schedule_spec(input.workload, input.planned.seed), facts.tick_requests)
                  : Ticks{},
      facts.measured_from);
  const HopSummary hops =
      summarise_hops(*records, facts.phases.measured, input.key, facts.measured_from,
                     was_measured ? facts.schedule_seconds : 0, &tally);
  const LedgerDocument ledger = make_ledger_document(*records, facts, input.key);
  const Stationarity stationarity = stationarity_of(tally);
  const auto gates =
      was_measured ? evaluate_gates(gate_inputs(input, facts, *records, hops, ledger, stationarity))
                   : std::vector<Gate>{};
  const bool all_hold = std::ranges::all_of(gates, &Gate::holds);
  object document{{"format", "flow-trial/1"},
                  {"trial", input.planned.number},
                  {"id", input.id},
                  {"cell", input.cell.id},
                  {"platform", input.cell.platform},
                  {"level", input.level.name},
                  {"workload", input.workload.name},
                  {"block", input.planned.block},
                  {"seed", input.planned.seed},
                  {"is_repeat", input.planned.is_repeat},
                  {"trial_key", fmt::format("{:016x}", input.key)},
                  {"state", facts.state},
                  {"state_words", facts.state_words},
                  {"platform_fell_over", facts.has_platform_fallen},
                  {"valid", all_hold && facts.state == "complete"},
                  {"started_unix_ns", base::count(facts.started)},
                  {"measured_from_unix_ns", base::count(facts.measured_from)},
                  {"measured_until_unix_ns", base::count(facts.measured_until)},
                  {"finished_unix_ns", base::count(facts.finished)},
                  {"schedule_hash", facts.schedule_hash},
                  {"trials_before_on_servers", facts.trials_before},
                  {"versions", facts.versions},
                  {"phases", ledger.phases},
                  {"audit", ledger.audit},
                  {"sums", ledger.sums},
                  {"hops", hops_of(hops)},
                  {"classes", describe(tally, records->has_analytics)},
                  {"partitions", partitions_of(*records, facts.phases.measured, input.key)},
                  {"stationarity", describe(stationarity)},
                  {"gates", describe(gates)},
                  {"generator", generator_of(input, facts)},
                  {"resources", resources_of(facts)},
                  {"published", published_of(*records, facts.phases, input.key)},
                  {"machine", machine_of(facts)},
                  {"settings", facts.settings},
                  {"per_second", describe(hops.seconds, records->has_analytics)}};
  if (facts.analytics) {
    document["analytics"] = make_analytics_document(*records, facts, hops, input.key);
  }
  if (facts.steadiness) {
    document["warm_up"] = describe(*facts.steadiness);
    document["warm_up"].as_object()["seconds"] = facts.warm_up_seconds;
  }
  if (facts.load && facts.load->is_closed) document["customers"] = customers_of(input, *facts.load);
  if (!facts.faults.empty()) document["faults"] = facts.faults;
  return document;
}

Result<void> append_by_intended(const fs::path& folder, const object& document) {
  const fs::path path = folder / "intervals.jsonl";
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "ae"),
                                                             &std::fclose);
  if (!file) return fail(base::Errc::io, "{}: cannot be opened", path.string());
  for (const auto& row : document.at("per_second").as_array()) {
    object line{{"kind", "by_intended"}};
    for (const auto& [key, number] : row.as_object()) line[key] = number;
    fmt::print(file.get(), "{}\n", base::json::serialize(line));
  }
  if (std::fflush(file.get()) != 0) return fail(base::Errc::io, "{}: disk full?", path.string());
  return {};
}

}  // namespace flow::lab

// An experiment as a person writes it (YAML): platforms x levels x workloads, k blocks. Strict: an
// unknown or repeated key, a value out of range or a level that does not exist is an error with
// file, line, key, value and what was expected. docs/reference/experiment-file.md explains each
// key.
// Thread: any; plain values.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analytics/query_set.hpp"
#include "base/json.hpp"
#include "base/result.hpp"
#include "lab/plan/fault.hpp"
#include "traffic/schedule.hpp"
#include "traffic/visits.hpp"

namespace flow::lab {

struct Workload {
  std::string name = "bursts";
  double bias = 0.705;
  std::uint32_t ticks = 32;
  base::Nanos tick = std::chrono::seconds(1);
  // Mean over the schedule. Modes without a schedule: what follows from users and pauses.
  double requests_per_second = 300;
  traffic::Placement placement = traffic::Placement::uniform;
  std::uint32_t users = 100;
  // The mode, and of customers who wait for answers: visits and pauses. Its shape and users are not
  // read; workload_mode.hpp puts those above in their place.
  traffic::VisitSpec customers{.mode = traffic::Mode::open};
  std::uint32_t warm_up_seconds = 10;
  // The warm-up goes on until response times have settled, at most so long; 0: not.
  std::uint32_t warm_up_seconds_max = 0;
  double warm_up_requests_per_second = 300;
};

// Pinot beside the platform, asked while events arrive.
struct AnalyticsSettings {
  bool is_on = false;
  std::string pinot;       // Controller of a running cluster, "http://host:9000"; empty: start one.
  std::string pinot_home;  // A distribution to start; empty: the fetched one.
  std::string queries = "dashboard";       // A name in experiments/queries/, or a path.
  double queries_per_second = 2;           // 0: no query load.
  double probe_queries_per_second = 6;     // The probe's budget; 0: no probe.
  std::int64_t segment_rows = 50'000'000;  // Rows, over all partitions, until segments are sealed.
};

// A setting that takes several values: each makes cells of its own.
struct Variation {
  // As in a level file, "producer.linger_ms" for both platforms or "kafka.producer.linger_ms" for
  // one; or "broker_cpus".
  std::string setting;
  std::vector<std::string> values;  // As written, in order; at least two.
};
inline constexpr const char* broker_cpus_setting = "broker_cpus";

// What an experiment was made to answer, beside its headline: the report answers each by name, with
// the verdicts of these levels.
struct Question {
  std::string name;  // "RQ1"
  std::string text;
  std::vector<std::string> levels;
};

// Fewer blocks give numbers and no verdict: an exact test of up to three primaries cannot decide.
inline constexpr std::uint32_t blocks_for_a_verdict = 7;

struct Experiment {
  std::string name;
  std::string question;
  std::vector<Question> questions;
  std::vector<std::string> platforms;  // "kafka", "pulsar"
  std::vector<std::string> levels;     // Names in levels/, or paths.
  std::vector<Workload> workloads;
  std::uint32_t blocks = 1;
  std::vector<std::uint64_t> seeds;  // One per block.
  std::uint32_t shards = 1;          // Of the generator.
  std::uint32_t connections_max = 2000;
  std::uint32_t drain_seconds = 30;
  std::uint32_t bcrypt_cost = 10;
  bool ack_before_answer = false;
  double broker_cpus = 0;  // CPUs' worth of time for all of a platform's processes; 0: no limit.
  std::vector<Variation> vary;
  // Flow's own share: once, a trial whose broker acknowledges at once inside the shop. Default:
  // from 7 blocks on.
  bool with_null_broker = false;
  bool is_pilot = false;      // A/A pairs alone, to learn how many blocks are needed; see plan.hpp.
  bool with_repeats = false;  // A/A: one cell twice in each block. Default: from 7 blocks on.
  // Servers go on for the next trial when it has the same platform, level and settings, with its
  // topics deleted; blocks of a level then follow each other. Default: fresh ones for every trial.
  bool reuses_servers = false;
  std::uint32_t retries = 0;  // Of a trial whose gates do not hold. Default: 2 from 7 blocks on.
  double margin = 0.10;       // Ratios nearer 1 than this are too small to matter.
  std::string primary = "publish_response_p99";  // <hop>_<quantile>: what a verdict is about.
  AnalyticsSettings analytics;
  std::vector<Fault> faults;  // In the measured phase of every trial.
};

base::Result<Experiment> load_experiment(const std::string& path);
base::Result<Experiment> parse_experiment(std::string_view yaml, const std::string& name);

// What can be known to be wrong before anything starts. Errc::config.
base::Result<void> check_analytics(const Experiment& experiment);

// The dashboard queries of an experiment with analytics.
base::Result<analytics::QuerySet> load_queries(const Experiment& experiment);

// Every setting with its value, defaults included: stored in the result, printed by --dry-run.
base::json::object describe(const Experiment& experiment);

// The schedule of a workload under one seed: the same bytes for every cell of a block.
traffic::ScheduleSpec schedule_spec(const Workload& workload, std::uint64_t seed);

}  // namespace flow::lab

// The analytics of one trial while it runs: Pinot's tables over the trial's topics, the freshness
// probe and the dashboard queries during the measured phase, and what the tables hold at the end.
// Record files of its own in the trial's folder: probes, queries, rows.
// Thread: the trial's main thread; questions are asked on an IoThread of its own.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "analytics/controller.hpp"
#include "analytics/probe.hpp"
#include "analytics/query_load.hpp"
#include "analytics/query_set.hpp"
#include "analytics/sql_client.hpp"
#include "lab/join/trial_facts.hpp"
#include "lab/trial/progress.hpp"
#include "lab/trial/trial.hpp"
#include "lab/trial/trial_servers.hpp"
#include "net/io_thread.hpp"
#include "traffic/actions.hpp"
#include "traffic/schedule.hpp"

namespace flow::lab {

class TrialAnalytics {
 public:
  // `servers` outlives it. Errc::config for a query set that cannot be read.
  static base::Result<std::unique_ptr<TrialAnalytics>> create(const TrialInput& input,
                                                              base::ClockAnchor anchor,
                                                              const TrialServers& servers);
  ~TrialAnalytics();

  // The topics must exist; the tables then consume them from their beginning.
  base::Result<void> create_tables();

  // Asks what the measured phase will ask, so that its first questions do not measure Pinot's JVMs
  // starting to compile. Returns at once; nothing is recorded.
  void warm_up(base::TimePoint start, base::Nanos duration);
  // Returns when every question that was begun has ended, at most after their own deadlines.
  void wait_for_questions();

  // Begins to ask: `actions[i]` is intended at start + schedule.intended[i], as request
  // first_request + i.
  base::Result<void> begin(base::TimePoint start, const traffic::Schedule& schedule,
                           std::span<const traffic::Action> actions, std::uint64_t first_request);
  // No new question; returns when those under way have ended, at most after their own deadlines.
  void end();

  // When all events are in the topics: waits until the tables hold what the auditor read (at most
  // until `deadline`), reads every row, asks the database and Pinot for the same sums.
  void collect(const std::string& postgres_conninfo, base::TimePoint deadline, Progress& progress);

  AnalyticsFacts take_facts() { return std::move(facts_); }

 private:
  TrialAnalytics(const TrialInput& input, base::ClockAnchor anchor, const TrialServers& servers,
                 analytics::QuerySet queries);

  base::Result<analytics::SqlAnswer> ask(std::string sql, base::TimePoint deadline);
  base::Result<std::int64_t> ask_number(std::string sql, base::TimePoint deadline);
  void start_load(std::vector<analytics::PlannedQuery> plan, base::TimePoint start,
                  analytics::QueryLoad::Sink sink);
  std::string of_trial() const;  // The condition that a row is of this trial.
  base::Result<void> wait_for_rows(base::TimePoint deadline, Progress& progress);
  base::Result<void> read_rows(base::TimePoint deadline, Progress& progress);
  base::Result<void> read_table_rows(std::uint8_t topic, base::TimePoint deadline);
  base::Result<void> read_commits(base::TimePoint deadline);
  base::Result<void> compare_with_database(const std::string& conninfo, base::TimePoint deadline);
  base::Result<void> measure_probe_cost(base::TimePoint deadline, Progress& progress);
  void add_check(std::string name, std::string unit, std::int64_t database, std::int64_t pinot);
  void drop_tables();
  void fail_softly(const base::Result<void>& done);

  const TrialInput& input_;
  base::ClockAnchor anchor_;
  const TrialServers& servers_;
  analytics::QuerySet queries_;
  std::string prefix_;                 // Of the tables' names.
  std::array<std::string, 3> tables_;  // By topic; empty: not made yet.
  AnalyticsFacts facts_;
  net::IoThread io_{"flow-analytics"};
  std::unique_ptr<analytics::Controller> controller_;  // On io_, as are all below.
  std::unique_ptr<analytics::SqlClient> sql_;
  std::unique_ptr<analytics::FreshnessProbe> probe_;
  std::unique_ptr<analytics::QueryLoad> load_;
  std::optional<streaming::audit::RecordWriter<streaming::audit::ProbeRecord>> probes_file_;
  std::optional<streaming::audit::RecordWriter<streaming::audit::QueryRecord>> queries_file_;
  std::optional<streaming::audit::RecordWriter<streaming::audit::RowRecord>> rows_file_;
  std::vector<std::future<void>> asking_;
};

}  // namespace flow::lab

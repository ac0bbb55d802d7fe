// SPDX-License-Identifier: Apache-2.0
#include "lab/trial/trial_analytics.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <future>
#include <thread>
#include <unistd.h>
#include <utility>

#include "base/random.hpp"
#include "base/stamp.hpp"
#include "ecommerce/store/totals.hpp"
#include "servers/proc.hpp"

namespace flow::lab {
namespace {

using namespace std::chrono_literals;
using analytics::SqlAnswer;
using base::Errc;
using base::fail;
using base::Nanos;
using base::Result;
using base::TimePoint;
using streaming::audit::ProbeRecord;
using streaming::audit::QueryRecord;
using streaming::audit::ReadRecord;
using streaming::audit::RecordWriter;
using streaming::audit::RowRecord;

constexpr std::array<std::string_view, 3> topics = {"users", "products", "orders"};
constexpr std::uint64_t probe_purpose = 0x70726f6265;  // "probe"
constexpr std::uint64_t query_purpose = 0x7175657279;  // "query"
constexpr double questions_per_target = 5;             // What a search costs, about.
constexpr std::uint64_t requests_per_page = 20'000;    // Of rows that are read back.
constexpr std::size_t page_rows_max = 200'000;
constexpr auto tables_within = 60s;
constexpr auto question_within = 20s;
constexpr Nanos cost_window = 2s;  // For each half of measuring what a question costs.
constexpr double warm_up_queries_per_second = 20;
constexpr int status_placed = 0;

// The topic of the event that an action publishes; nullopt for one that publishes none.
std::optional<std::uint8_t> topic_of(traffic::ActionKind kind) {
  switch (kind) {
    case traffic::ActionKind::view_product:
      return std::uint8_t{1};
    case traffic::ActionKind::place_order:
      return std::uint8_t{2};
    default:
      return std::nullopt;
  }
}

std::uint64_t hex_number(std::string_view text) {
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value, 16);
  return value;
}

std::int64_t whole(const base::json::value& value) {
  return value.is_number() ? value.to_number<std::int64_t>() : 0;
}

// Of a row (flowEvent, flowIntended, flowIngestedMs).
RowRecord row_record(const base::json::array& row, std::uint8_t topic) {
  RowRecord record{};
  record.topic = topic;
  const std::string_view event =
      row[0].is_string() ? std::string_view(row[0].get_string()) : std::string_view();
  if (event.size() == 32) {
    record.trial = hex_number(event.substr(0, 16));
    record.request = hex_number(event.substr(16));
  }
  record.intended = whole(row[1]);
  record.ingested = whole(row[2]) * 1'000'000;
  return record;
}

// What the probe asks, of an event that is not there.
std::string probe_statement(const std::string& table, std::uint64_t trial) {
  return fmt::format("SELECT COUNT(*) FROM {} WHERE flowIntended = 1 AND flowEvent = '{}'", table,
                     base::format_trace_id(trial, 0));
}

double cpu_seconds_of(const std::vector<servers::ProcessInfo>& processes) {
  std::uint64_t ticks = 0;
  for (const auto& process : processes) {
    if (!process.role.starts_with("pinot-")) continue;
    if (const auto stat = servers::read_process_stat(process.pid)) {
      ticks += stat->user_ticks + stat->system_ticks;
    }
  }
  return static_cast<double>(ticks) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

}  // namespace

Result<std::unique_ptr<TrialAnalytics>> TrialAnalytics::create(const TrialInput& input,
                                                               base::ClockAnchor anchor,
                                                               const TrialServers& servers) {
  auto queries = load_queries(input.experiment);
  if (!queries) return std::unexpected(queries.error());
  const std::string& running = input.experiment.analytics.pinot;
  auto url = net::parse_http_url(running.empty() ? servers.pinot()->controller_url() : running);
  if (!url) return std::unexpected(url.error());
  std::unique_ptr<TrialAnalytics> made(
      new TrialAnalytics(input, anchor, servers, std::move(*queries)));
  made->controller_ =
      made->io_.run([&] { return std::make_unique<analytics::Controller>(made->io_, *url); });
  auto broker = made->io_.run_task(made->controller_->broker_url(base::now() + Nanos(10s)));
  if (!broker) return base::with_context("pinot", broker.error());
  made->sql_ =
      made->io_.run([&] { return std::make_unique<analytics::SqlClient>(made->io_, *broker); });
  auto probes = RecordWriter<ProbeRecord>::create((input.folder / "probes.records").string());
  if (!probes) return std::unexpected(probes.error());
  auto asked = RecordWriter<QueryRecord>::create((input.folder / "queries.records").string());
  if (!asked) return std::unexpected(asked.error());
  made->probes_file_ = std::move(*probes);
  made->queries_file_ = std::move(*asked);
  return made;
}

TrialAnalytics::TrialAnalytics(const TrialInput& input, base::ClockAnchor anchor,
                               const TrialServers& servers, analytics::QuerySet queries)
    : input_(input), anchor_(anchor), servers_(servers), queries_(std::move(queries)) {
  const auto& settings = input.experiment.analytics;
  // On a cluster that others use too, the trial's tables are its own.
  prefix_ = servers.choice().platform +
            (settings.pinot.empty() ? "_" : fmt::format("_{:016x}_", input.key));
  facts_.queries_per_second = settings.queries_per_second;
  facts_.probe_queries_per_second = settings.probe_queries_per_second;
  for (const auto& query : queries_.queries) facts_.queries.emplace_back(query.name, query.title);
}

TrialAnalytics::~TrialAnalytics() {
  end();
  if (!input_.experiment.analytics.pinot.empty()) drop_tables();
  io_.run([this] {
    probe_.reset();
    load_.reset();
    sql_.reset();
    controller_.reset();
  });
}

Result<SqlAnswer> TrialAnalytics::ask(std::string sql, TimePoint deadline) {
  return io_.run_task(
      sql_->query(std::move(sql), std::min(deadline, base::now() + Nanos(question_within))));
}

Result<std::int64_t> TrialAnalytics::ask_number(std::string sql, TimePoint deadline) {
  auto answer = ask(sql, deadline);
  if (!answer) return std::unexpected(answer.error());
  if (answer->rows.empty() || answer->rows.front().as_array().empty()) return 0;
  return static_cast<std::int64_t>(
      answer->rows.front().as_array().front().to_number<double>());  // Sums come as doubles.
}

std::string TrialAnalytics::of_trial() const {
  return fmt::format("flowEvent >= '{}' AND flowEvent <= '{}'",
                     base::format_trace_id(input_.key, 0),
                     base::format_trace_id(input_.key, UINT64_MAX));
}

Result<void> TrialAnalytics::create_tables() {
  const TimePoint deadline = base::now() + tables_within;
  auto version = io_.run_task(controller_->version(deadline));
  if (!version) return base::with_context("pinot", version.error());
  analytics::TableOptions options;
  options.platform = servers_.choice().platform;
  options.service = servers_.choice().service;
  options.version = *version;
  options.flush_rows = input_.experiment.analytics.segment_rows;
  options.prefix = prefix_;
  auto tables = analytics::make_tables(options);
  if (!tables) return std::unexpected(tables.error());
  facts_.pinot = {{"version", version->text()},
                  {"origin", input_.experiment.analytics.pinot.empty() ? "started" : "running"},
                  {"controller", controller_->url().authority()},
                  {"stream", analytics::stream_words(options.platform, *version)},
                  {"fetch_timeout_ns", Nanos(options.fetch_timeout).count()},
                  {"segment_rows", options.flush_rows}};
  for (auto& table : *tables) {
    for (std::size_t topic = 0; topic < topics.size(); ++topic) {
      if (table.topic == topics[topic]) facts_.tables[topic] = tables_[topic] = table.name;
    }
    auto created = io_.run_task(controller_->create(std::move(table), deadline));
    if (!created) return base::with_context("pinot", created.error());
  }
  return {};
}

void TrialAnalytics::warm_up(TimePoint start, Nanos duration) {
  // One more than the set has: the probe's kind of question.
  start_load(analytics::make_query_plan(queries_.queries.size() + 1, warm_up_queries_per_second,
                                        duration, base::derive_seed(input_.key, query_purpose)),
             start, [](const QueryRecord&) {});
}

void TrialAnalytics::start_load(std::vector<analytics::PlannedQuery> plan, TimePoint start,
                                analytics::QueryLoad::Sink sink) {
  auto text = [this](std::uint16_t query, base::UnixNanos now) {
    return query < queries_.queries.size()
               ? analytics::fill_in(queries_.queries[query].sql, prefix_,
                                    base::count(now) / 1'000'000)
               : probe_statement(tables_[1], input_.key);
  };
  io_.run([&] {
    load_ = std::make_unique<analytics::QueryLoad>(
        *sql_, std::move(text), analytics::QueryLoadOptions{.start = start, .anchor = anchor_},
        std::move(sink));
    asking_.push_back(
        net::asio::co_spawn(io_.context(), load_->run(std::move(plan)), net::asio::use_future));
  });
}

void TrialAnalytics::wait_for_questions() {
  for (auto& one : asking_) one.get();
  asking_.clear();
}

Result<void> TrialAnalytics::begin(TimePoint start, const traffic::Schedule& schedule,
                                   std::span<const traffic::Action> actions,
                                   std::uint64_t first_request) {
  const auto& settings = input_.experiment.analytics;
  std::vector<analytics::ProbeTarget> candidates;
  for (std::size_t i = 0; i < actions.size(); ++i) {
    if (const auto topic = topic_of(actions[i].kind)) {
      candidates.push_back({first_request + i, schedule.intended[i], *topic});
    }
  }
  auto targets = analytics::sample_targets(candidates,
                                           settings.probe_queries_per_second / questions_per_target,
                                           base::derive_seed(input_.planned.seed, probe_purpose));
  auto plan = analytics::make_query_plan(queries_.queries.size(), settings.queries_per_second,
                                         schedule.duration,
                                         base::derive_seed(input_.planned.seed, query_purpose));
  io_.run([&] {
    if (settings.probe_queries_per_second > 0) {
      analytics::ProbeOptions options{
          .trial = input_.key,
          .tables = tables_,
          .start = start,
          .anchor = anchor_,
          .queries_per_second_max = settings.probe_queries_per_second,
          .give_up = std::chrono::seconds(input_.experiment.drain_seconds)};
      probe_ = std::make_unique<analytics::FreshnessProbe>(
          *sql_, std::move(options),
          [this](const ProbeRecord& record) { probes_file_->append(record); });
      asking_.push_back(net::asio::co_spawn(io_.context(), probe_->run(std::move(targets)),
                                            net::asio::use_future));
    }
  });
  start_load(std::move(plan), start,
             [this](const QueryRecord& record) { queries_file_->append(record); });
  return {};
}

void TrialAnalytics::end() {
  if (asking_.empty()) return;
  io_.run([this] {
    if (probe_) probe_->stop();
    load_->stop();
  });
  wait_for_questions();
  fail_softly(probes_file_->flush());
  fail_softly(queries_file_->flush());
}

// What a running cluster was given is taken back.
void TrialAnalytics::drop_tables() {
  for (const auto& table : tables_) {
    if (table.empty()) continue;
    (void)io_.run_task(controller_->drop(table, base::now() + Nanos(tables_within)));
  }
}

// The first thing that went wrong stands in the result; the trial goes on.
void TrialAnalytics::fail_softly(const Result<void>& done) {
  if (!done && facts_.words.empty()) {
    facts_.words = done.error().what.substr(0, done.error().what.find('\n'));
  }
}

void TrialAnalytics::collect(const std::string& postgres_conninfo, TimePoint deadline,
                             Progress& progress) {
  if (tables_[0].empty()) return;
  auto waited = wait_for_rows(deadline, progress);
  fail_softly(waited);
  // What there is is read, also when it is not all.
  const TimePoint read_until = base::now() + Nanos(60s);
  auto rows = read_rows(read_until, progress);
  fail_softly(rows);
  fail_softly(read_commits(read_until));
  fail_softly(compare_with_database(postgres_conninfo, read_until));
  if (probe_ && servers_.pinot()) fail_softly(measure_probe_cost(read_until, progress));
  facts_.is_complete = waited.has_value() && rows.has_value();
}

Result<void> TrialAnalytics::wait_for_rows(TimePoint deadline, Progress& progress) {
  auto reads =
      streaming::audit::read_records<ReadRecord>((input_.folder / "reads.records").string());
  if (!reads) return std::unexpected(reads.error());
  std::array<std::int64_t, 3> wanted{};
  for (const auto& read : *reads) {
    if (read.trial == input_.key && read.topic < wanted.size()) ++wanted[read.topic];
  }
  for (std::size_t topic = 0; topic < topics.size(); ++topic) {
    for (;;) {
      auto rows = ask_number(
          fmt::format("SELECT COUNT(*) FROM {} WHERE {}", tables_[topic], of_trial()), deadline);
      if (rows && *rows >= wanted[topic]) break;
      if (base::now() >= deadline) {
        return rows ? fail(Errc::timed_out, "{}: {} of {} events were in the table in time",
                           tables_[topic], *rows, wanted[topic])
                    : std::unexpected(rows.error());
      }
      progress.update(rows ? fmt::format("{}: {} of {}", tables_[topic], *rows, wanted[topic])
                           : fmt::format("{}: {}", tables_[topic], rows.error().what));
      std::this_thread::sleep_for(100ms);
    }
  }
  return {};
}

Result<void> TrialAnalytics::read_rows(TimePoint deadline, Progress& progress) {
  auto file = RecordWriter<RowRecord>::create((input_.folder / "rows.records").string());
  if (!file) return std::unexpected(file.error());
  rows_file_ = std::move(*file);
  for (std::uint8_t topic = 0; topic < topics.size(); ++topic) {
    progress.update(fmt::format("reading the rows of {}", tables_[topic]));
    if (auto read = read_table_rows(topic, deadline); !read) return read;
  }
  return rows_file_->flush();
}

// Page by page of request numbers, so that no answer is large.
Result<void> TrialAnalytics::read_table_rows(std::uint8_t topic, TimePoint deadline) {
  auto last = ask(fmt::format("SELECT flowEvent FROM {} WHERE {} ORDER BY flowEvent DESC LIMIT 1",
                              tables_[topic], of_trial()),
                  deadline);
  if (!last) return std::unexpected(last.error());
  if (last->rows.empty()) return {};
  const std::uint64_t highest =
      hex_number(std::string_view(last->rows.front().as_array().front().as_string()).substr(16));
  for (std::uint64_t from = 0; from <= highest; from += requests_per_page) {
    auto page =
        ask(fmt::format("SELECT flowEvent, flowIntended, flowIngestedMs FROM {} "
                        "WHERE flowEvent >= '{}' AND flowEvent < '{}' LIMIT {}",
                        tables_[topic], base::format_trace_id(input_.key, from),
                        base::format_trace_id(input_.key, from + requests_per_page), page_rows_max),
            deadline);
    if (!page) return std::unexpected(page.error());
    if (page->rows.size() >= page_rows_max) {
      return fail(Errc::protocol, "{}: {} rows or more of {} requests: not all were read",
                  tables_[topic], page_rows_max, requests_per_page);
    }
    std::vector<RowRecord> rows;
    for (const auto& row : page->rows) rows.push_back(row_record(row.as_array(), topic));
    std::ranges::sort(rows, {}, [](const RowRecord& row) {
      return std::pair(row.request, row.ingested);  // Of copies the first counts.
    });
    for (const auto& row : rows) rows_file_->append(row);
  }
  return {};
}

Result<void> TrialAnalytics::read_commits(TimePoint deadline) {
  for (std::uint8_t topic = 0; topic < topics.size(); ++topic) {
    auto segments = io_.run_task(controller_->segments(tables_[topic], deadline));
    if (!segments) return std::unexpected(segments.error());
    for (const auto& commit : analytics::commits_of(*segments)) {
      facts_.commits.push_back({.topic = topic,
                                .partition = commit.partition,
                                .unix_ns = commit.unix_ms * 1'000'000,
                                .rows = commit.rows});
    }
  }
  return {};
}

void TrialAnalytics::add_check(std::string name, std::string unit, std::int64_t database,
                               std::int64_t pinot) {
  facts_.checks_hold = facts_.checks_hold && database == pinot;
  facts_.checks.push_back({{"name", std::move(name)},
                           {"unit", std::move(unit)},
                           {"database", database},
                           {"pinot", pinot},
                           {"holds", database == pinot}});
}

// An order is one row per event: placed once, then perhaps paid or cancelled, which ends it.
Result<void> TrialAnalytics::compare_with_database(const std::string& conninfo,
                                                   TimePoint deadline) {
  auto totals = ecommerce::read_totals(conninfo, 10s);
  if (!totals) return std::unexpected(totals.error());
  const auto in_pinot = [&](std::string_view what, std::size_t topic, std::string_view condition) {
    return ask_number(
        fmt::format("SELECT {} FROM {} WHERE {}{}", what, tables_[topic], of_trial(), condition),
        deadline);
  };
  const std::string placed = fmt::format(" AND currentStatus = {}", status_placed);
  auto users = in_pinot("DISTINCTCOUNT(id)", 0, "");
  if (!users) return std::unexpected(users.error());
  add_check("registered users", "users", totals->users, *users);
  auto orders = in_pinot("COUNT(*)", 2, placed);
  if (!orders) return std::unexpected(orders.error());
  add_check("orders", "orders", totals->orders, *orders);
  auto cents = in_pinot("SUM(totalAmountCents)", 2, placed);
  if (!cents) return std::unexpected(cents.error());
  add_check("sum of all order amounts", "cents", totals->order_cents, *cents);
  std::int64_t open = *orders;
  for (const auto& [status, name] : {std::pair(1, "cancelled"), std::pair(2, "failed"),
                                     std::pair(3, "paid"), std::pair(4, "shipped")}) {
    auto ended = in_pinot("DISTINCTCOUNT(id)", 2, fmt::format(" AND currentStatus = {}", status));
    if (!ended) return std::unexpected(ended.error());
    open -= *ended;
    if (*ended == 0 && totals->orders_by_status[status] == 0) continue;
    add_check(fmt::format("orders in state {}", name), "orders", totals->orders_by_status[status],
              *ended);
  }
  add_check("orders in state placed", "orders", totals->orders_by_status[status_placed], open);
  return {};
}

// Pinot's CPU while one client asks as the probe does, without what Pinot uses at rest, by
// question.
Result<void> TrialAnalytics::measure_probe_cost(TimePoint deadline, Progress& progress) {
  progress.update("measuring what the probe's questions cost");
  const auto processes = servers_.processes();
  const double rest_from = cpu_seconds_of(processes);
  std::this_thread::sleep_for(cost_window);
  const double rest = cpu_seconds_of(processes) - rest_from;
  const std::string sql =
      fmt::format("SELECT COUNT(*) FROM {} WHERE flowIntended = 1 AND flowEvent = '{}'", tables_[1],
                  base::format_trace_id(input_.key, 1));
  const double asked_from = cpu_seconds_of(processes);
  int questions = 0;
  for (const TimePoint until = base::now() + cost_window; base::now() < until; ++questions) {
    if (auto answer = ask(sql, deadline); !answer) return std::unexpected(answer.error());
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  const double cost = cpu_seconds_of(processes) - asked_from - rest;
  facts_.probe_cpu_seconds_per_query = std::max(0.0, cost) / questions;
  return {};
}

}  // namespace flow::lab

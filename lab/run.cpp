// SPDX-License-Identifier: Apache-2.0
#include "lab/run.hpp"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <map>

#include "base/random.hpp"
#include "lab/analysis.hpp"
#include "lab/files.hpp"
#include "lab/plan.hpp"
#include "lab/report.hpp"
#include "lab/running_mark.hpp"
#include "lab/seal.hpp"
#include "lab/trial.hpp"
#include "lab/trial_servers.hpp"
#include "lab/workload_mode.hpp"
#include "servers/resources.hpp"
#include "servers/run_directory.hpp"
#include "traffic/facts.hpp"

namespace flow::lab {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using base::Errc;
using base::fail;
using base::Result;
using base::json::array;
using base::json::object;
using base::json::value;

constexpr const char* repeated_folder = "repeated";

using Levels = std::map<std::string, servers::Level>;  // By the word in the experiment file.

Result<Levels> load_levels(const Experiment& experiment) {
  Levels levels;
  for (const auto& name : experiment.levels) {
    auto level = servers::load_level(name);
    if (!level) return std::unexpected(level.error());
    levels.emplace(name, std::move(*level));
  }
  return levels;
}

// In the order of the cells: each with what is varied in it.
Result<std::vector<servers::Level>> levels_of_cells(const Plan& plan, const Levels& levels) {
  std::vector<servers::Level> of_cells;
  for (const auto& cell : plan.cells) {
    auto level = level_of(cell, levels.at(cell.level));
    if (!level) return std::unexpected(level.error());
    of_cells.push_back(std::move(*level));
  }
  return of_cells;
}

// A client setting that its driver refuses is known before anything starts.
Result<void> check_client_settings(const Plan& plan, const std::vector<servers::Level>& levels,
                                   const streaming::DriverFactory& make_driver) {
  net::IoThread io("flow-check");
  for (std::size_t i = 0; i < plan.cells.size(); ++i) {
    if (plan.cells[i].platform == null_platform) continue;
    const bool is_kafka = plan.cells[i].platform == "kafka";
    streaming::DriverChoice choice;
    choice.platform = plan.cells[i].platform;
    choice.service = is_kafka ? "127.0.0.1:9" : "pulsar://127.0.0.1:9";  // Nobody is asked.
    choice.producer = is_kafka ? levels[i].kafka.producer : levels[i].pulsar.producer;
    choice.consumer = is_kafka ? levels[i].kafka.consumer : levels[i].pulsar.consumer;
    choice.topic = is_kafka ? levels[i].kafka.topic : levels[i].pulsar.topic;
    auto driver = io.run([&] { return make_driver(io, choice); });
    if (!driver) return base::with_context(plan.cells[i].id, driver.error());
    io.run([&] { driver->reset(); });
  }
  return {};
}

std::string utc_name(std::int64_t unix_ns) {
  const std::time_t at = unix_ns / 1'000'000'000;
  std::tm parts{};
  gmtime_r(&at, &parts);
  char text[32];
  return {text, std::strftime(text, sizeof text, "%Y%m%dT%H%M%SZ", &parts)};
}

object describe_facts(const traffic::Schedule& schedule, double mean) {
  const std::vector<double> capacities{2 * mean, 4 * mean};
  const auto facts = traffic::facts_of(schedule, capacities);
  array overload;
  for (const auto& row : facts.overload) {
    overload.push_back({{"capacity_per_second", row.capacity_per_second},
                        {"time_share", row.time_share},
                        {"requests_share", row.request_share}});
  }
  array volumes;
  for (const auto count : schedule.counts) volumes.emplace_back(count);
  return {{"requests", schedule.intended.size()},
          {"peak_factor", facts.peak_factor},
          {"busiest_tick", facts.busiest_tick},
          {"busiest_tick_requests", schedule.counts[facts.busiest_tick]},
          {"busiest_tick_share", facts.busiest_share},
          {"tail_support_ticks", facts.tail_ticks},
          {"schedule_hash", traffic::format_hash(schedule.hash)},
          {"volumes", std::move(volumes)},
          {"overload", std::move(overload)}};
}

// By workload name; the facts are those of the first seed.
Result<object> describe_workloads(const Experiment& experiment) {
  object workloads;
  const object all = describe(experiment);
  for (std::size_t i = 0; i < experiment.workloads.size(); ++i) {
    const auto& workload = experiment.workloads[i];
    const auto traffic = make_traffic(workload, experiment.seeds.front());
    if (!traffic) return std::unexpected(traffic.error());
    object description = all.at("workloads").as_array()[i].as_object();
    object facts = describe_facts(traffic->schedule, workload.requests_per_second);
    if (traffic->visits) facts["customers"] = visit_facts(*traffic->visits);
    description["facts"] = std::move(facts);
    workloads[workload.name] = std::move(description);
  }
  return workloads;
}

std::string customers_text(const object& workload, const object& customers) {
  const auto number = [&customers](std::string_view key) {
    return customers.at(key).to_number<double>();
  };
  std::string text = fmt::format(
      "  mode {}: {:.0f} visits, {:.0f} of them there at the start; {:.1f} customers present on "
      "average, {:.0f} at most, a connection each; mean think time {:.4g} s\n",
      std::string_view(workload.at("mode").as_string()), number("visits"), number("visits_carried"),
      number("present_mean"), number("present_max"),
      workload.at("think_mean_seconds").to_number<double>());
  if (number("new_customers") == 0) return text;
  return text + fmt::format("  {:.0f} new customers register: {:.1f} passwords hashed a second\n",
                            number("new_customers"), number("passwords_per_second"));
}

// What the schedule will do to a system, known before anything runs.
std::string facts_text(const object& workloads) {
  std::string text;
  for (const auto& [name, workload] : workloads) {
    const auto number = [&facts = workload.at("facts")](std::string_view key) {
      return facts.at(key).to_number<double>();
    };
    const auto* customers = workload.at("facts").as_object().if_contains("customers");
    text += fmt::format(
        "Traffic {}: {:.0f} requests{}, mean {:.0f}/s; the busiest of {} ticks holds {:.0f} "
        "({:.1f} %), {:.2f} times the mean; the slowest 1 % can come from {:.0f} tick(s)\n",
        std::string_view(name), number("requests"),
        customers ? " if every answer came at once, fewer otherwise" : "",
        workload.at("requests_per_second").to_number<double>(),
        workload.at("ticks").to_number<std::uint64_t>(), number("busiest_tick_requests"),
        100 * number("busiest_tick_share"), number("peak_factor"), number("tail_support_ticks"));
    if (customers) text += customers_text(workload.as_object(), customers->as_object());
    for (const auto& row : workload.at("facts").at("overload").as_array()) {
      text += fmt::format("  above {:.0f}/s: {:.1f} % of the time, {:.1f} % of the requests\n",
                          row.at("capacity_per_second").to_number<double>(),
                          100 * row.at("time_share").to_number<double>(),
                          100 * row.at("requests_share").to_number<double>());
    }
  }
  return text;
}

// What a reader must know beside the numbers.
array warnings_of(const Experiment& experiment, const object& workloads) {
  array warnings;
  for (const auto& [name, workload] : workloads) {
    const auto& facts = workload.at("facts");
    const auto ticks = facts.at("tail_support_ticks").to_number<std::uint64_t>();
    if (ticks >= traffic::tail_ticks_wanted) continue;
    warnings.emplace_back(fmt::format(
        "workload {}: the busiest tick holds {:.0f} % of all requests and so decides the p99; the "
        "slowest 1 % of the requests can come from {} of its ticks (10 or more would be sound)",
        std::string_view(name), 100 * facts.at("busiest_tick_share").to_number<double>(), ticks));
  }
  for (const auto& workload : experiment.workloads) {
    if (auto words = comparison_words(workload); !words.empty()) warnings.emplace_back(words);
  }
  if (experiment.analytics.is_on) {
    warnings.emplace_back(
        "Pinot ran beside the brokers on this machine and took CPU time from them; its ingestion "
        "code differs by platform (its own Kafka plugin, Flow's Pulsar plugin), so freshness "
        "compares platforms with their plugin, not brokers alone");
  }
  if (!experiment.faults.empty()) {
    warnings.emplace_back("faults were done on purpose in every trial; each is listed there");
  }
  for (const auto& variation : experiment.vary) {
    if (!servers::can_change_promise(variation.setting)) continue;
    warnings.emplace_back(fmt::format(
        "{} is varied: it can change what an acknowledgement means, so a cell may promise less or "
        "more than its level says",
        variation.setting));
  }
  if (experiment.ack_before_answer) {
    warnings.emplace_back("the shop answers only after the broker's acknowledgement");
  }
  return warnings;
}

object estimate_of(const Experiment& experiment) {
  const bool is_estimate = experiment.blocks < blocks_for_a_verdict;
  std::string words;
  if (experiment.is_pilot) {
    words = "ESTIMATE: a pilot, which compares nothing";
  } else if (experiment.blocks == 1) {
    words = "ESTIMATE: one block, cold JVMs";
  } else if (is_estimate) {
    words = fmt::format("ESTIMATE: {} blocks, cold JVMs; fewer than {} decide nothing",
                        experiment.blocks, blocks_for_a_verdict);
  }
  return {{"is_estimate", is_estimate}, {"words", words}};
}

array to_array(const std::vector<std::string>& words) {
  array texts;
  for (const auto& word : words) texts.emplace_back(word);
  return texts;
}

// What was decided before the first trial: every setting and the order of the trials.
std::string preregistration(const Plan& plan, const Experiment& experiment) {
  return preregistration_of(describe(experiment), describe(plan, experiment));
}

class Run {
 public:
  Run(RunOptions options, Progress& progress, StopRequest& stop)
      : options_(std::move(options)),
        plan_(make_plan(options_.experiment)),
        progress_(progress),
        stop_(stop),
        null_experiment_(options_.experiment) {
    null_experiment_.analytics.is_on = false;
    null_experiment_.faults.clear();
    null_experiment_.broker_cpus = 0;
  }

  Result<RunOutcome> run();

 private:
  Result<void> check_disk_space() const;
  Result<void> open_folder();
  Result<fs::path> newest_folder() const;
  Result<void> write_experiment();
  std::string where_words(std::size_t index) const;
  void run_trial_of(const PlannedTrial& planned, RunOutcome& outcome);
  Result<void> write_analysis() const;
  TrialOutcome run_until_valid(const TrialInput& input);
  bool is_next_alike(const PlannedTrial& planned) const;
  void set_aside(const fs::path& folder, const char* kind) const;
  std::uint32_t repeats_of(const std::string& id) const;
  std::optional<TrialOutcome> finished_before(const fs::path& folder) const;

  RunOptions options_;
  Plan plan_;
  Progress& progress_;
  StopRequest& stop_;
  // Of the null broker: there is nothing that could be asked, limited or broken.
  Experiment null_experiment_;
  std::unique_ptr<TrialServers> kept_servers_;  // For the next trial, where they are reused.
  Levels levels_;
  std::vector<servers::Level> cell_levels_;  // By the index of the cell.
  object workloads_;
  fs::path folder_;
  std::int64_t created_ = 0;
  base::TimePoint began_{};
  std::int64_t trials_run_ = 0;                      // By this process.
  std::map<std::string, std::string> block_hashes_;  // By "block/workload".
};

// The newest folder whose plan is exactly this one.
Result<fs::path> Run::newest_folder() const {
  std::vector<fs::path> folders;
  std::error_code error;
  for (fs::directory_iterator at(options_.results, error), end; !error && at != end;
       at.increment(error)) {
    if (at->path().filename().string().ends_with("-" + options_.experiment.name)) {
      folders.push_back(at->path());
    }
  }
  std::ranges::sort(folders, std::greater{});
  for (const auto& folder : folders) {
    auto stored = base::read_json_file((folder / "experiment.json").string());
    if (!stored) continue;
    const auto* effective = stored->as_object().if_contains("effective");
    if (effective && *effective == value(describe(options_.experiment))) return folder;
  }
  return fail(Errc::config,
              "--resume: no result of '{}' with the same settings in {}; run it without --resume",
              options_.experiment.name, options_.results.string());
}

// Known before hours have gone by. What servers write is thrown away after each trial.
Result<void> Run::check_disk_space() const {
  constexpr std::uintmax_t gib = 1024 * 1024 * 1024;
  constexpr std::uintmax_t trial_bytes =
      40 * 1024 * 1024;  // Records and logs; the demo's have 12 MB.
  const auto check = [](const fs::path& folder, std::uintmax_t needed,
                        std::string_view what) -> Result<void> {
    std::error_code error;
    const auto space = fs::space(folder, error);
    if (error || space.available >= needed) return {};
    return fail(Errc::io, "{}: {:.1f} GiB are free, {:.1f} GiB are wanted for {}", folder.string(),
                static_cast<double>(space.available) / static_cast<double>(gib),
                static_cast<double>(needed) / static_cast<double>(gib), what);
  };
  if (auto made = make_folder(options_.results); !made) return made;
  if (auto ok = check(servers::cache_directory(), 4 * gib, "what the servers write"); !ok)
    return ok;
  return check(options_.results, gib + trial_bytes * plan_.trials.size(), "the results");
}

Result<void> Run::open_folder() {
  created_ = base::count(base::ClockAnchor::take().to_unix(base::now()));
  if (options_.resume) {
    auto folder = newest_folder();
    if (!folder) return std::unexpected(folder.error());
    folder_ = std::move(*folder);
    progress_.note(fmt::format("Going on in {}", folder_.string()));
    return {};
  }
  folder_ = options_.results / fmt::format("{}-{}", utc_name(created_), options_.experiment.name);
  if (auto made = make_folder(folder_ / "trials"); !made) return made;
  progress_.note(fmt::format("Results: {}", folder_.string()));
  return write_experiment();
}

Result<void> Run::write_experiment() {
  progress_.step("looking at this machine");
  const auto& experiment = options_.experiment;
  object levels;
  for (const auto& [name, level] : levels_) levels[level.name] = servers::to_json(level);
  const object document{{"format", "flow-experiment/1"},
                        {"name", experiment.name},
                        {"question", experiment.question},
                        {"created_unix_ns", created_},
                        {"flow", options_.flow_facts},
                        {"command", to_array(options_.command)},
                        {"host", servers::host_facts(servers::cache_directory())},
                        {"plan", describe(plan_, experiment)},
                        {"levels", std::move(levels)},
                        {"workloads", workloads_},
                        {"warnings", warnings_of(experiment, workloads_)},
                        {"estimate", estimate_of(experiment)},
                        {"effective", describe(experiment)},
                        {"preregistered_sha256", preregistration(plan_, experiment)}};
  return write_json(folder_ / "experiment.json", document);
}

std::optional<TrialOutcome> Run::finished_before(const fs::path& folder) const {
  if (!options_.resume || !fs::exists(folder / "trial.json")) return std::nullopt;
  auto document = base::read_json_file((folder / "trial.json").string());
  if (!document) return std::nullopt;
  const base::JsonView view(*document, folder.string());
  const auto state = view.at("state");
  const auto valid = view.at("valid");
  const auto hash = view.at("schedule_hash");
  if (!state || !valid || !hash || state->text().value_or("") != "complete") return std::nullopt;
  return TrialOutcome{"complete", valid->boolean().value_or(false),
                      std::string(hash->text().value_or(""))};
}

// What an earlier try left is kept below `kind`, out of the way of the trial that is run again.
void Run::set_aside(const fs::path& folder, const char* kind) const {
  if (!fs::exists(folder)) return;
  std::error_code error;
  fs::create_directories(folder_ / kind, error);
  for (int nth = 1; nth < 1000; ++nth) {
    const fs::path aside = folder_ / kind / fmt::format("{}-{}", folder.filename().string(), nth);
    if (fs::exists(aside)) continue;
    fs::rename(folder, aside, error);
    return;
  }
}

// How often a trial was run to its end without being valid and set aside.
std::uint32_t Run::repeats_of(const std::string& id) const {
  std::uint32_t count = 0;
  while (fs::exists(folder_ / repeated_folder / fmt::format("{}-{}", id, count + 1))) ++count;
  return count;
}

// "Trial 3 of 14, block 2 of 7; about 21:05 left", by the trials that were run so far.
std::string Run::where_words(std::size_t index) const {
  const auto left = static_cast<std::int64_t>(plan_.trials.size() - index);
  const auto all = static_cast<std::int64_t>(plan_.trials.size());
  const base::Nanos each = trials_run_ > 0 ? (base::now() - began_) / trials_run_
                                           : estimated_duration(options_.experiment) / all;
  const auto block = plan_.trials[index].block;
  const std::string where = block == 0
                                ? "before the blocks"
                                : fmt::format("block {} of {}", block, options_.experiment.blocks);
  return fmt::format("Trial {} of {}, {}; about {} left", index + 1, all, where,
                     format_elapsed(each * left));
}

Result<void> Run::write_analysis() const {
  auto result = load_for_analysis(folder_);
  if (!result) return std::unexpected(result.error());
  auto analysis = analyse(*result);
  if (!analysis) return std::unexpected(analysis.error());
  return write_json(folder_ / "analysis.json", *analysis);
}

// A trial in its slot: one whose gates do not hold is run again with its seed, as often as the
// experiment allows. A platform that fell over is an outcome and stays.
TrialOutcome Run::run_until_valid(const TrialInput& input) {
  for (std::uint32_t repeats = repeats_of(input.id);; ++repeats) {
    auto outcome = run_trial(input, progress_, stop_);
    const bool is_judged = outcome.state == "complete" && !outcome.is_valid;
    if (!is_judged || repeats >= options_.experiment.retries || stop_.is_requested()) {
      return outcome;
    }
    progress_.note(fmt::format("{}: not valid; set aside and run again ({} of {})", input.id,
                               repeats + 1, options_.experiment.retries));
    set_aside(input.folder, repeated_folder);
  }
}

// Whether the next trial goes on with this one's servers.
bool Run::is_next_alike(const PlannedTrial& planned) const {
  const std::size_t next = planned.number;  // Numbers count from 1.
  if (!options_.experiment.reuses_servers || next >= plan_.trials.size()) return false;
  return share_servers(plan_.cells[planned.cell], plan_.cells[plan_.trials[next].cell]);
}

void Run::run_trial_of(const PlannedTrial& planned, RunOutcome& outcome) {
  const Cell& cell = plan_.cells[planned.cell];
  const auto& workload = options_.experiment.workloads[cell.workload];
  const std::string id = trial_id(plan_, planned);
  const fs::path folder = folder_ / "trials" / id;
  std::string& block_hash = block_hashes_[fmt::format("{}/{}", planned.block, workload.name)];
  auto done = finished_before(folder);
  if (done) {
    kept_servers_.reset();  // Its own next trial was not this one.
  } else {
    set_aside(folder, "interrupted");
    const TrialInput input{
        .experiment = cell.platform == null_platform ? null_experiment_ : options_.experiment,
        .workload = workload,
        .cell = cell,
        .planned = planned,
        .id = id,
        .level = cell_levels_[planned.cell],
        .folder = folder,
        .key = base::derive_seed(static_cast<std::uint64_t>(created_), planned.number) | 1,
        .block_schedule_hash = block_hash,
        .kept_servers = kept_servers_,
        .keeps_servers = is_next_alike(planned),
        .program = options_.program,
        .make_driver = options_.make_driver};
    done = run_until_valid(input);
    ++trials_run_;
    if (plan_.trials.size() > 2 && !done->words.empty()) {
      progress_.note(fmt::format("{}: {}: {}", id, done->state, done->words));
    }
  }
  if (block_hash.empty()) block_hash = done->schedule_hash;
  if (done->state == "complete") ++outcome.trials_complete;
  if (done->is_valid) ++outcome.trials_valid;
  if (done->error) {
    progress_.note(fmt::format("{}: {}: {}", id, done->state,
                               done->error->what.substr(0, done->error->what.find('\n'))));
    if (!outcome.first_error) outcome.first_error = done->error;
  }
}

Result<RunOutcome> Run::run() {
  auto levels = load_levels(options_.experiment);
  if (!levels) return std::unexpected(levels.error());
  levels_ = std::move(*levels);
  auto cell_levels = levels_of_cells(plan_, levels_);
  if (!cell_levels) return std::unexpected(cell_levels.error());
  cell_levels_ = std::move(*cell_levels);
  if (auto ok = check_client_settings(plan_, cell_levels_, options_.make_driver); !ok) {
    return std::unexpected(ok.error());
  }
  if (auto ok = check_analytics(options_.experiment); !ok) return std::unexpected(ok.error());
  if (auto ok = check_mode(options_.experiment); !ok) return std::unexpected(ok.error());
  auto workloads = describe_workloads(options_.experiment);
  if (!workloads) return std::unexpected(workloads.error());
  workloads_ = std::move(*workloads);
  if (auto room = check_disk_space(); !room) return std::unexpected(room.error());
  began_ = base::now();
  if (auto opened = open_folder(); !opened) return std::unexpected(opened.error());
  const auto mark = RunningMark::create(folder_, estimated_duration(options_.experiment));
  if (!mark) return std::unexpected(mark.error());
  RunOutcome outcome;
  outcome.folder = folder_;
  outcome.trials_planned = plan_.trials.size();
  progress_.finish();
  progress_.note(facts_text(workloads_));
  progress_.note(fmt::format("{} trials, about {} in all", plan_.trials.size(),
                             format_elapsed(estimated_duration(options_.experiment))));
  for (std::size_t i = 0; i < plan_.trials.size() && !stop_.is_requested(); ++i) {
    if (plan_.trials.size() > 2) progress_.note(where_words(i));
    run_trial_of(plan_.trials[i], outcome);
  }
  kept_servers_.reset();
  progress_.step("sealing and writing the report");
  if (auto judged = write_analysis(); !judged) return std::unexpected(judged.error());
  if (auto sealed = seal(folder_); !sealed) return std::unexpected(sealed.error());
  auto report = write_report(folder_);
  if (!report) return std::unexpected(report.error());
  outcome.report = std::move(*report);
  return outcome;
}

// Until the servers of a trial are ready and its topics made; seen on 2 cores, with one node and
// with three.
base::Nanos start_duration(const std::string& level_name, std::string_view platform) {
  const auto level = servers::load_level(level_name);
  const bool is_kafka = platform == "kafka";
  const int nodes = !level ? 1 : is_kafka ? level->kafka.nodes : level->pulsar.bookies;
  if (nodes <= 1) return is_kafka ? 8s : 25s;
  return is_kafka ? 13s : 40s;
}

base::Nanos estimated_duration(const Experiment& experiment, const Cell& cell) {
  const auto& workload = experiment.workloads[cell.workload];
  const base::Nanos start =
      cell.platform == null_platform ? 2s : start_duration(cell.level, cell.platform);
  const auto cost = 1 << std::min(experiment.bcrypt_cost, 20U);
  // Registering and signing in: two hashes a user, about 65 ms each at cost 10, on two cores; and
  // what two requests take beside them.
  const base::Nanos users = workload.users * (65ms * cost / 1024 + 10ms);
  return start + users + std::chrono::seconds(workload.warm_up_seconds) +
         workload.ticks * workload.tick + 8s + (experiment.analytics.is_on ? 35s : 0s);
}

}  // namespace

base::Nanos estimated_duration(const Experiment& experiment) {
  const Plan plan = make_plan(experiment);
  std::vector<base::Nanos> of_cells;
  for (const auto& cell : plan.cells) of_cells.push_back(estimated_duration(experiment, cell));
  base::Nanos total{0};
  for (const auto& trial : plan.trials) total += of_cells[trial.cell];
  return total;
}

Result<std::string> dry_run_text(const Experiment& experiment) {
  auto levels = load_levels(experiment);
  if (!levels) return std::unexpected(levels.error());
  if (auto ok = check_analytics(experiment); !ok) return std::unexpected(ok.error());
  if (auto ok = check_mode(experiment); !ok) return std::unexpected(ok.error());
  auto workloads = describe_workloads(experiment);
  if (!workloads) return std::unexpected(workloads.error());
  const Plan plan = make_plan(experiment);
  if (auto ok = levels_of_cells(plan, *levels); !ok) return std::unexpected(ok.error());
  std::string text = fmt::format("Experiment {}: {}\n\n", experiment.name, experiment.question);
  text += fmt::format("{} trials, about {}:\n", plan.trials.size(),
                      format_elapsed(estimated_duration(experiment)));
  for (const auto& trial : plan.trials) {
    text += trial.block == 0 ? fmt::format("  {}  before the blocks\n", trial_id(plan, trial))
                             : fmt::format("  {}  block {}, seed {}\n", trial_id(plan, trial),
                                           trial.block, trial.seed);
  }
  for (const auto& [name, level] : *levels) {
    text +=
        fmt::format("\nLevel {}: {}\n  {}\n", level.name, level.promises, level.does_not_promise);
    if (!level.like_for_like) {
      text += fmt::format("  NOT LIKE FOR LIKE: {}\n", level.like_for_like_reason);
    }
    for (const auto& platform : experiment.platforms) {
      text += fmt::format("  {}: {}\n", platform, servers::replication_note(level, platform));
    }
  }
  for (const auto& warning : warnings_of(experiment, *workloads)) {
    text += fmt::format("\nNote: {}\n", std::string_view(warning.as_string()));
  }
  text += "\nOf the first seed:\n" + facts_text(*workloads) + base::pretty_json(*workloads);
  text += "\nEverything in force, defaults included:\n" + base::pretty_json(describe(experiment));
  return text;
}

Result<RunOutcome> run_experiment(RunOptions options, Progress& progress, StopRequest& stop) {
  return Run(std::move(options), progress, stop).run();
}

}  // namespace flow::lab

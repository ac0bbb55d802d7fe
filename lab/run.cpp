// SPDX-License-Identifier: Apache-2.0
#include "lab/run.hpp"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <map>

#include "base/random.hpp"
#include "lab/judge/analysis.hpp"
#include "lab/plan/estimate.hpp"
#include "lab/plan/plan.hpp"
#include "lab/plan/preview.hpp"
#include "lab/report.hpp"
#include "lab/result/files.hpp"
#include "lab/result/load.hpp"
#include "lab/result/running_mark.hpp"
#include "lab/result/seal.hpp"
#include "lab/trial/clients.hpp"
#include "lab/trial/trial.hpp"
#include "lab/trial/trial_servers.hpp"
#include "servers/resources.hpp"
#include "servers/run_directory.hpp"

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

// A client setting that its driver refuses is known before anything starts.
Result<void> check_client_settings(const Preview& preview,
                                   const streaming::DriverFactory& make_driver) {
  const auto& cells = preview.plan.cells;
  net::IoThread io("flow-check");
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (cells[i].platform == null_platform) continue;
    auto choice = clients_of(cells[i].platform, preview.cell_levels[i]);
    choice.service =
        choice.platform == "kafka" ? "127.0.0.1:9" : "pulsar://127.0.0.1:9";  // Not asked.
    auto driver = io.run([&] { return make_driver(io, choice); });
    if (!driver) return base::with_context(cells[i].id, driver.error());
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
  Preview preview_;
  Progress& progress_;
  StopRequest& stop_;
  // Of the null broker: there is nothing that could be asked, limited or broken.
  Experiment null_experiment_;
  std::unique_ptr<TrialServers> kept_servers_;  // For the next trial, where they are reused.
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
  return check(options_.results, gib + trial_bytes * preview_.plan.trials.size(), "the results");
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
  for (const auto& [name, level] : preview_.levels) levels[level.name] = servers::to_json(level);
  const object document{{"format", "flow-experiment/1"},
                        {"name", experiment.name},
                        {"question", experiment.question},
                        {"created_unix_ns", created_},
                        {"flow", options_.flow_facts},
                        {"command", to_array(options_.command)},
                        {"host", servers::host_facts(servers::cache_directory())},
                        {"plan", describe(preview_.plan, experiment)},
                        {"levels", std::move(levels)},
                        {"workloads", preview_.workloads},
                        {"warnings", preview_.warnings},
                        {"estimate", describe_size(experiment)},
                        {"effective", describe(experiment)},
                        {"preregistered_sha256", preregistration(preview_.plan, experiment)}};
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
  const auto left = static_cast<std::int64_t>(preview_.plan.trials.size() - index);
  const auto all = static_cast<std::int64_t>(preview_.plan.trials.size());
  const base::Nanos each =
      trials_run_ > 0 ? (base::now() - began_) / trials_run_ : preview_.estimated / all;
  const auto block = preview_.plan.trials[index].block;
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
  if (!options_.experiment.reuses_servers || next >= preview_.plan.trials.size()) return false;
  return share_servers(preview_.plan.cells[planned.cell],
                       preview_.plan.cells[preview_.plan.trials[next].cell]);
}

void Run::run_trial_of(const PlannedTrial& planned, RunOutcome& outcome) {
  const Cell& cell = preview_.plan.cells[planned.cell];
  const auto& workload = options_.experiment.workloads[cell.workload];
  const std::string id = trial_id(preview_.plan, planned);
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
        .level = preview_.cell_levels[planned.cell],
        .folder = folder,
        .key = base::derive_seed(static_cast<std::uint64_t>(created_), planned.number) | 1,
        .block_schedule_hash = block_hash,
        .kept_servers = kept_servers_,
        .keeps_servers = is_next_alike(planned),
        .program = options_.program,
        .make_driver = options_.make_driver};
    done = run_until_valid(input);
    ++trials_run_;
    if (preview_.plan.trials.size() > 2 && !done->words.empty()) {
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
  auto preview = preview_of(options_.experiment);
  if (!preview) return std::unexpected(preview.error());
  preview_ = std::move(*preview);
  if (auto ok = check_client_settings(preview_, options_.make_driver); !ok) {
    return std::unexpected(ok.error());
  }
  if (auto room = check_disk_space(); !room) return std::unexpected(room.error());
  began_ = base::now();
  if (auto opened = open_folder(); !opened) return std::unexpected(opened.error());
  const auto mark = RunningMark::create(folder_, preview_.estimated);
  if (!mark) return std::unexpected(mark.error());
  RunOutcome outcome;
  outcome.folder = folder_;
  outcome.trials_planned = preview_.plan.trials.size();
  progress_.finish();
  progress_.note(facts_text(preview_));
  progress_.note(fmt::format("{} trials, about {} in all", preview_.plan.trials.size(),
                             format_elapsed(preview_.estimated)));
  for (std::size_t i = 0; i < preview_.plan.trials.size() && !stop_.is_requested(); ++i) {
    if (preview_.plan.trials.size() > 2) progress_.note(where_words(i));
    run_trial_of(preview_.plan.trials[i], outcome);
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

}  // namespace

Result<RunOutcome> run_experiment(RunOptions options, Progress& progress, StopRequest& stop) {
  return Run(std::move(options), progress, stop).run();
}

}  // namespace flow::lab

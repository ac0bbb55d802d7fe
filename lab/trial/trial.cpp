// SPDX-License-Identifier: Apache-2.0
#include "lab/trial/trial.hpp"

#include <array>
#include <chrono>
#include <memory>
#include <unistd.h>

#include "base/bytes.hpp"
#include "base/random.hpp"
#include "lab/join/trial_facts.hpp"
#include "lab/plan/workload_mode.hpp"
#include "lab/result/files.hpp"
#include "lab/trial/faults.hpp"
#include "lab/trial/live_log.hpp"
#include "lab/trial/live_trial.hpp"
#include "lab/trial/program.hpp"
#include "lab/trial/request_recorder.hpp"
#include "lab/trial/trial_analytics.hpp"
#include "lab/trial/trial_document.hpp"
#include "lab/trial/trial_line.hpp"
#include "lab/trial/trial_servers.hpp"
#include "loadtest/session.hpp"
#include "measure/quantiles.hpp"
#include "servers/resources.hpp"
#include "traffic/actions.hpp"

namespace flow::lab {
namespace {

using namespace std::chrono_literals;
using base::Errc;
using base::fail;
using base::Result;
using base::json::object;

constexpr std::uint64_t warm_up_purpose = 0x7761726d;  // "warm"
constexpr std::uint64_t actions_purpose = 0x61637473;  // "acts"
constexpr std::uint32_t warm_up_step_seconds = 10;     // When it goes on until it is steady.
constexpr int partitions = 6;
constexpr std::array topics = {"users", "products", "orders"};
constexpr auto start_within = 60s;  // Of a child of Flow.
constexpr auto topics_within = 60s;
constexpr const char* admin_email = "admin@flow.test";

class Trial {
 public:
  Trial(const TrialInput& input, Progress& progress, StopRequest& stop)
      : input_(input), progress_(progress), stop_(stop) {}

  TrialOutcome run();

 private:
  using Step = Result<void> (Trial::*)();

  // The way there, in order; each may fail.
  Result<void> prepare();
  Result<void> start_servers();
  std::unique_ptr<TrialServers> servers_that_go_on();
  Result<void> create_topics();
  Result<void> create_tables();
  Result<void> start_auditor();
  Result<void> start_shop();
  Result<void> register_users();
  Result<void> warm_up();
  Result<void> measure();
  // The way back; each does what it can.
  void drain();
  void read_back();
  void collect_analytics();
  void tear_down();
  TrialOutcome seal();

  Result<void> run_steps();
  Result<loadtest::LoadResult> run_load(const traffic::Schedule& schedule, std::uint64_t purpose,
                                        PhaseRange& range, std::string_view name,
                                        loadtest::RequestSink& sink);
  Result<void> warm_up_for(std::uint32_t seconds, loadtest::RequestSink& sink);
  std::vector<traffic::Action> actions_of(const traffic::Schedule& schedule,
                                          std::uint64_t purpose) const;
  void begin_faults();
  void show_load(const loadtest::LoadProgress& load, std::string_view name);
  Result<void> check_alive();
  std::vector<std::string> program_command(const char* subcommand) const;
  void begin_step(std::string_view what, base::Nanos planned = base::Nanos{0});
  void set_phase(std::string_view phase);
  void add_second(object event);  // On io_: what a program told about one second.
  // False for the null broker, which lives in the shop: nobody else can read it.
  bool has_broker() const { return input_.cell.platform != null_platform; }
  std::int64_t unix_second() const {
    return base::count(anchor_.to_unix(base::now())) / 1'000'000'000;
  }

  const TrialInput& input_;
  Progress& progress_;
  StopRequest& stop_;
  base::ClockAnchor anchor_ = base::ClockAnchor::take();
  TrialFacts facts_;
  std::optional<base::Error> error_;
  traffic::Schedule schedule_;
  std::optional<traffic::VisitPlan> visits_;  // Instead of the schedule: every mode but open.
  std::string admin_password_;
  net::HttpUrl shop_url_;
  loadtest::Session session_;
  net::IoThread io_{"flow-lab"};
  std::unique_ptr<LiveLog> live_;  // On io_.
  std::unique_ptr<LiveTrial> teller_;
  std::unique_ptr<RequestRecorder> requests_;
  std::shared_ptr<servers::RunDirectory> run_directory_;
  std::unique_ptr<TrialServers> servers_;
  std::unique_ptr<TrialAnalytics> analytics_;  // Trials with analytics.
  std::optional<FaultInjector> faults_;        // In the measured phase.
  std::unique_ptr<Program> auditor_;
  std::unique_ptr<Program> shop_;
  std::unique_ptr<servers::ResourceSampler> sampler_;
};

// `planned`: how long it takes, where that is known.
void Trial::begin_step(std::string_view what, base::Nanos planned) {
  progress_.step(fmt::format("{}: {}", input_.id, what));
  if (teller_) teller_->step(what, planned);
}

void Trial::set_phase(std::string_view phase) {
  io_.run([&] { live_->set_phase(phase); });
}

void Trial::add_second(object event) {
  const auto unix_s = event.at("unix_s").to_number<std::int64_t>();
  event.erase("event");
  event.erase("unix_s");
  live_->add(unix_s, event);
}

Result<void> Trial::prepare() {
  facts_.started = anchor_.to_unix(base::now());
  if (auto made = make_folder(input_.folder / "logs"); !made) return made;
  auto writer = RequestRecorder::Writer::create((input_.folder / "requests.records").string());
  if (!writer) return std::unexpected(writer.error());
  requests_ = std::make_unique<RequestRecorder>(std::move(*writer));
  auto live = LiveLog::create((input_.folder / "intervals.jsonl").string());
  if (!live) return std::unexpected(live.error());
  live_ = std::move(*live);
  teller_ = std::make_unique<LiveTrial>(io_, *live_, anchor_);
  auto traffic = make_traffic(input_.workload, input_.planned.seed);
  if (!traffic) return std::unexpected(traffic.error());
  schedule_ = std::move(traffic->schedule);
  visits_ = std::move(traffic->visits);
  facts_.schedule_hash = traffic::format_hash(schedule_.hash);
  facts_.tick_requests = schedule_.counts;
  facts_.schedule_seconds =
      static_cast<std::size_t>(std::chrono::ceil<std::chrono::seconds>(schedule_.duration).count());
  auto run = servers::RunDirectory::create();
  if (!run) return std::unexpected(run.error());
  run_directory_ = std::move(*run);
  return {};
}

// Servers of the trial before, cleared; none where there are none, or where they could not be.
std::unique_ptr<TrialServers> Trial::servers_that_go_on() {
  auto servers = std::exchange(input_.kept_servers, nullptr);
  if (!servers) return nullptr;
  begin_step("deleting the topics of the trial before");
  auto cleared = servers->clear(io_, {topics.begin(), topics.end()}, input_.make_driver);
  if (cleared) return servers;
  progress_.note(
      fmt::format("{}: the servers of the trial before could not be used again ({}); new ones",
                  input_.id, cleared.error().what));
  return nullptr;
}

Result<void> Trial::start_servers() {
  if ((servers_ = servers_that_go_on())) {
    facts_.trials_before = servers_->trials_before();
    return {};
  }
  const auto& analytics = input_.experiment.analytics;
  const bool with_pinot = analytics.is_on && analytics.pinot.empty();
  begin_step(fmt::format("starting {}PostgreSQL{}",
                         has_broker() ? input_.cell.platform + ", " : std::string(),
                         with_pinot ? " and Pinot" : ""));
  auto servers = TrialServers::start(input_.cell.platform, input_.level, analytics,
                                     input_.make_driver, progress_);
  if (!servers) return std::unexpected(servers.error());
  servers_ = std::move(*servers);
  const double cpus = broker_cpus_of(input_.cell, input_.experiment);
  return cpus > 0 ? servers_->limit_platform(cpus) : Result<void>{};
}

Result<void> Trial::create_topics() {
  if (!has_broker()) return {};
  begin_step("creating topics");
  auto admin = streaming::AdminSession::open(io_, input_.make_driver, servers_->choice());
  if (!admin) return std::unexpected(admin.error());
  facts_.versions["client"] = admin->driver().client_version();
  std::vector<streaming::TopicSpec> specs;
  for (const auto* name : topics) specs.push_back({name, partitions});
  auto created = io_.run_task((*admin)->create_topics(specs, base::now() + topics_within));
  if (!created) return created;
  auto described = io_.run_task((*admin)->describe_topic("orders", base::now() + 10s));
  object& settings = facts_.settings["topic"].emplace_object();
  if (described) {
    for (const auto& [key, value] : *described) settings[key] = value;
  }
  return {};
}

Result<void> Trial::create_tables() {
  if (!input_.experiment.analytics.is_on) return {};
  begin_step("creating Pinot's tables");
  auto analytics = TrialAnalytics::create(input_, anchor_, *servers_);
  if (!analytics) return std::unexpected(analytics.error());
  analytics_ = std::move(*analytics);
  return analytics_->create_tables();
}

std::vector<std::string> Trial::program_command(const char* subcommand) const {
  const auto& choice = servers_->choice();
  std::vector<std::string> command{input_.program, subcommand, "--" + choice.platform};
  if (has_broker()) command.push_back(choice.service);
  if (!choice.admin_url.empty()) {
    command.insert(command.end(), {"--pulsar-admin", choice.admin_url});
  }
  command.insert(command.end(), {"--clock-anchor", std::to_string(anchor_.offset().count()),
                                 "--trial", std::to_string(input_.key), "--json", "--drain-seconds",
                                 std::to_string(input_.experiment.drain_seconds)});
  return command;
}

Result<void> Trial::start_auditor() {
  facts_.is_audited = has_broker();
  if (!has_broker()) return {};
  begin_step("starting the auditor");
  ProgramOptions options;
  options.role = "auditor";
  options.command = program_command("auditor");
  options.command.insert(options.command.end(),
                         {"--topics", fmt::format("{}", fmt::join(topics, ",")), "--records",
                          (input_.folder / "reads.records").string()});
  for (const auto& [key, value] : servers_->choice().consumer) {
    options.command.insert(options.command.end(), {"--consumer-setting", key + "=" + value});
  }
  options.log_path = input_.folder / "logs/auditor.log";
  options.on_second = [this](const object& event) { add_second(event); };
  auto auditor = Program::start(*run_directory_, io_, std::move(options));
  if (!auditor) return std::unexpected(auditor.error());
  auditor_ = std::move(*auditor);
  auto ready = auditor_->wait_ready(base::now() + start_within);
  if (!ready) return std::unexpected(ready.error());
  facts_.settings["consumer"] = *ready;
  return {};
}

Result<void> Trial::start_shop() {
  begin_step("starting the shop");
  ProgramOptions options;
  options.role = "shop";
  options.command = program_command("shop");
  options.command.insert(
      options.command.end(),
      {"--postgres", servers_->postgres_conninfo(), "--port", "0", "--admin-port", "0",
       "--bcrypt-cost", std::to_string(input_.experiment.bcrypt_cost), "--records",
       (input_.folder / "attempts.records").string()});
  if (input_.experiment.ack_before_answer) options.command.emplace_back("--ack-before-answer");
  if (input_.experiment.analytics.is_on) options.command.emplace_back("--stamp-in-body");
  for (const auto& [key, value] : servers_->choice().producer) {
    options.command.insert(options.command.end(), {"--producer-setting", key + "=" + value});
  }
  base::SplitMix64 random(base::derive_seed(input_.key, 0x61646d696e));  // "admin"
  admin_password_ = fmt::format("{:016x}", random.next());
  options.environment = {{"FLOW_ADMIN_EMAIL", admin_email},
                         {"FLOW_ADMIN_PASSWORD", admin_password_}};
  options.log_path = input_.folder / "logs/shop.log";
  options.on_second = [this](const object& event) { add_second(event); };
  auto shop = Program::start(*run_directory_, io_, std::move(options));
  if (!shop) return std::unexpected(shop.error());
  shop_ = std::move(*shop);
  auto ready = shop_->wait_ready(base::now() + start_within);
  if (!ready) return std::unexpected(ready.error());
  shop_url_.host = "127.0.0.1";
  shop_url_.port = ready->at("port").to_number<std::uint16_t>();
  if (const auto* effective = ready->if_contains("effective")) {
    facts_.settings["shop"] = *effective;
  }
  return {};
}

Result<void> Trial::register_users() {
  begin_step(fmt::format("registering {} users", input_.workload.users));
  loadtest::SessionPlan plan;
  plan.base = shop_url_;
  plan.admin_email = admin_email;
  plan.admin_password = admin_password_;
  plan.users = input_.workload.users;
  plan.trial = input_.key;
  plan.first_request = 1;
  plan.anchor = anchor_;
  auto session = loadtest::open_session(
      plan, requests_.get(),
      [&](std::uint64_t done, std::uint64_t all) {
        progress_.update(fmt::format("{} of {} requests", done, all),
                         static_cast<double>(done) / static_cast<double>(all));
      },
      [&] { return stop_.is_requested(); });
  if (!session) return std::unexpected(session.error());
  session_ = std::move(*session);
  facts_.phases.registration.from = plan.first_request;
  facts_.phases.registration.until = session_.next_request;
  return {};
}

Result<void> Trial::check_alive() {
  if (shop_->has_ended()) return fail(Errc::io, "{}", shop_->end_text());
  if (auditor_ && auditor_->has_ended()) return fail(Errc::io, "{}", auditor_->end_text());
  if (faults_ && faults_->is_running()) return {};  // The servers are its alone.
  auto alive = servers_->check_alive();
  if (!alive) facts_.has_platform_fallen = servers_->has_platform_ended();
  return alive;
}

void Trial::show_load(const loadtest::LoadProgress& load, std::string_view name) {
  const auto quantile = [](const measure::Histogram* histogram, double q) -> std::int64_t {
    return histogram && histogram->count() > 0 ? histogram->quantile(q).count() : 0;
  };
  object keys{{"intended", load.intended},
              {"sent", load.sent},
              {"answered", load.answered},
              {"failed", load.failed},
              {"in_flight", load.in_flight},
              {"response_p50_ns", quantile(load.response, 0.5)},
              {"response_p99_ns", quantile(load.response, 0.99)},
              {"start_error_p99_ns", quantile(load.start_error, 0.99)}};
  const double share = load.planned_duration.count() > 0
                           ? std::clamp(static_cast<double>(load.elapsed.count()) /
                                            static_cast<double>(load.planned_duration.count()),
                                        0.0, 1.0)
                           : 1.0;
  io_.post([this, keys = std::move(keys), share, second = unix_second(), name] {
    const double before = live_->latest("answered");
    live_->add(second, keys);
    const auto words = [&](const char* key) {
      return measure::format_duration(base::Nanos{static_cast<std::int64_t>(live_->latest(key))});
    };
    progress_.update(
        fmt::format("{} {:.0f} answers/s, p99: response {}, publish {}, end to end {}{}", name,
                    std::max(0.0, live_->latest("answered") - before), words("response_p99_ns"),
                    words("publish_response_p99_ns"), words("end_to_end_p99_ns"),
                    teller_->broken_gates()),
        share);
  });
}

void Trial::begin_faults() {
  faults_.emplace(
      input_.experiment.faults,
      FaultInjector::Hands{.kill = [this](const auto& role) { return servers_->kill(role); },
                           .restart = [this](const auto& role) { return servers_->restart(role); },
                           .freeze = [this](const auto& role) { return servers_->freeze(role); },
                           .thaw = [this](const auto& role) { return servers_->thaw(role); }});
}

std::vector<traffic::Action> Trial::actions_of(const traffic::Schedule& schedule,
                                               std::uint64_t purpose) const {
  traffic::BehaviourSpec behaviour;
  behaviour.seed = base::derive_seed(input_.planned.seed, purpose);
  behaviour.users = input_.workload.users;
  return traffic::make_actions(schedule.intended.size(), behaviour);
}

// Sends a schedule, or in the measured phase the visits, as the requests from range.from on and
// sets range.until: behind the last one that came due.
Result<loadtest::LoadResult> Trial::run_load(const traffic::Schedule& schedule,
                                             std::uint64_t purpose, PhaseRange& range,
                                             std::string_view name, loadtest::RequestSink& sink) {
  const bool is_measured = purpose == actions_purpose;
  std::vector<traffic::Action> actions;
  loadtest::LoadPlan plan;
  plan.base = shop_url_;
  if (is_measured && visits_) {
    plan.visits = &*visits_;
  } else {
    actions = actions_of(schedule, purpose);
    plan.intended = schedule.intended;
    plan.actions = actions;
  }
  plan.tokens = session_.tokens;
  plan.trial = input_.key;
  plan.first_request = range.from;
  plan.anchor = anchor_;
  plan.drain = std::chrono::seconds(input_.experiment.drain_seconds);
  plan.shards = input_.experiment.shards;
  plan.connections_max = input_.experiment.connections_max;
  plan.start = base::now() + 200ms;
  if (analytics_ && !is_measured) analytics_->warm_up(*plan.start, schedule.duration);
  if (is_measured) {
    facts_.measured_from = anchor_.to_unix(*plan.start);
    begin_faults();
    if (analytics_) {
      auto begun = analytics_->begin(*plan.start, schedule, actions, range.from);
      if (!begun) return std::unexpected(begun.error());
    }
  }
  loadtest::Generator generator(plan);
  stop_.set_callback([&] { generator.stop_soon(); });
  auto result = generator.run(&sink, [&](const loadtest::LoadProgress& load) {
    show_load(load, name);
    if (is_measured) teller_->load(load);
    if (error_) return;
    if (is_measured && !faults_->is_running()) {
      sampler_->update(servers_->processes());
      faults_->begin_due(load.elapsed);
    }
    if (auto alive = check_alive(); !alive) {
      error_ = alive.error();
      generator.stop_soon();
    } else if (auto flushed = requests_->flush(); !flushed) {
      error_ = flushed.error();
      generator.stop_soon();
    }
  });
  stop_.set_callback({});
  if (is_measured) {
    faults_->finish();
    facts_.faults = faults_->describe();
    sampler_->update(servers_->processes());
    faults_.reset();
  }
  range.until = range.from + (result ? result->measured.intended : 0);
  if (error_) return std::unexpected(*error_);
  if (!result) return result;
  if (stop_.is_requested()) {
    if (is_measured) facts_.load = std::move(*result);
    return fail(Errc::cancelled, "stopped by the operator in the {} phase", name);
  }
  return result;
}

Result<void> Trial::warm_up() {
  auto& range = facts_.phases.warm_up;
  range.from = range.until = facts_.phases.registration.until;
  std::vector<servers::ProcessInfo> processes = servers_->processes();
  processes.push_back({"shop", shop_->pid()});
  if (auditor_) processes.push_back({"auditor", auditor_->pid()});
  processes.push_back({"flow", getpid()});
  sampler_ = std::make_unique<servers::ResourceSampler>(servers::cache_directory());
  sampler_->start(std::move(processes), 1s, teller_->resource_sink());
  if (input_.workload.warm_up_seconds == 0) return {};
  set_phase("warm_up");
  SecondsOfResponse seconds(*requests_);
  const auto most = std::max(input_.workload.warm_up_seconds, input_.workload.warm_up_seconds_max);
  for (std::uint32_t more = input_.workload.warm_up_seconds; more > 0;) {
    if (auto done = warm_up_for(more, seconds); !done) return done;
    facts_.steadiness = steadiness_of(seconds.values());
    const bool is_done = facts_.steadiness->is_steady.value_or(false);
    more = is_done ? 0 : std::min(warm_up_step_seconds, most - facts_.warm_up_seconds);
  }
  return {};
}

// One piece of the warm-up, behind those before it.
Result<void> Trial::warm_up_for(std::uint32_t seconds, loadtest::RequestSink& sink) {
  const auto duration = std::chrono::seconds(seconds);
  begin_step(facts_.warm_up_seconds == 0 ? "warming up" : "warming up until it is steady",
             duration);
  auto schedule = traffic::constant_schedule(
      input_.workload.warm_up_requests_per_second, duration, traffic::Placement::uniform,
      base::derive_seed(input_.planned.seed, warm_up_purpose + facts_.warm_up_seconds));
  if (!schedule) return std::unexpected(schedule.error());
  auto& phase = facts_.phases.warm_up;
  PhaseRange piece{"warm_up", phase.until, phase.until};
  auto result =
      run_load(*schedule, warm_up_purpose + facts_.warm_up_seconds, piece, "warm-up", sink);
  phase.until = piece.until;
  facts_.warm_up_seconds += seconds;
  if (analytics_) analytics_->wait_for_questions();
  if (!result) return std::unexpected(result.error());
  return {};
}

Result<void> Trial::measure() {
  begin_step("measuring", schedule_.duration);
  set_phase("measured");
  auto& range = facts_.phases.measured;
  range.from = facts_.phases.warm_up.until;
  auto result = run_load(schedule_, actions_purpose, range, "measured", *requests_);
  facts_.measured_until = anchor_.to_unix(base::now());
  if (!result) return std::unexpected(result.error());
  facts_.load = std::move(*result);
  return {};
}

void Trial::drain() {
  if (!shop_) return;
  begin_step("draining the shop");
  const auto grace = std::chrono::seconds(input_.experiment.drain_seconds) + 15s;
  if (auto stopped = shop_->finish(grace); !stopped && !error_) error_ = stopped.error();
}

void Trial::read_back() {
  if (!auditor_) return;
  begin_step("reading the topics to their end");
  const auto grace = std::chrono::seconds(input_.experiment.drain_seconds) + 15s;
  auto stopped = auditor_->finish(grace);
  if (!stopped) {
    facts_.audit_words = stopped.error().what;
    if (!error_) error_ = stopped.error();
    return;
  }
  const auto* complete = stopped->if_contains("complete");
  facts_.audit_complete = complete && complete->is_bool() && complete->as_bool();
  if (const auto* words = stopped->if_contains("error"); words && words->is_string()) {
    facts_.audit_words = std::string_view(words->as_string());
  }
}

void Trial::collect_analytics() {
  if (!analytics_) return;
  begin_step("reading Pinot's tables");
  analytics_->end();
  const auto within = std::chrono::seconds(input_.experiment.drain_seconds);
  analytics_->collect(servers_->postgres_conninfo(), base::now() + within, progress_);
  facts_.analytics = analytics_->take_facts();
  analytics_.reset();
}

void Trial::tear_down() {
  if (sampler_) facts_.resources = sampler_->stop();
  facts_.clock_step = anchor_.step_since();
  if (live_) io_.run([&] { live_->finish(); });
  if (servers_) {
    const bool go_on = input_.keeps_servers && !error_;
    if (!go_on) begin_step("stopping the servers");
    const object facts = servers_->facts();
    (void)write_json(input_.folder / "servers.json", facts);
    for (const auto& [name, server] : facts) {
      if (const auto* version = server.as_object().if_contains("version")) {
        const std::string_view key = name == "postgres" || name == "pinot" ? name : "server";
        facts_.versions[key] = *version;
      }
    }
    if (auto copied = servers_->copy_logs_to(input_.folder / "logs"); !copied && !error_) {
      error_ = copied.error();
    }
    if (go_on) {
      input_.kept_servers = std::move(servers_);
    } else {
      servers_->stop();
    }
  }
  shop_.reset();
  auditor_.reset();
  servers_.reset();
  if (requests_) {
    if (auto flushed = requests_->flush(); !flushed && !error_) error_ = flushed.error();
  }
  facts_.finished = anchor_.to_unix(base::now());
}

TrialOutcome Trial::seal() {
  begin_step("joining records");
  const bool was_measuring = base::count(facts_.measured_from) != 0;
  facts_.state = !error_ ? "complete" : was_measuring ? "partial" : "failed";
  // The first line says what; the log's tail behind it stands in the log.
  if (error_) facts_.state_words = error_->what.substr(0, error_->what.find('\n'));
  TrialOutcome outcome{facts_.state, false, facts_.schedule_hash, {}, error_};
  auto document = make_trial_document(input_, facts_);
  if (!document) {
    outcome.state = was_measuring ? "partial" : "failed";
    if (!outcome.error) outcome.error = document.error();
    return outcome;
  }
  outcome.is_valid = document->at("valid").as_bool();
  outcome.words = trial_line(*document);
  if (auto appended = append_by_intended(input_.folder, *document); !appended && !outcome.error) {
    outcome.error = appended.error();
  }
  if (auto written = write_json(input_.folder / "trial.json", *document);
      !written && !outcome.error) {
    outcome.error = written.error();
  }
  return outcome;
}

Result<void> Trial::run_steps() {
  for (const Step step : {&Trial::prepare, &Trial::start_servers, &Trial::create_topics,
                          &Trial::create_tables, &Trial::start_auditor, &Trial::start_shop,
                          &Trial::register_users, &Trial::warm_up, &Trial::measure}) {
    if (stop_.is_requested()) return fail(Errc::cancelled, "stopped by the operator");
    if (auto done = (this->*step)(); !done) return done;
  }
  return {};
}

TrialOutcome Trial::run() {
  if (auto done = run_steps(); !done) error_ = done.error();
  drain();
  read_back();
  collect_analytics();
  tear_down();
  return seal();
}

}  // namespace

TrialOutcome run_trial(const TrialInput& input, Progress& progress, StopRequest& stop) {
  return Trial(input, progress, stop).run();
}

}  // namespace flow::lab

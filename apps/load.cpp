// flow load: the load generator alone, against any HTTP server: a shop, one path, or the built-in
// null server (the generator's own ceiling).
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <unistd.h>

#include <fmt/format.h>

#include "apps/command.hpp"
#include "apps/load_report.hpp"
#include "apps/traffic_flags.hpp"
#include "base/json.hpp"
#include "base/random.hpp"
#include "loadtest/generator.hpp"
#include "loadtest/null_server.hpp"
#include "loadtest/session.hpp"
#include "loadtest/tcp.hpp"
#include "measure/quantiles.hpp"
#include "net/io_thread.hpp"
#include "net/signals.hpp"
#include "traffic/actions.hpp"
#include "traffic/schedule.hpp"
#include "traffic/visits.hpp"

namespace flow::apps {
namespace {

using namespace std::chrono_literals;
using base::Errc;
using base::fail;
using base::Nanos;
using base::Result;
namespace json = boost::json;
using loadtest::LoadPlan;
using loadtest::LoadProgress;
using loadtest::LoadResult;

constexpr std::string_view api_path = "/api/v1";

struct LoadFlags {
  std::string url;
  bool null_server = false;
  TrafficFlags traffic;
  std::size_t connections = 2000;
  unsigned shards = 1;
  double warm_up_seconds = 10;
  double drain_seconds = 10;
  std::string scenario = "shop";
  std::string path = "/";
  std::string admin_email = "admin@flow.test";
  std::string admin_password;
  bool json = false;
  bool strict = false;
};

// Stop requests of the operator, told to whatever generator runs. Everything but count() happens
// on the thread of `io_`.
class Stopper {
 public:
  Stopper() : signals_(io_, [this](int count) { on_signal(count); }) {}

  int count() const { return count_.load(); }

  // `generator` gets the signals until it is set to nullptr; also those that came before.
  void set(loadtest::Generator* generator) {
    io_.run([this, generator] {
      generator_ = generator;
      tell();
    });
  }

 private:
  void on_signal(int count) {
    count_.store(count);
    std::fputs(count == 1 ? "\nstopping: waiting for the answers under way (again: stop now)\n"
                          : "\nstopping now\n",
               stderr);
    tell();
  }
  void tell() {
    if (!generator_ || count() == 0) return;
    count() == 1 ? generator_->stop_soon() : generator_->stop_now();
  }

  net::IoThread io_{"signals"};
  std::atomic<int> count_ = 0;
  loadtest::Generator* generator_ = nullptr;
  net::StopSignals signals_;
};

// Progress on standard error: a bar on a terminal, a plain line every few seconds in a pipe.
class ProgressPrinter {
 public:
  explicit ProgressPrinter(std::string phase) : phase_(std::move(phase)) {}
  ~ProgressPrinter() {
    if (is_terminal_ && was_shown_) std::fputc('\n', stderr);
  }

  void show(const LoadProgress& progress) {
    const double all = seconds(progress.planned_duration);
    const double done = std::clamp(seconds(progress.elapsed), 0.0, all);
    const std::uint64_t answers = progress.answered - answered_before_;
    answered_before_ = progress.answered;
    // The reports come each second but for the last one.
    const std::string customers =
        progress.is_closed ? fmt::format("{} customers, ", progress.present) : "";
    std::string text = fmt::format(
        "{}answered {}/{}, {}/s, in flight {}, failed {}, p99 {}, start error p99 {}", customers,
        progress.answered, progress.planned, answers, progress.in_flight, progress.failed,
        duration_or_dash(*progress.response), duration_or_dash(*progress.start_error));
    show(all > 0 ? done / all : 1, all - done, text);
  }

  void show(double share, double seconds_left, const std::string& text) {
    if (is_terminal_) {
      const auto full = static_cast<std::size_t>(20 * share);
      std::fprintf(stderr, "\r\033[K%s [%s%s] %s, %.0f s left", phase_.c_str(),
                   std::string(full, '#').c_str(), std::string(20 - full, '.').c_str(),
                   text.c_str(), seconds_left);
    } else if (!was_shown_ || base::now() - shown_at_ >= 4500ms || share >= 1) {
      std::fprintf(stderr, "%s %3.0f %%: %s, %.0f s left\n", phase_.c_str(), 100 * share,
                   text.c_str(), seconds_left);
      shown_at_ = base::now();
    }
    std::fflush(stderr);
    was_shown_ = true;
  }

 private:
  static double seconds(Nanos span) { return std::chrono::duration<double>(span).count(); }
  static std::string duration_or_dash(const measure::Histogram& histogram) {
    return histogram.count() == 0 ? "-" : measure::format_duration(histogram.quantile(0.99));
  }

  std::string phase_;
  bool is_terminal_ = ::isatty(STDERR_FILENO) == 1;
  bool was_shown_ = false;
  base::TimePoint shown_at_{};
  std::uint64_t answered_before_ = 0;
};

// Where the load goes.
struct Target {
  net::HttpUrl url;
  std::unique_ptr<loadtest::NullServer> null_server;  // Empty: a server of somebody else.
};

Result<Target> find_target(const LoadFlags& flags) {
  if (flags.null_server != flags.url.empty()) {
    return fail(Errc::config, "flow load: expected either a URL or --null-server");
  }
  if (flags.null_server) {
    auto server = loadtest::NullServer::start();
    if (!server) return std::unexpected(server.error());
    const net::HttpUrl url = (*server)->url();
    return Target{url, std::move(*server)};
  }
  const auto url = net::parse_http_url(flags.url);
  if (!url) return std::unexpected(url.error());
  if (const auto fd = loadtest::connect(*url, base::now() + 3s); !fd) {
    if (fd.error().code == Errc::config) return std::unexpected(fd.error());
    return base::with_context("nothing listens there", fd.error());
  }
  return Target{*url, nullptr};
}

// One part of a run: a schedule and its actions, or visits.
struct Work {
  traffic::VisitSpec spec;
  traffic::Schedule schedule;
  std::vector<traffic::Action> actions;
  std::optional<traffic::VisitPlan> visits;

  std::uint64_t hash() const { return visits ? visits->hash : schedule.hash; }
  double mean_rate() const {
    const double requests = static_cast<double>(visits ? visits->actions.size() : actions.size());
    const Nanos duration = visits ? visits->duration : schedule.duration;
    return requests / std::chrono::duration<double>(duration).count();
  }
};

Work with_actions(traffic::VisitSpec spec, traffic::Schedule schedule, std::uint64_t seed) {
  auto actions =
      traffic::make_actions(schedule.intended.size(), {.seed = seed, .users = spec.users});
  return {spec, std::move(schedule), std::move(actions), {}};
}

// Customers register with a shop only.
bool signs_in(const LoadFlags& flags) { return flags.scenario == "shop" && !flags.null_server; }

Result<Work> measured_work(const LoadFlags& flags) {
  auto spec = visit_spec_of(flags.traffic);
  if (!spec) return std::unexpected(spec.error());
  if (spec->mode == traffic::Mode::open) {
    auto schedule = traffic::make_schedule(spec->shape);
    if (!schedule) return std::unexpected(schedule.error());
    return with_actions(*spec, std::move(*schedule), spec->shape.seed);
  }
  if (!signs_in(flags)) {
    if (flags.traffic.new_share.value_or(0) > 0) {
      return fail(Errc::config, "--new-share {}: nobody registers without a shop, expected 0",
                  *flags.traffic.new_share);
    }
    spec->new_share = 0;
  }
  auto visits = traffic::make_visits(*spec);
  if (!visits) return std::unexpected(visits.error());
  return Work{*spec, {}, {}, std::move(*visits)};
}

// Open and at a constant rate in every mode: it warms the server, and is not measured.
Result<Work> warm_up_work(const LoadFlags& flags, const Work& measured) {
  const auto duration =
      std::chrono::duration_cast<Nanos>(std::chrono::duration<double>(flags.warm_up_seconds));
  const std::uint64_t seed = flags.traffic.seed;
  const double rate = measured.visits ? measured.mean_rate() : flags.traffic.rate;
  auto schedule = traffic::constant_schedule(rate, duration, traffic::Placement::uniform,
                                             base::derive_seed(seed, 0));
  if (!schedule) return std::unexpected(schedule.error());
  return with_actions(measured.spec, std::move(*schedule), base::derive_seed(seed, 1));
}

// Sets what the plan is to send; `work` is borrowed.
void put_into(LoadPlan& plan, const Work& work) {
  plan.intended = work.schedule.intended;
  plan.actions = work.actions;
  plan.visits = work.visits ? &*work.visits : nullptr;
}

json::object result_json(const LoadFlags& flags, const Target& target, const Work& work,
                         const LoadResult& result) {
  json::object config = describe(work.spec);
  config["url"] = "http://" + target.url.authority() + target.url.path;
  config["null_server"] = flags.null_server;
  config["connections_max"] = flags.connections;
  config["shards"] = flags.shards;
  config["warm_up_seconds"] = flags.warm_up_seconds;
  config["drain_seconds"] = flags.drain_seconds;
  config["scenario"] = flags.scenario;
  json::object object{
      {"config", std::move(config)},
      {work.visits ? "plan_hash" : "schedule_hash", traffic::format_hash(work.hash())}};
  for (auto& [key, value] : describe(result)) object[key] = value;
  return object;
}

Result<loadtest::Session> sign_in_users(const LoadFlags& flags, const net::HttpUrl& url,
                                        std::uint64_t trial, base::ClockAnchor anchor,
                                        const Stopper& stopper) {
  const loadtest::SessionPlan plan{.base = url,
                                   .admin_email = flags.admin_email,
                                   .admin_password = flags.admin_password,
                                   .users = flags.traffic.users,
                                   .trial = trial,
                                   .anchor = anchor};
  ProgressPrinter printer("sign-in ");
  const auto begun = base::now();
  return loadtest::open_session(
      plan, nullptr,
      [&](std::uint64_t done, std::uint64_t all) {
        const double share = static_cast<double>(done) / static_cast<double>(all);
        const double passed = std::chrono::duration<double>(base::now() - begun).count();
        printer.show(share, share > 0 ? passed * (1 - share) / share : 0,
                     fmt::format("{}/{} requests", done, all));
      },
      [&] { return stopper.count() > 0; });
}

Result<LoadResult> run_phase(std::string phase, LoadPlan plan, Stopper& stopper) {
  ProgressPrinter printer(std::move(phase));
  loadtest::Generator generator(std::move(plan));
  stopper.set(&generator);
  auto result =
      generator.run(nullptr, [&](const LoadProgress& progress) { printer.show(progress); });
  stopper.set(nullptr);
  return result;
}

// One run of the command: target, set-up, warm-up, measuring.
class LoadCommand {
 public:
  explicit LoadCommand(const LoadFlags& flags) : flags_(flags) {}

  Result<int> run() {
    auto work = measured_work(flags_);
    if (!work) return std::unexpected(work.error());
    auto target = find_target(flags_);
    if (!target) return std::unexpected(target.error());
    if (!flags_.json) {
      fmt::print("{}", work->visits ? visits_text(*work->visits, work->spec)
                                    : schedule_text(work->schedule));
    }
    std::fflush(stdout);
    Stopper stopper;
    LoadPlan plan = plan_for(target->url);
    put_into(plan, *work);
    if (const auto fits = check_connections(plan); !fits) return std::unexpected(fits.error());
    if (const auto ready = sign_in_and_warm_up(plan, *work, stopper); !ready) {
      return std::unexpected(ready.error());
    }
    if (stopper.count() > 0) return fail(Errc::cancelled, "stopped before the measured part");
    put_into(plan, *work);
    const auto result = run_phase("measured", plan, stopper);
    if (!result) return std::unexpected(result.error());
    print(*target, *work, *result);
    const bool all_passed = std::ranges::all_of(
        result->gates(), [](const loadtest::Gate& gate) { return gate.passed; });
    return flags_.strict && !all_passed ? 1 : 0;
  }

 private:
  LoadPlan plan_for(const net::HttpUrl& url) const {
    LoadPlan plan;
    plan.base = url;
    if (flags_.scenario == "get") plan.get_path = flags_.path;
    plan.trial = std::max<std::uint64_t>(
        1, base::derive_seed(static_cast<std::uint64_t>(base::now().time_since_epoch().count()),
                             static_cast<std::uint64_t>(::getpid())));
    plan.drain =
        std::chrono::duration_cast<Nanos>(std::chrono::duration<double>(flags_.drain_seconds));
    plan.shards = flags_.shards;
    plan.connections_max = flags_.connections;
    return plan;
  }

  Result<void> sign_in_and_warm_up(LoadPlan& plan, const Work& measured, Stopper& stopper) {
    if (signs_in(flags_)) {
      auto opened = sign_in_users(flags_, plan.base, plan.trial, plan.anchor, stopper);
      if (!opened) return std::unexpected(opened.error());
      tokens_ = std::move(opened->tokens);
      plan.tokens = tokens_;
      plan.first_request = opened->next_request;
    }
    if (flags_.warm_up_seconds <= 0) return {};
    const auto work = warm_up_work(flags_, measured);
    if (!work) return std::unexpected(work.error());
    put_into(plan, *work);
    const auto result = run_phase("warm-up ", plan, stopper);
    if (!result) return std::unexpected(result.error());
    plan.first_request += plan.intended.size();
    return {};
  }

  void print(const Target& target, const Work& work, const LoadResult& result) const {
    if (flags_.json) {
      fmt::print("{}", base::pretty_json(result_json(flags_, target, work, result)));
    } else {
      fmt::print("\n{}", result_text(result));
    }
  }

  const LoadFlags& flags_;
  std::vector<std::string> tokens_;
};

}  // namespace

void add_load(CLI::App& root, int& exit_code) {
  auto flags = std::make_shared<LoadFlags>();
  CLI::App* load = root.add_subcommand("load", "Send bursty traffic to an HTTP server");
  load->add_option("url", flags->url, "http://host:port of a shop or any server");
  load->add_flag("--null-server", flags->null_server,
                 "Send to a built-in server that answers at once: the generator's own ceiling");
  add_traffic_flags(*load, flags->traffic);
  load->add_option("--connections", flags->connections, "Connections at most")
      ->check(CLI::Range(std::size_t{1}, std::size_t{60'000}))
      ->capture_default_str();
  load->add_option("--shards", flags->shards, "Threads that send")
      ->check(CLI::Range(1U, 64U))
      ->capture_default_str();
  load->add_option("--warm-up-seconds", flags->warm_up_seconds, "At the mean rate, not measured")
      ->check(CLI::Range(0.0, 86'400.0))
      ->capture_default_str();
  load->add_option("--drain-seconds", flags->drain_seconds, "Wait for the last answers")
      ->check(CLI::Range(0.0, 3'600.0))
      ->capture_default_str();
  load->add_option("--scenario", flags->scenario,
                   "shop: browse and order as signed-in customers; get: one path for all")
      ->check(CLI::IsMember({"shop", "get"}))
      ->capture_default_str();
  load->add_option("--path", flags->path, "What the scenario get asks for")->capture_default_str();
  load->add_option("--admin-email", flags->admin_email, "The shop's admin")->capture_default_str();
  load->add_option("--admin-password", flags->admin_password, "The admin's password")
      ->envname("FLOW_ADMIN_PASSWORD");
  load->add_flag("--json", flags->json, "Print the result as JSON");
  load->add_flag("--strict", flags->strict, "Exit with 1 when a gate of the generator failed");
  load->footer(
      "Examples: flow load --null-server\n"
      "          flow load http://127.0.0.1:8082 --admin-password secret --rate 300\n"
      "          flow load http://127.0.0.1:8082 --admin-password secret --mode sessions\n"
      "          flow load http://127.0.0.1:8080 --scenario get --path /index.html --bias 0.6");
  load->callback([flags, &exit_code] {
    const auto done = LoadCommand(*flags).run();
    exit_code = done ? *done : report_error(done.error());
  });
}

}  // namespace flow::apps

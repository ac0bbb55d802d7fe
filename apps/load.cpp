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
#include "base/json.hpp"
#include "base/random.hpp"
#include "loadtest/generator.hpp"
#include "loadtest/null_server.hpp"
#include "loadtest/session.hpp"
#include "loadtest/tcp.hpp"
#include "measure/hdr_codec.hpp"
#include "measure/quantiles.hpp"
#include "net/io_thread.hpp"
#include "net/signals.hpp"
#include "traffic/facts.hpp"
#include "traffic/schedule.hpp"

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
  double rate = 300;
  double bias = 0.705;
  std::uint32_t ticks = 32;
  std::uint32_t tick_ms = 1000;
  std::string placement = "uniform";
  std::uint64_t seed = 1;
  std::uint32_t users = 100;
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
    std::string text = fmt::format(
        "answered {}/{}, {}/s, in flight {}, failed {}, p99 {}, start error p99 {}",
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

struct Work {
  traffic::Schedule schedule;
  std::vector<traffic::Action> actions;
};

Work with_actions(traffic::Schedule schedule, const LoadFlags& flags, std::uint64_t seed) {
  const traffic::BehaviourSpec behaviour{.seed = seed, .users = flags.users};
  auto actions = traffic::make_actions(schedule.intended.size(), behaviour);
  return {std::move(schedule), std::move(actions)};
}

Result<Work> measured_work(const LoadFlags& flags) {
  const auto placement = traffic::parse_placement(flags.placement);
  if (!placement) return std::unexpected(placement.error());
  auto schedule = traffic::make_schedule({.bias = flags.bias,
                                          .ticks = flags.ticks,
                                          .tick = std::chrono::milliseconds(flags.tick_ms),
                                          .requests_per_second = flags.rate,
                                          .placement = *placement,
                                          .seed = flags.seed});
  if (!schedule) return std::unexpected(schedule.error());
  return with_actions(std::move(*schedule), flags, flags.seed);
}

Result<Work> warm_up_work(const LoadFlags& flags) {
  const auto duration =
      std::chrono::duration_cast<Nanos>(std::chrono::duration<double>(flags.warm_up_seconds));
  auto schedule = traffic::constant_schedule(flags.rate, duration, traffic::Placement::uniform,
                                             base::derive_seed(flags.seed, 0));
  if (!schedule) return std::unexpected(schedule.error());
  return with_actions(std::move(*schedule), flags, base::derive_seed(flags.seed, 1));
}

std::string facts_text(const traffic::Schedule& schedule) {
  const traffic::Facts facts = traffic::facts_of(schedule);
  std::string text = fmt::format(
      "traffic      {}\n"
      "             {} requests in {}, mean {:.0f}/s, busiest tick {:.0f}/s ({:.1f} times the mean,"
      " {:.0f} % of all requests)\n"
      "             schedule {}; {} tick{} hold{} the busiest 1 % of the requests",
      traffic::sparkline(schedule.counts), schedule.intended.size(),
      measure::format_duration(schedule.duration), facts.mean_per_second, facts.peak_per_second,
      facts.peak_factor, 100 * facts.busiest_share, traffic::format_hash(schedule.hash),
      facts.tail_ticks, facts.tail_ticks == 1 ? "" : "s", facts.tail_ticks == 1 ? "s" : "");
  if (facts.tail_ticks < traffic::tail_ticks_wanted) text += ": p99 rests on few bursts";
  return text + "\n";
}

std::string row(std::string_view name, const measure::Histogram& histogram) {
  std::string text = fmt::format("{:<13}", name);
  for (const double q : {0.5, 0.9, 0.99, 0.999}) {
    text += fmt::format(
        "{:>10}", histogram.count() == 0 ? "-" : measure::format_duration(histogram.quantile(q)));
  }
  const auto max = histogram.count() == 0 ? "-" : measure::format_duration(histogram.max());
  return text + fmt::format("{:>10}{:>10}\n", max, histogram.count());
}

std::string table_text(const LoadResult& result) {
  const loadtest::Measurements& measured = result.measured;
  std::string text = fmt::format("{:<13}{:>10}{:>10}{:>10}{:>10}{:>10}{:>10}\n", "", "p50", "p90",
                                 "p99", "p99.9", "max", "requests");
  text += fmt::format("{:<13}", "response");
  for (const double q : {0.5, 0.9, 0.99, 0.999, 1.0}) {
    text += fmt::format("{:>10}", measure::format_quantile(result.response_quantile(q)));
  }
  text += fmt::format("{:>10}\n", measured.intended);
  text += row("service", measured.service);
  text += row("start error", measured.start_error);
  if (measured.blocked.count() > 0) text += row("blocked", measured.blocked);
  if (measured.error_answers() > 0) text += row("error answers", measured.error_response);
  return text;
}

std::string outcomes_text(const LoadResult& result) {
  const loadtest::Measurements& measured = result.measured;
  std::string text = fmt::format("intended {} of {} planned = answered {}", measured.intended,
                                 result.planned, measured.answered);
  std::string separator = " (";
  for (std::size_t status = 0; status < measured.by_status.size(); ++status) {
    if (measured.by_status[status] == 0) continue;
    text += fmt::format("{}{}: {}", separator, status, measured.by_status[status]);
    separator = ", ";
  }
  if (measured.answered > 0) text += ")";
  text += fmt::format(" + failed {}", measured.failed);
  separator = " (";
  for (std::size_t cause = 0; cause < measured.by_cause.size(); ++cause) {
    if (measured.by_cause[cause] == 0) continue;
    text += fmt::format("{}{}: {}", separator, name_of(loadtest::FailureCause(cause)),
                        measured.by_cause[cause]);
    separator = ", ";
  }
  if (measured.failed > 0) text += ")";
  return text + fmt::format(" + unanswered {}\n", measured.unanswered);
}

std::string health_text(const LoadResult& result) {
  std::string text = fmt::format(
      "generator    {} connections opened, {} in flight at most, {:.2f} on average; priority {}\n",
      result.measured.connections_opened, result.measured.in_flight_max, result.in_flight_mean(),
      result.shards.front().priority);
  for (const loadtest::Gate& gate : result.gates()) {
    text += fmt::format("  {}  {:<26} {:.4g} {} (at {} {:.4g} {})\n", gate.passed ? "pass" : "FAIL",
                        gate.name, gate.value, gate.unit, gate.is_minimum ? "least" : "most",
                        gate.limit, gate.unit);
  }
  return text;
}

json::object outcomes_json(const LoadResult& result) {
  const loadtest::Measurements& measured = result.measured;
  json::object by_status;
  for (std::size_t status = 0; status < measured.by_status.size(); ++status) {
    if (measured.by_status[status] > 0) {
      by_status[std::to_string(status)] = measured.by_status[status];
    }
  }
  json::object by_cause;
  for (std::size_t cause = 0; cause < measured.by_cause.size(); ++cause) {
    by_cause[name_of(loadtest::FailureCause(cause))] = measured.by_cause[cause];
  }
  return {{"planned", result.planned},       {"intended", measured.intended},
          {"sent", measured.sent},           {"answered", measured.answered},
          {"answered_by_status", by_status}, {"failed", measured.failed},
          {"failed_by_cause", by_cause},     {"unanswered", measured.unanswered}};
}

json::object response_json(const LoadResult& result) {
  json::object quantiles;
  for (const auto& [name, q] :
       {std::pair{"p50_ns", 0.5}, {"p90_ns", 0.9}, {"p99_ns", 0.99}, {"p99_9_ns", 0.999}}) {
    const auto quantile = result.response_quantile(q);
    if (!quantile) continue;
    quantiles[name] = quantile->value.count();
    if (quantile->is_beyond) quantiles[std::string(name) + "_is_lower_bound"] = true;
  }
  return quantiles;
}

json::object health_json(const LoadResult& result) {
  json::array gates;
  for (const loadtest::Gate& gate : result.gates()) {
    gates.push_back({{"name", gate.name},
                     {"value", gate.value},
                     {"limit", gate.limit},
                     {"unit", gate.unit},
                     {"limit_is", gate.is_minimum ? "minimum" : "maximum"},
                     {"passed", gate.passed}});
  }
  json::array shards;
  for (const loadtest::ShardHealth& shard : result.shards) {
    shards.push_back({{"cpu_ns", shard.cpu.count()},
                      {"wall_ns", shard.wall.count()},
                      {"priority", shard.priority}});
  }
  return {{"gates", gates},
          {"shards", shards},
          {"in_flight_mean", result.in_flight_mean()},
          {"in_flight_max", result.measured.in_flight_max},
          {"connections_opened", result.measured.connections_opened},
          {"connections_dropped", result.measured.connections_dropped},
          {"steal_share", result.steal_share},
          {"clock_step_ns", result.clock_step.count()}};
}

json::object result_json(const LoadFlags& flags, const Target& target, const Work& work,
                         const LoadResult& result) {
  const json::object config{{"url", "http://" + target.url.authority() + target.url.path},
                            {"null_server", flags.null_server},
                            {"requests_per_second", flags.rate},
                            {"bias", flags.bias},
                            {"ticks", flags.ticks},
                            {"tick_ms", flags.tick_ms},
                            {"placement", flags.placement},
                            {"seed", flags.seed},
                            {"users", flags.users},
                            {"connections_max", flags.connections},
                            {"shards", flags.shards},
                            {"warm_up_seconds", flags.warm_up_seconds},
                            {"drain_seconds", flags.drain_seconds},
                            {"scenario", flags.scenario}};
  return {{"config", config},
          {"schedule_hash", traffic::format_hash(work.schedule.hash)},
          {"seconds", result.seconds()},
          {"outcomes", outcomes_json(result)},
          {"response_quantiles", response_json(result)},
          {"histograms",
           json::object{{"response", measure::to_json(result.measured.response)},
                        {"error_response", measure::to_json(result.measured.error_response)},
                        {"service", measure::to_json(result.measured.service)},
                        {"start_error", measure::to_json(result.measured.start_error)},
                        {"blocked", measure::to_json(result.measured.blocked)},
                        {"censored", measure::to_json(result.measured.censored)}}},
          {"health", health_json(result)}};
}

Result<loadtest::Session> sign_in_users(const LoadFlags& flags, const net::HttpUrl& url,
                                        std::uint64_t trial, base::ClockAnchor anchor,
                                        const Stopper& stopper) {
  const loadtest::SessionPlan plan{.base = url,
                                   .admin_email = flags.admin_email,
                                   .admin_password = flags.admin_password,
                                   .users = flags.users,
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
    if (!flags_.json) fmt::print("{}", facts_text(work->schedule));
    std::fflush(stdout);
    Stopper stopper;
    LoadPlan plan = plan_for(target->url);
    if (const auto ready = sign_in_and_warm_up(plan, stopper); !ready) {
      return std::unexpected(ready.error());
    }
    if (stopper.count() > 0) return fail(Errc::cancelled, "stopped before the measured part");
    plan.intended = work->schedule.intended;
    plan.actions = work->actions;
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

  Result<void> sign_in_and_warm_up(LoadPlan& plan, Stopper& stopper) {
    if (flags_.scenario == "shop" && !flags_.null_server) {
      auto opened = sign_in_users(flags_, plan.base, plan.trial, plan.anchor, stopper);
      if (!opened) return std::unexpected(opened.error());
      tokens_ = std::move(opened->tokens);
      plan.tokens = tokens_;
      plan.first_request = opened->next_request;
    }
    if (flags_.warm_up_seconds <= 0) return {};
    const auto work = warm_up_work(flags_);
    if (!work) return std::unexpected(work.error());
    plan.intended = work->schedule.intended;
    plan.actions = work->actions;
    const auto result = run_phase("warm-up ", plan, stopper);
    if (!result) return std::unexpected(result.error());
    plan.first_request += plan.intended.size();
    return {};
  }

  void print(const Target& target, const Work& work, const LoadResult& result) const {
    if (flags_.json) {
      fmt::print("{}", base::pretty_json(result_json(flags_, target, work, result)));
    } else {
      fmt::print("\n{}\n{}{}", table_text(result), outcomes_text(result), health_text(result));
    }
  }

  const LoadFlags& flags_;
  std::vector<std::string> tokens_;
};

}  // namespace

void add_load(CLI::App& root, int& exit_code) {
  auto flags = std::make_shared<LoadFlags>();
  CLI::App* load = root.add_subcommand("load", "Send a bursty schedule to an HTTP server");
  load->add_option("url", flags->url, "http://host:port of a shop or any server");
  load->add_flag("--null-server", flags->null_server,
                 "Send to a built-in server that answers at once: the generator's own ceiling");
  load->add_option("--rate", flags->rate, "Mean requests per second")->capture_default_str();
  load->add_option("--bias", flags->bias, "Burstiness: share of the heavier half, 0.5 is flat")
      ->capture_default_str();
  load->add_option("--ticks", flags->ticks, "Ticks of the schedule")->capture_default_str();
  load->add_option("--tick-ms", flags->tick_ms, "Length of a tick")->capture_default_str();
  load->add_option("--placement", flags->placement, "Inside a tick: uniform, even or poisson")
      ->capture_default_str();
  load->add_option("--seed", flags->seed, "Seed of schedule and actions")->capture_default_str();
  load->add_option("--users", flags->users, "Customers that are signed in")
      ->check(CLI::Range(1U, 1'000'000U))
      ->capture_default_str();
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
      "          flow load http://127.0.0.1:8080 --scenario get --path /index.html --bias 0.6");
  load->callback([flags, &exit_code] {
    const auto done = LoadCommand(*flags).run();
    exit_code = done ? *done : report_error(done.error());
  });
}

}  // namespace flow::apps

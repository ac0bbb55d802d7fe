// SPDX-License-Identifier: Apache-2.0
#include "lab/trial/trial_servers.hpp"

#include <future>

#include "lab/trial/clients.hpp"

namespace flow::lab {
namespace {

using namespace std::chrono_literals;
using base::Result;
using streaming::DriverChoice;

Result<std::unique_ptr<servers::Server>> start_kafka(const servers::Level& level,
                                                     const streaming::DriverFactory& make_driver,
                                                     DriverChoice& choice, Progress& progress) {
  servers::KafkaOptions options;
  options.level = level.kafka;
  options.broker_count = [&](const std::string& bootstrap) {
    DriverChoice asked = choice;
    asked.service = bootstrap;
    return streaming::count_brokers(make_driver, asked, base::now() + 2s);
  };
  options.progress = [&](std::string_view text) { progress.update(text); };
  auto kafka = servers::Kafka::start(std::move(options));
  if (!kafka) return std::unexpected(kafka.error());
  choice.service = (*kafka)->bootstrap();
  return std::move(*kafka);
}

Result<std::unique_ptr<servers::Server>> start_pulsar(const servers::Level& level,
                                                      DriverChoice& choice, Progress& progress) {
  servers::PulsarOptions options;
  options.level = level.pulsar;
  options.progress = [&](std::string_view text) { progress.update(text); };
  auto pulsar = servers::Pulsar::start(std::move(options));
  if (!pulsar) return std::unexpected(pulsar.error());
  choice.service = (*pulsar)->service_url();
  choice.admin_url = (*pulsar)->admin_url();
  return std::move(*pulsar);
}

}  // namespace

Result<std::unique_ptr<TrialServers>> TrialServers::start(
    const std::string& platform, const servers::Level& level, const AnalyticsSettings& analytics,
    const streaming::DriverFactory& make_driver, Progress& progress) {
  using Pinot = Result<std::unique_ptr<servers::Pinot>>;
  auto started = std::unique_ptr<TrialServers>(new TrialServers);
  started->choice_ = clients_of(platform, level);
  auto postgres = std::async(std::launch::async, [] { return servers::Postgres::start({}); });
  std::optional<std::future<Pinot>> pinot;
  if (analytics.is_on && analytics.pinot.empty()) {
    pinot = std::async(std::launch::async, [&] {
      servers::PinotOptions options;
      options.level = level.pinot;
      options.home = analytics.pinot_home;
      options.progress = [&](std::string_view text) { progress.update(text); };
      return servers::Pinot::start(std::move(options));
    });
  }
  Result<std::unique_ptr<servers::Server>> broker = nullptr;
  if (platform == "kafka") broker = start_kafka(level, make_driver, started->choice_, progress);
  if (platform == "pulsar") broker = start_pulsar(level, started->choice_, progress);
  auto database = postgres.get();
  if (pinot) {
    auto ready = pinot->get();
    if (!ready) return base::with_context("pinot", ready.error());
    started->pinot_ = std::move(*ready);
  }
  if (!broker) return base::with_context(platform, broker.error());
  if (!database) return base::with_context("postgres", database.error());
  started->platform_ = std::move(*broker);
  started->postgres_ = std::move(*database);
  return started;
}

Result<void> TrialServers::limit_platform(double cpus) {
  std::vector<pid_t> pids;
  for (const auto& process : platform_->processes()) pids.push_back(process.pid);
  auto limit = servers::CpuLimit::apply(pids, cpus);
  if (!limit) return std::unexpected(limit.error());
  limit_ = std::move(*limit);
  return {};
}

Result<void> TrialServers::clear(net::IoThread& io, const std::vector<std::string>& topics,
                                 const streaming::DriverFactory& make_driver) {
  ++trials_before_;
  postgres_->stop();
  auto postgres = servers::Postgres::start({});
  if (!postgres) return base::with_context("postgres", postgres.error());
  postgres_ = std::move(*postgres);
  auto admin = streaming::AdminSession::open(io, make_driver, choice_);
  if (!admin) return std::unexpected(admin.error());
  return io.run_task((*admin)->delete_topics(topics, base::now() + 60s));
}

std::vector<servers::Server*> TrialServers::all() const {
  std::vector<servers::Server*> servers;
  if (platform_) servers.push_back(platform_.get());
  servers.push_back(postgres_.get());
  if (pinot_) servers.push_back(pinot_.get());
  return servers;
}

std::pair<servers::Server*, std::string> TrialServers::owner_of(const std::string& role) {
  if (role.starts_with("pinot-") && pinot_) return {pinot_.get(), role};
  if (role != "broker") return {platform_.get(), role};
  return {platform_.get(), platform_->platform() == "kafka" ? "kafka-1" : "pulsar-broker-1"};
}

Result<void> TrialServers::kill(const std::string& role) {
  const auto [server, name] = owner_of(role);
  return server->kill(name);
}

Result<void> TrialServers::restart(const std::string& role) {
  const auto [server, name] = owner_of(role);
  return server->restart(name, 120s);
}

Result<void> TrialServers::freeze(const std::string& role) {
  const auto [server, name] = owner_of(role);
  return server->freeze(name);
}

Result<void> TrialServers::thaw(const std::string& role) {
  const auto [server, name] = owner_of(role);
  return server->thaw(name);
}

std::vector<servers::ProcessInfo> TrialServers::processes() const {
  std::vector<servers::ProcessInfo> processes;
  for (const auto* server : all()) {
    for (auto& process : server->processes()) processes.push_back(std::move(process));
  }
  return processes;
}

Result<void> TrialServers::check_alive() const {
  for (const auto* server : all()) {
    if (auto alive = server->check_alive(); !alive) return alive;
  }
  return {};
}

base::json::object TrialServers::facts() const {
  base::json::object facts;
  for (const auto* server : all()) facts[server->platform()] = server->facts();
  return facts;
}

Result<void> TrialServers::copy_logs_to(const std::filesystem::path& folder) const {
  for (const auto* server : all()) {
    if (auto copied = server->copy_logs_to(folder); !copied) return copied;
  }
  return {};
}

void TrialServers::stop() {
  if (pinot_) pinot_->stop();  // It reads from the platform until then.
  auto postgres = std::async(std::launch::async, [this] { postgres_->stop(); });
  if (platform_) platform_->stop();
  postgres.get();
}

}  // namespace flow::lab

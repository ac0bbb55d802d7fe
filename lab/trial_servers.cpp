// SPDX-License-Identifier: Apache-2.0
#include "lab/trial_servers.hpp"

#include <future>

namespace flow::lab {
namespace {

using namespace std::chrono_literals;
using base::Result;
using streaming::DriverChoice;

Result<std::unique_ptr<servers::Server>> start_kafka(const servers::Level& level,
                                                     const streaming::DriverFactory& make_driver,
                                                     DriverChoice& choice, Progress& progress) {
  choice.producer = level.kafka.producer;
  choice.consumer = level.kafka.consumer;
  choice.topic = level.kafka.topic;
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
  choice.producer = level.pulsar.producer;
  choice.consumer = level.pulsar.consumer;
  choice.topic = level.pulsar.topic;
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
    const std::string& platform, const servers::Level& level,
    const streaming::DriverFactory& make_driver, Progress& progress) {
  auto started = std::unique_ptr<TrialServers>(new TrialServers);
  started->choice_.platform = platform;
  auto postgres = std::async(std::launch::async, [] { return servers::Postgres::start({}); });
  auto broker = platform == "kafka" ? start_kafka(level, make_driver, started->choice_, progress)
                                    : start_pulsar(level, started->choice_, progress);
  auto database = postgres.get();
  if (!broker) return base::with_context(platform, broker.error());
  if (!database) return base::with_context("postgres", database.error());
  started->platform_ = std::move(*broker);
  started->postgres_ = std::move(*database);
  return started;
}

std::vector<servers::ProcessInfo> TrialServers::processes() const {
  auto all = platform_->processes();
  for (auto& process : postgres_->processes()) all.push_back(std::move(process));
  return all;
}

Result<void> TrialServers::check_alive() const {
  if (auto alive = platform_->check_alive(); !alive) return alive;
  return postgres_->check_alive();
}

base::json::object TrialServers::facts() const {
  return {{platform_->platform(), platform_->facts()}, {"postgres", postgres_->facts()}};
}

Result<void> TrialServers::copy_logs_to(const std::filesystem::path& folder) const {
  if (auto copied = platform_->copy_logs_to(folder); !copied) return copied;
  return postgres_->copy_logs_to(folder);
}

void TrialServers::stop() {
  auto postgres = std::async(std::launch::async, [this] { postgres_->stop(); });
  platform_->stop();
  postgres.get();
}

}  // namespace flow::lab

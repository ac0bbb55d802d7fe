// SPDX-License-Identifier: Apache-2.0
#include "streaming/pulsar/driver.hpp"

#include <random>

#include "streaming/pulsar/admin.hpp"
#include "streaming/pulsar/config.hpp"
#include "streaming/pulsar/shell.hpp"
#include "streaming/pulsar/topic_consumer.hpp"
#include "streaming/pulsar/topic_producer.hpp"

namespace flow::streaming::pulsar {
namespace {

using base::Errc;
using base::fail;
using base::Result;

constexpr std::string_view client_version_text = "flow-pulsar 0.1";

// Lets go of something on the thread that it lives on.
template <class T>
void release_on(net::IoThread& io, std::shared_ptr<T> object) {
  if (!object || io.is_current()) return;
  io.post([object = std::move(object)] {});
}

class ProducerDoor final : public Producer {
 public:
  ProducerDoor(std::shared_ptr<Shell> shell, std::shared_ptr<TopicProducer> machine)
      : shell_(std::move(shell)), machine_(std::move(machine)) {}
  ~ProducerDoor() override {
    net::IoThread& io = shell_->io();
    release_on(io, std::move(machine_));
    release_on(io, std::move(shell_));
  }

  bool reserve() override { return machine_->reserve(); }
  void release() override { machine_->release(); }
  Admission try_publish(Ticket ticket, const Message& message, bool reserved) override {
    shell_->io().check_current();
    return machine_->try_publish(ticket, message, reserved);
  }
  std::size_t queued() const override { return machine_->queued(); }
  net::Task<Result<void>> drain(base::TimePoint deadline) override {
    return drain_of(shell_, machine_, deadline);
  }
  void stop() override {
    shell_->io().check_current();
    machine_->stop();
  }

 private:
  static net::Task<Result<void>> drain_of(std::shared_ptr<Shell> shell,
                                          std::shared_ptr<TopicProducer> machine,
                                          base::TimePoint deadline) {
    machine->flush();
    while (machine->undecided() > 0) {
      const auto idle = std::make_shared<Event>(shell->io());
      machine->when_idle([idle] { idle->set(); });
      const bool in_time = co_await Event::wait(idle, deadline);
      if (!in_time) {
        co_return fail(Errc::timed_out, "pulsar producer: {} messages undecided at the deadline",
                       machine->undecided());
      }
    }
    co_return Result<void>{};
  }

  std::shared_ptr<Shell> shell_;
  std::shared_ptr<TopicProducer> machine_;
};

class ConsumerDoor final : public Consumer {
 public:
  ConsumerDoor(std::shared_ptr<Shell> shell, std::shared_ptr<TopicConsumer> machine)
      : shell_(std::move(shell)), machine_(std::move(machine)) {}
  ~ConsumerDoor() override {
    net::IoThread& io = shell_->io();
    release_on(io, std::move(machine_));
    release_on(io, std::move(shell_));
  }

  net::Task<Result<bool>> read_to_end(base::TimePoint deadline) override {
    return read_to_end_of(shell_, machine_, deadline);
  }
  std::uint64_t records_seen() const override { return machine_->records_seen(); }
  void stop() override {
    shell_->io().check_current();
    machine_->stop();
  }

 private:
  static net::Task<Result<bool>> read_to_end_of(std::shared_ptr<Shell> shell,
                                                std::shared_ptr<TopicConsumer> machine,
                                                base::TimePoint deadline) {
    const auto done = std::make_shared<Event>(shell->io());
    machine->read_to_end([done] { done->set(); });
    const bool in_time = co_await Event::wait(done, deadline);
    if (machine->final_error()) co_return std::unexpected(*machine->final_error());
    co_return in_time && machine->is_at_end();
  }

  std::shared_ptr<Shell> shell_;
  std::shared_ptr<TopicConsumer> machine_;
};

// Waits until a producer or consumer machine is open; stops it when it does not come to that.
template <class Machine>
net::Task<Result<void>> open_machine(std::shared_ptr<Shell> shell, std::shared_ptr<Machine> machine,
                                     std::vector<std::string> topics, base::TimePoint deadline) {
  const auto opened = std::make_shared<Event>(shell->io());
  const auto error = std::make_shared<std::optional<base::Error>>();
  machine->open(topics, [opened, error](const std::optional<base::Error>& failure) {
    *error = failure;
    opened->set();
  });
  const bool in_time = co_await Event::wait(opened, deadline);
  if (in_time && !*error) co_return Result<void>{};
  const auto cause = machine->last_failure();
  const std::optional<base::Error> told = *error;
  machine->stop();
  if (in_time) co_return std::unexpected(*told);
  co_return fail(Errc::timed_out, "pulsar: not open at the deadline; last: {}",
                 cause ? cause->error.what : std::string("nothing was answered"));
}

class PulsarDriver final : public Driver {
 public:
  PulsarDriver(net::IoThread& io, const ProducerConfig& producer, const ConsumerConfig& consumer,
               const TopicConfig& topic, std::optional<net::HttpUrl> admin, ClientOptions options)
      : io_(io),
        producer_(producer),
        consumer_(consumer),
        topic_(topic),
        admin_(std::move(admin)),
        token_(options.token),
        shell_(std::make_shared<Shell>(io, std::move(options), outbox_bytes_max(producer))) {}

  ~PulsarDriver() override {
    if (io_.is_current()) {
      shell_->shut_down();
    } else {
      io_.post([shell = std::move(shell_)] { shell->shut_down(); });
    }
  }

  std::string_view platform() const override { return "pulsar"; }
  net::IoThread& io() override { return io_; }
  std::string client_version() const override { return std::string(client_version_text); }
  Settings effective_settings() const override {
    Settings all = pulsar::effective_settings(producer_, consumer_, topic_);
    all.emplace_back("producer.partitioner", "murmur2 of the key");
    return all;
  }

  net::Task<Result<std::unique_ptr<Producer>>> open_producer(std::vector<std::string> topics,
                                                             DeliverySink& sink,
                                                             base::TimePoint deadline) override {
    const auto names = full_names(topics);
    if (!names) co_return std::unexpected(names.error());
    const auto shell = shell_;
    const auto machine = std::make_shared<TopicProducer>(shell->client(), producer_, sink);
    const Result<void> opened = co_await open_machine(shell, machine, *names, deadline);
    if (!opened) co_return std::unexpected(opened.error());
    std::unique_ptr<Producer> door = std::make_unique<ProducerDoor>(shell, machine);
    co_return door;
  }

  net::Task<Result<std::unique_ptr<Consumer>>> open_consumer(std::vector<std::string> topics,
                                                             RecordSink& sink,
                                                             base::TimePoint deadline) override {
    const auto names = full_names(topics);
    if (!names) co_return std::unexpected(names.error());
    const auto shell = shell_;
    const auto machine = std::make_shared<TopicConsumer>(shell->client(), consumer_, sink);
    const Result<void> opened = co_await open_machine(shell, machine, *names, deadline);
    if (!opened) co_return std::unexpected(opened.error());
    std::unique_ptr<Consumer> door = std::make_unique<ConsumerDoor>(shell, machine);
    co_return door;
  }

  Result<std::unique_ptr<Admin>> open_admin() override {
    if (!admin_) return fail(Errc::config, "pulsar: administration needs an admin URL");
    return make_admin(shell_, *admin_, topic_, token_);
  }

 private:
  static std::size_t outbox_bytes_max(const ProducerConfig& producer) {
    return 2 * static_cast<std::size_t>(producer.queue_bytes_max) + (1U << 20);
  }
  static Result<std::vector<std::string>> full_names(const std::vector<std::string>& topics) {
    std::vector<std::string> names;
    for (const std::string& topic : topics) {
      const auto name = parse_topic_name(topic);
      if (!name) return std::unexpected(name.error());
      names.push_back(name->full());
    }
    return names;
  }

  net::IoThread& io_;
  const ProducerConfig producer_;
  const ConsumerConfig consumer_;
  const TopicConfig topic_;
  const std::optional<net::HttpUrl> admin_;
  const std::string token_;
  std::shared_ptr<Shell> shell_;
};

std::uint64_t random_seed() {
  std::random_device device;
  return std::uint64_t{device()} << 32 | device();
}

}  // namespace

Result<std::unique_ptr<Driver>> make_driver(net::IoThread& io, const PulsarConfig& config) {
  auto service = parse_service_url(config.service_url);
  if (!service) return std::unexpected(service.error());
  const auto producer = parse_producer_config(config.producer);
  if (!producer) return std::unexpected(producer.error());
  const auto consumer = parse_consumer_config(config.consumer);
  if (!consumer) return std::unexpected(consumer.error());
  const auto topic = parse_topic_config(config.topic);
  if (!topic) return std::unexpected(topic.error());
  std::optional<net::HttpUrl> admin;
  if (!config.admin_url.empty()) {
    const auto url = net::parse_http_url(config.admin_url);
    if (!url) return base::with_context("pulsar admin", url.error());
    admin = *url;
  }
  ClientOptions options{.service = *std::move(service),
                        .client_version = std::string(client_version_text),
                        .client_id = config.client_id,
                        .token = config.token,
                        .seed = random_seed()};
  return std::make_unique<PulsarDriver>(io, *producer, *consumer, *topic, std::move(admin),
                                        std::move(options));
}

}  // namespace flow::streaming::pulsar

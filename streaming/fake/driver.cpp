// SPDX-License-Identifier: Apache-2.0
#include "streaming/fake/driver.hpp"

#include <algorithm>
#include <queue>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/check.hpp"
#include "streaming/fake/broker.hpp"
#include "streaming/partitioner.hpp"

namespace flow::streaming::fake {
namespace {

namespace asio = boost::asio;
using base::Errc;
using base::fail;
using base::Result;
using base::TimePoint;

constexpr std::size_t batch_max = 256;  // Records or outcomes per turn of the thread.

base::Result<std::vector<std::string>> known_topics(Broker& broker,
                                                    std::vector<std::string> names) {
  for (const std::string& name : names) {
    if (!broker.find(name)) return fail(Errc::refused, "fake broker: topic {}: not there", name);
  }
  return names;
}

// A publish on its way: ordered by the moment of its outcome, then by the order of the calls.
struct Pending {
  TimePoint due;
  std::uint64_t sequence;
  Ticket ticket;
  std::uint16_t topic;
  std::int32_t partition;
  Outcome outcome;
  int copies;
  std::shared_ptr<StoredRecord> record;  // Shared, so that a heap of these moves cheaply.

  bool operator>(const Pending& other) const {
    return std::tie(due, sequence) > std::tie(other.due, other.sequence);
  }
};

class FakeProducer final : public Producer {
 public:
  FakeProducer(net::IoThread& io, std::shared_ptr<Broker> broker, std::vector<std::string> topics,
               DeliverySink& sink)
      : io_(io),
        broker_(std::move(broker)),
        topics_(std::move(topics)),
        sink_(sink),
        timer_(io.context()),
        settled_(io.context(), TimePoint::max()) {}
  ~FakeProducer() override { stop(); }

  bool reserve() override {
    if (queued() >= broker_->config().queue_messages_max) return false;
    ++reserved_;
    return true;
  }

  void release() override {
    FLOW_CHECK(reserved_ > 0);
    --reserved_;
  }

  Admission try_publish(Ticket ticket, const Message& message, bool reserved) override {
    FLOW_CHECK(!stopped_);
    if (reserved) {
      release();
    } else if (queued() >= broker_->config().queue_messages_max) {
      return Admission::queue_full;
    }
    pending_.push(make_pending(ticket, message));
    arm();
    return Admission::accepted;
  }

  std::size_t queued() const override { return pending_.size() + reserved_; }

  net::Task<Result<void>> drain(TimePoint deadline) override {
    while (!pending_.empty()) {
      if (base::now() >= deadline) {
        co_return fail(Errc::timed_out, "fake producer: {} publishes still open at the deadline",
                       pending_.size());
      }
      settled_.expires_at(deadline);
      co_await settled_.async_wait(asio::as_tuple(asio::use_awaitable));
    }
    co_return Result<void>{};
  }

  void stop() override {
    if (stopped_) return;
    stopped_ = true;
    *alive_ = false;
    timer_.cancel();
    while (!pending_.empty()) {
      const Pending open = pending_.top();
      pending_.pop();
      sink_.on_delivery(open.ticket, {Outcome::lost, base::now(), open.partition});
    }
    settled_.cancel();
  }

 private:
  Pending make_pending(Ticket ticket, const Message& message) {
    const auto id = static_cast<std::uint16_t>(message.topic);
    FLOW_CHECK(id < topics_.size());
    Topic* topic = broker_->find(topics_[id]);
    const std::int32_t partition = topic ? partition_for(*topic, message.key) : -1;
    Fate fate = broker_->next_fate();
    const bool fits = message.payload.size() <= broker_->config().message_bytes_max;
    if (!topic || !fits) fate = {Outcome::rejected, fate.delay, 0};
    auto record = std::make_shared<StoredRecord>();
    if (fate.copies > 0) {
      record->key = message.key;
      record->payload.assign(message.payload.begin(), message.payload.end());
      if (message.stamp.trial != 0) record->stamp = message.stamp;
    }
    return {base::now() + fate.delay, sequence_++, ticket, id, partition, fate.outcome, fate.copies,
            std::move(record)};
  }

  static std::int32_t partition_for(Topic& topic, std::string_view key) {
    const auto partitions = static_cast<std::int32_t>(topic.partitions.size());
    if (!key.empty()) return partition_of(key, partitions);
    return static_cast<std::int32_t>(topic.next_without_key++ % topic.partitions.size());
  }

  // One wake-up for the earliest outcome; an outcome that is due comes by posting, never from
  // inside try_publish().
  void arm() {
    const TimePoint due = pending_.top().due;
    if (armed_ && armed_for_ <= due) return;
    armed_ = true;
    armed_for_ = due;
    if (due <= base::now()) {
      timer_.cancel();
      asio::post(io_.context(), [this, alive = alive_] {
        if (*alive) decide_due();
      });
      return;
    }
    timer_.expires_at(due);
    timer_.async_wait([this, alive = alive_](const boost::system::error_code& error) {
      if (!error && *alive) decide_due();
    });
  }

  void decide_due() {
    armed_ = false;
    const TimePoint now = base::now();
    for (std::size_t n = 0; n < batch_max && !pending_.empty() && pending_.top().due <= now; ++n) {
      Pending next = pending_.top();
      pending_.pop();
      decide(next, now);
      if (stopped_) return;  // The sink may stop the producer.
    }
    if (!pending_.empty()) return arm();
    settled_.cancel();
  }

  void decide(Pending& next, TimePoint now) {
    Topic* topic = broker_->find(topics_[next.topic]);
    const std::size_t bytes = next.record->payload.size() + next.record->key.size();
    const std::size_t copies = static_cast<std::size_t>(next.copies);
    if (next.copies > 0 && (!topic || !broker_->has_room_for(bytes * copies))) {
      next.outcome = Outcome::rejected;
      next.copies = 0;
    }
    for (int copy = 0; copy < next.copies; ++copy) {
      broker_->store(*topic, next.partition, *next.record);
    }
    sink_.on_delivery(next.ticket, {next.outcome, now, next.partition});
  }

  net::IoThread& io_;
  std::shared_ptr<Broker> broker_;
  std::vector<std::string> topics_;
  DeliverySink& sink_;
  std::priority_queue<Pending, std::vector<Pending>, std::greater<>> pending_;
  std::uint64_t sequence_ = 0;
  std::size_t reserved_ = 0;
  asio::steady_timer timer_;
  asio::steady_timer settled_;  // Cancelled when the last open publish is decided.
  bool armed_ = false;
  TimePoint armed_for_;
  bool stopped_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // For posted work.
};

class FakeConsumer final : public Consumer {
 public:
  FakeConsumer(net::IoThread& io, std::shared_ptr<Broker> broker, std::vector<std::string> topics,
               RecordSink& sink)
      : io_(io), broker_(std::move(broker)), topics_(std::move(topics)), sink_(sink) {
    for (const std::string& topic : topics_) {
      next_.emplace_back(broker_->find(topic)->partitions.size(), 0);
    }
    watcher_ = broker_->watch([this] { wake(); });
    wake();
  }
  ~FakeConsumer() override { stop(); }

  net::Task<Result<bool>> read_to_end(TimePoint deadline) override {
    const auto ends = positions_of_ends();
    while (!stopped_ && !has_reached(ends)) {
      if (failed_ || base::now() >= deadline) co_return false;
      deliver();
      co_await asio::post(io_.context(), asio::use_awaitable);
    }
    co_return has_reached(ends);
  }

  std::uint64_t records_seen() const override { return seen_; }

  void stop() override {
    if (stopped_) return;
    stopped_ = true;
    *alive_ = false;
    broker_->unwatch(watcher_);
  }

 private:
  using Positions = std::vector<std::vector<std::size_t>>;  // By topic, partition.

  void wake() {
    if (woken_) return;
    woken_ = true;
    asio::post(io_.context(), [this, alive = alive_] {
      if (*alive) deliver();
    });
  }

  void deliver() {
    woken_ = false;
    std::size_t left = batch_max;
    for (std::size_t topic = 0; topic < topics_.size() && !failed_; ++topic) {
      Topic* log = broker_->find(topics_[topic]);
      if (!log) return fail_for(topics_[topic]);
      for (std::size_t partition = 0; partition < next_[topic].size(); ++partition) {
        while (next_[topic][partition] < log->partitions[partition].size()) {
          if (left-- == 0) return wake();
          hand_over(topic, partition, log->partitions[partition][next_[topic][partition]]);
          if (stopped_) return;
        }
      }
    }
  }

  void hand_over(std::size_t topic, std::size_t partition, const StoredRecord& stored) {
    Record record;
    record.seen_at = base::now();
    record.topic = static_cast<TopicId>(topic);
    record.partition = static_cast<std::int32_t>(partition);
    record.position.entry = next_[topic][partition]++;
    record.key = stored.key;
    record.payload = stored.payload;
    record.stamp = stored.stamp;
    ++seen_;
    sink_.on_record(record);
  }

  void fail_for(const std::string& topic) {
    failed_ = true;
    sink_.on_consumer_error({Errc::refused, fmt::format("fake broker: topic {}: gone", topic)});
  }

  Positions positions_of_ends() {
    Positions ends;
    for (const std::string& name : topics_) {
      ends.emplace_back();
      Topic* log = broker_->find(name);
      if (!log) continue;
      for (const auto& partition : log->partitions) ends.back().push_back(partition.size());
    }
    return ends;
  }

  bool has_reached(const Positions& ends) const {
    for (std::size_t topic = 0; topic < ends.size(); ++topic) {
      if (ends[topic].size() != next_[topic].size()) return false;
      for (std::size_t p = 0; p < ends[topic].size(); ++p) {
        if (next_[topic][p] < ends[topic][p]) return false;
      }
    }
    return true;
  }

  net::IoThread& io_;
  std::shared_ptr<Broker> broker_;
  std::vector<std::string> topics_;
  RecordSink& sink_;
  Positions next_;
  int watcher_ = 0;
  std::uint64_t seen_ = 0;
  bool woken_ = false;
  bool failed_ = false;
  bool stopped_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

class FakeAdmin final : public Admin {
 public:
  explicit FakeAdmin(std::shared_ptr<Broker> broker) : broker_(std::move(broker)) {}

  net::Task<Result<int>> broker_count(TimePoint) override { co_return broker_->config().brokers; }

  net::Task<Result<void>> create_topics(std::vector<TopicSpec> topics, TimePoint) override {
    for (const TopicSpec& topic : topics) {
      if (!broker_->add(topic)) {
        co_return fail(Errc::refused, "fake broker: topic {}: exists already", topic.name);
      }
    }
    co_return Result<void>{};
  }

  net::Task<Result<void>> delete_topics(std::vector<std::string> names, TimePoint) override {
    for (const std::string& name : names) {
      if (!broker_->remove(name)) {
        co_return fail(Errc::refused, "fake broker: topic {}: not there", name);
      }
    }
    co_return Result<void>{};
  }

  net::Task<Result<Settings>> describe_topic(std::string name, TimePoint) override {
    Topic* topic = broker_->find(name);
    if (!topic) co_return fail(Errc::refused, "fake broker: topic {}: not there", name);
    Settings settings;
    settings.emplace_back("partitions", std::to_string(topic->partitions.size()));
    settings.emplace_back("replication_factor", "1");
    co_return settings;
  }

 private:
  std::shared_ptr<Broker> broker_;
};

class FakeDriver final : public Driver {
 public:
  FakeDriver(net::IoThread& io, FakeConfig config)
      : io_(io), broker_(std::make_shared<Broker>(std::move(config))) {}

  std::string_view platform() const override { return "fake"; }
  net::IoThread& io() override { return io_; }
  std::string client_version() const override { return "in-process"; }

  Settings effective_settings() const override {
    const FakeConfig& config = broker_->config();
    return {{"producer.queue_messages_max", std::to_string(config.queue_messages_max)},
            {"producer.message_bytes_max", std::to_string(config.message_bytes_max)},
            {"stored_bytes_max", std::to_string(config.stored_bytes_max)},
            {"scripted", config.fate ? "true" : "false"}};
  }

  net::Task<Result<std::unique_ptr<Producer>>> open_producer(std::vector<std::string> topics,
                                                             DeliverySink& sink,
                                                             TimePoint) override {
    io_.check_current();
    auto known = known_topics(*broker_, std::move(topics));
    if (!known) co_return std::unexpected(known.error());
    co_return std::make_unique<FakeProducer>(io_, broker_, std::move(*known), sink);
  }

  net::Task<Result<std::unique_ptr<Consumer>>> open_consumer(std::vector<std::string> topics,
                                                             RecordSink& sink, TimePoint) override {
    io_.check_current();
    auto known = known_topics(*broker_, std::move(topics));
    if (!known) co_return std::unexpected(known.error());
    co_return std::make_unique<FakeConsumer>(io_, broker_, std::move(*known), sink);
  }

  Result<std::unique_ptr<Admin>> open_admin() override {
    return std::make_unique<FakeAdmin>(broker_);
  }

 private:
  net::IoThread& io_;
  std::shared_ptr<Broker> broker_;
};

}  // namespace

std::unique_ptr<Driver> make_driver(net::IoThread& io, FakeConfig config) {
  return std::make_unique<FakeDriver>(io, std::move(config));
}

}  // namespace flow::streaming::fake

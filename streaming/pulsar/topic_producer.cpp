// SPDX-License-Identifier: Apache-2.0
#include "streaming/pulsar/topic_producer.hpp"

#include "base/check.hpp"
#include "streaming/partitioner.hpp"

namespace flow::streaming::pulsar {

TopicProducer::TopicProducer(Client& client, const ProducerConfig& config, DeliverySink& sink)
    : client_(client), config_(config), sink_(sink) {}

// --- Opening ---

void TopicProducer::open(const std::vector<std::string>& topics, OpenHandler handler) {
  FLOW_CHECK(topics_.empty());
  open_handler_ = std::move(handler);
  topics_uncounted_ = topics.size();
  for (const std::string& name : topics) {
    const std::size_t index = topics_.size();
    topics_.push_back({.name = name, .partitions = {}});
    retry_timers_.push_back(std::make_unique<Timer>(
        client_.timers(), [this, index](base::TimePoint) { count_partitions(index); }));
  }
  if (topics.empty()) return finish_open(std::nullopt);
  for (std::size_t i = 0; i < topics_.size() && !is_stopped_; ++i) count_partitions(i);
}

void TopicProducer::count_partitions(std::size_t topic) {
  client_.count_partitions(topics_[topic].name,
                           [weak = weak_from_this(), topic](const Client::Answer<int>& count) {
                             const auto self = weak.lock();
                             if (!self || self->is_stopped_) return;
                             if (count) return self->start_partitions(topic, *count);
                             self->on_producer_failure(count.error());
                             if (count.error().is_final) return;
                             const auto delay = self->backoff_.next(self->client_.random());
                             self->retry_timers_[topic]->arm(self->client_.host().now() + delay);
                           });
}

void TopicProducer::start_partitions(std::size_t topic, int count) {
  Topic& opened = topics_[topic];
  PartitionProducer::Owner& owner = *this;
  const int producers = count == 0 ? 1 : count;  // 0: not partitioned, one log of its own name.
  for (int i = 0; i < producers; ++i) {
    opened.partitions.push_back(std::make_shared<PartitionProducer>(
        client_, owner, config_,
        PartitionProducer::Options{
            .topic = count == 0 ? opened.name : fmt::format("{}-partition-{}", opened.name, i),
            .partition = i,
            .connection_index = next_connection_index_++ % config_.connections_per_broker}));
  }
  partitions_unready_ += opened.partitions.size();
  --topics_uncounted_;
  for (const auto& partition : opened.partitions) {
    if (!is_stopped_) partition->start();
  }
}

void TopicProducer::on_producer_ready() {
  --partitions_unready_;
  if (partitions_unready_ == 0 && topics_uncounted_ == 0) finish_open(std::nullopt);
}

void TopicProducer::on_producer_failure(const Failure& failure) {
  last_failure_ = failure;
  if (failure.is_final) finish_open(failure.error);
}

void TopicProducer::finish_open(const std::optional<base::Error>& error) {
  if (open_handler_) std::exchange(open_handler_, nullptr)(error);
}

// --- Publishing ---

bool TopicProducer::reserve() {
  if (queued() >= config_.queue_messages_max) {
    flush();  // Nothing would drain before the linger timer.
    return false;
  }
  ++reserved_;
  return true;
}

void TopicProducer::release() {
  FLOW_CHECK(reserved_ > 0);
  --reserved_;
}

Admission TopicProducer::try_publish(Ticket ticket, const Message& message, bool reserved) {
  const auto index = static_cast<std::size_t>(message.topic);
  FLOW_CHECK(!is_stopped_ && index < topics_.size());
  const std::size_t bytes = message.key.size() + message.payload.size();
  if (reserved) {
    release();
  } else if (queued() >= config_.queue_messages_max ||
             (undecided_ > 0 && bytes_ + bytes > config_.queue_bytes_max)) {
    flush();
    return Admission::queue_full;
  }
  ++undecided_;
  bytes_ += bytes;
  choose(topics_[index], message.key).publish(ticket, message);
  return Admission::accepted;
}

// Without a key a partition is kept until its batch is sent: changing with every message would
// leave nothing but small batches.
PartitionProducer& TopicProducer::choose(Topic& topic, std::string_view key) {
  const std::size_t count = topic.partitions.size();
  if (!key.empty()) {
    const auto partition = partition_of(key, static_cast<std::int32_t>(count));
    return *topic.partitions[static_cast<std::size_t>(partition)];
  }
  if (!topic.partitions[topic.turn]->batch_is_open()) topic.turn = (topic.turn + 1) % count;
  return *topic.partitions[topic.turn];
}

void TopicProducer::flush() {
  for (Topic& topic : topics_) {
    for (const auto& partition : topic.partitions) partition->flush();
  }
}

void TopicProducer::decide(std::span<const Ticket> tickets, std::size_t bytes, Delivery delivery) {
  FLOW_CHECK(bytes_ >= bytes);
  bytes_ -= bytes;
  for (const Ticket ticket : tickets) decisions_.push_back({ticket, delivery});
  if (!std::exchange(is_deferred_, true)) client_.defer(weak_from_this());
}

// The application may publish, drain or stop from inside on_delivery().
void TopicProducer::run_deferred() {
  const auto self = shared_from_this();
  is_deferred_ = false;
  while (decisions_next_ < decisions_.size()) {
    const Decision decision = decisions_[decisions_next_++];
    --undecided_;
    sink_.on_delivery(decision.ticket, decision.delivery);
  }
  decisions_.clear();
  decisions_next_ = 0;
  if (undecided_ > 0) return;
  for (const auto& handler : std::exchange(idle_, {})) handler();
}

void TopicProducer::stop() {
  if (std::exchange(is_stopped_, true)) return;
  retry_timers_.clear();
  for (Topic& topic : topics_) {
    for (const auto& partition : topic.partitions) partition->stop();
  }
  finish_open(base::Error{base::Errc::cancelled, "the producer was stopped"});
  run_deferred();
}

}  // namespace flow::streaming::pulsar

// SPDX-License-Identifier: Apache-2.0
#include "streaming/pulsar/topic_consumer.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace flow::streaming::pulsar {

TopicConsumer::TopicConsumer(Client& client, const ConsumerConfig& config, RecordSink& sink)
    : client_(client), config_(config), sink_(sink) {}

void TopicConsumer::open(const std::vector<std::string>& topics, OpenHandler handler) {
  FLOW_CHECK(topics_.empty());
  open_handler_ = std::move(handler);
  topics_ = topics;
  topics_uncounted_ = topics.size();
  for (std::size_t i = 0; i < topics.size(); ++i) {
    retry_timers_.push_back(std::make_unique<Timer>(
        client_.timers(), [this, i](base::TimePoint) { count_partitions(i); }));
  }
  if (topics.empty()) return finish_open(std::nullopt);
  for (std::size_t i = 0; i < topics.size() && !is_stopped_; ++i) count_partitions(i);
}

void TopicConsumer::count_partitions(std::size_t topic) {
  client_.count_partitions(topics_[topic],
                           [weak = weak_from_this(), topic](const Client::Answer<int>& count) {
                             const auto self = weak.lock();
                             if (!self || self->is_stopped_) return;
                             if (count) return self->start_partitions(topic, *count);
                             self->on_consumer_failure(count.error());
                             if (count.error().is_final) return;
                             const auto delay = self->backoff_.next(self->client_.random());
                             self->retry_timers_[topic]->arm(self->client_.host().now() + delay);
                           });
}

void TopicConsumer::start_partitions(std::size_t topic, int count) {
  PartitionConsumer::Owner& owner = *this;
  const int consumers = count == 0 ? 1 : count;
  std::vector<std::shared_ptr<PartitionConsumer>> started;
  for (int i = 0; i < consumers; ++i) {
    started.push_back(std::make_shared<PartitionConsumer>(
        client_, owner,
        PartitionConsumer::Options{.topic = count == 0
                                                ? topics_[topic]
                                                : fmt::format("{}-partition-{}", topics_[topic], i),
                                   .topic_id = static_cast<TopicId>(topic),
                                   .partition = i,
                                   .receiver_queue = config_.receiver_queue}));
  }
  partitions_.insert(partitions_.end(), started.begin(), started.end());
  partitions_unready_ += started.size();
  --topics_uncounted_;
  for (const auto& partition : started) {
    if (!is_stopped_) partition->start();
  }
}

void TopicConsumer::on_consumer_ready() {
  --partitions_unready_;
  if (partitions_unready_ == 0 && topics_uncounted_ == 0) finish_open(std::nullopt);
}

void TopicConsumer::on_consumer_failure(const Failure& failure) {
  last_failure_ = failure;
  if (!failure.is_final || final_error_) return;
  final_error_ = failure.error;
  client_.defer(weak_from_this());
}

void TopicConsumer::finish_open(const std::optional<base::Error>& error) {
  if (!error) is_open_ = true;
  if (open_handler_) std::exchange(open_handler_, nullptr)(error);
}

// Tells of what cannot be repaired: whoever opens, once the opener is gone the sink.
void TopicConsumer::run_deferred() {
  const auto self = shared_from_this();
  if (is_stopped_ || !final_error_ || std::exchange(is_error_told_, true)) return;
  if (!is_open_) return finish_open(final_error_);
  for (const auto& handler : std::exchange(end_handlers_, {})) handler();
  sink_.on_consumer_error(*final_error_);
}

void TopicConsumer::on_record(const Record& record) {
  if (is_stopped_) return;
  ++records_seen_;
  sink_.on_record(record);
}

void TopicConsumer::read_to_end(std::function<void()> handler) {
  end_handlers_.push_back(std::move(handler));
  const auto partitions = partitions_;
  for (const auto& partition : partitions) partition->ask_end();
}

bool TopicConsumer::is_at_end() const {
  return std::ranges::all_of(partitions_, [](const auto& p) { return p->is_at_end(); });
}

void TopicConsumer::on_consumer_end() {
  if (!is_at_end()) return;
  for (const auto& handler : std::exchange(end_handlers_, {})) handler();
}

void TopicConsumer::stop() {
  if (std::exchange(is_stopped_, true)) return;
  retry_timers_.clear();
  for (const auto& partition : partitions_) partition->stop();
  finish_open(base::Error{base::Errc::cancelled, "the consumer was stopped"});
  for (const auto& handler : std::exchange(end_handlers_, {})) handler();
}

}  // namespace flow::streaming::pulsar

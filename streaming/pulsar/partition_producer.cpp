// SPDX-License-Identifier: Apache-2.0
#include "streaming/pulsar/partition_producer.hpp"

#include <algorithm>

#include "base/bytes.hpp"
#include "base/check.hpp"

namespace flow::streaming::pulsar {

using base::Errc;

namespace {

constexpr std::size_t spare_tickets_max = 64;
// Before the properties and key of a message: sizes, ids, and the stamp's two properties.
constexpr std::size_t message_overhead_bytes = 160;

// What SEND carries behind its command is as it was when it was sealed.
bool is_intact(const Bytes& frame) {
  const std::size_t command = base::load_be32(frame.data() + 4);
  return split_entry(ByteView(frame).subspan(8 + command)).has_value();
}

}  // namespace

PartitionProducer::PartitionProducer(Client& client, Owner& owner, const ProducerConfig& config,
                                     Options options)
    : client_(client),
      owner_(owner),
      config_(config),
      options_(std::move(options)),
      producer_id_(client.next_id()),
      linger_timer_(client.timers(), [this](base::TimePoint) { seal(); }),
      retry_timer_(client.timers(), [this](base::TimePoint) { attempt(); }),
      send_timeout_timer_(client.timers(), [this](base::TimePoint now) { on_send_timeout(now); }) {}

// Without stop(): nobody hears of what was open, but the broker is told.
PartitionProducer::~PartitionProducer() {
  if (state_ == State::ready) {
    connection_->send(encode_close_producer(producer_id_, client_.next_id()));
  }
  leave_connection();
}

void PartitionProducer::start() {
  FLOW_CHECK(state_ == State::idle);
  attempt();
}

// --- The way to a broker ---

void PartitionProducer::attempt() {
  state_ = State::resolving;
  const std::uint64_t attempt = ++attempt_;
  // Wraps a handler so that it hears nothing once this producer is gone or has moved on.
  const auto mine = [weak = weak_from_this(), attempt](auto then) {
    return [weak, attempt, then](const auto& answer) {
      const auto self = weak.lock();
      if (!self || self->attempt_ != attempt) return;
      if (!answer) return self->retry(answer.error(), false);
      then(*self, *answer);
    };
  };
  const auto on_connection =
      mine([](PartitionProducer& self, const auto& connection) { self.create(connection); });
  if (assigned_) {
    const Address address = *std::exchange(assigned_, std::nullopt);
    return client_.connect(address, options_.connection_index, on_connection);
  }
  client_.lookup(options_.topic,
                 mine([on_connection](PartitionProducer& self, const Address& address) {
                   self.address_ = address;
                   self.client_.connect(address, self.options_.connection_index, on_connection);
                 }));
}

void PartitionProducer::create(const std::shared_ptr<Connection>& connection) {
  state_ = State::creating;
  connection_ = connection;
  message_bytes_max_ = connection->message_bytes_max();
  connection->attach(producer_id_, *this);
  const std::uint64_t request_id = client_.next_id();
  Bytes frame = encode_producer({.topic = options_.topic,
                                 .producer_id = producer_id_,
                                 .request_id = request_id,
                                 .name = name_,
                                 .epoch = epoch_++,
                                 .client_id = client_.options().client_id});
  connection->request(
      request_id, std::move(frame),
      [weak = weak_from_this(), attempt = attempt_](const Connection::Reply& reply) {
        const auto self = weak.lock();
        if (!self || self->attempt_ != attempt) return;
        if (reply) return self->on_created(*reply);
        if (reply.error().error.code == Errc::timed_out && self->connection_->is_ready()) {
          // A half-made producer at the broker would block the next attempt.
          self->connection_->send(
              encode_close_producer(self->producer_id_, self->client_.next_id()));
        }
        self->retry(reply.error(), false);
      });
}

void PartitionProducer::on_created(const Command& command) {
  const auto reply = command.type == command::producer_success ? ProducerReply::decode(command.body)
                                                               : std::nullopt;
  if (!reply) return connection_->close_for_protocol("a wrong answer to PRODUCER");
  name_ = reply->name;
  state_ = State::ready;
  if (queue_.empty()) backoff_.reset();
  reject_too_large();
  send_waiting();
  if (!std::exchange(was_ready_, true)) owner_.on_producer_ready();
}

// Everything that waits, oldest first; new entries come after it.
void PartitionProducer::send_waiting() {
  client_.counters().entries_resumed += queue_.size();
  for (const Entry& entry : queue_) connection_->send(entry.frame);
}

void PartitionProducer::leave_connection() {
  if (!connection_) return;
  connection_->detach_producer(producer_id_);
  connection_ = nullptr;
}

void PartitionProducer::retry(const Failure& failure, bool now) {
  leave_connection();
  ++attempt_;
  const bool is_busy = failure.server_error == server_error::producer_busy;
  if (failure.is_final || (is_busy && !was_ready_)) return end(failure);
  state_ = State::waiting;
  const auto delay = now ? base::Nanos{0} : backoff_.next(client_.random());
  retry_timer_.arm(client_.host().now() + delay);
  owner_.on_producer_failure(failure);
}

void PartitionProducer::on_connection_lost(const Failure& failure) {
  connection_ = nullptr;
  if (state_ != State::ended) retry(failure, false);
}

void PartitionProducer::on_closed_by_broker(std::string_view assigned_url) {
  std::optional<net::HostPort> proxy;
  if (address_.logical != address_.physical) proxy = address_.physical;
  if (!assigned_url.empty()) {
    if (const auto address = client_.address_of(assigned_url, proxy)) assigned_ = *address;
  }
  connection_ = nullptr;
  retry({.error = {Errc::io, fmt::format("pulsar topic {}: unloaded", options_.topic)}},
        assigned_.has_value());
}

// For good: whatever waits is open for ever.
void PartitionProducer::end(const Failure& failure) {
  const base::TimePoint now = client_.host().now();
  const bool is_terminated = failure.server_error == server_error::topic_terminated;
  state_ = State::ended;
  retry_timer_.cancel();
  send_timeout_timer_.cancel();
  for (Entry& entry : queue_) decide(entry, Outcome::lost, now);
  queue_.clear();
  decide_open_batch(is_terminated ? Outcome::rejected : Outcome::lost, now);
  Failure final_failure = failure;
  final_failure.is_final = true;
  owner_.on_producer_failure(final_failure);
}

void PartitionProducer::stop() {
  if (state_ == State::ready) {
    connection_->send(encode_close_producer(producer_id_, client_.next_id()));
  }
  leave_connection();
  ++attempt_;
  const bool was_ended = state_ == State::ended;
  state_ = State::ended;
  retry_timer_.cancel();
  send_timeout_timer_.cancel();
  if (was_ended) return;
  const base::TimePoint now = client_.host().now();
  for (Entry& entry : queue_) decide(entry, Outcome::lost, now);
  queue_.clear();
  decide_open_batch(Outcome::lost, now);
}

// --- Messages ---

void PartitionProducer::publish(Ticket ticket, const Message& message) {
  const base::TimePoint now = client_.host().now();
  const std::size_t bytes = message.key.size() + message.payload.size();
  const std::size_t encoded = bytes + message_overhead_bytes + message.stamp.other_state.size();
  if (state_ == State::ended || encoded > uncompressed_bytes_max) {
    const Delivery refused{Outcome::rejected, now, options_.partition};
    return owner_.decide(std::span(&ticket, 1), bytes, refused);
  }
  if (!batch_.empty() && batch_.bytes() + encoded > config_.batch_bytes_max) seal();
  if (batch_.empty()) {
    batch_since_ = now;
    linger_timer_.arm(now + config_.linger);
  }
  batch_.append(message.key, message.stamp, message.payload, next_sequence_id_++);
  batch_tickets_.push_back(ticket);
  batch_bytes_ += bytes;
  if (batch_.count() >= config_.batch_messages_max || batch_.bytes() >= config_.batch_bytes_max) {
    seal();
  }
}

void PartitionProducer::flush() { seal(); }

void PartitionProducer::seal() {
  linger_timer_.cancel();
  if (batch_.empty()) return;
  SendFrame frame = encode_batch({.producer_id = producer_id_,
                                  .producer_name = name_,
                                  .publish_time_ms = client_.host().unix_ms(),
                                  .compression = config_.compression},
                                 batch_, scratch_);
  Entry& entry = queue_.emplace_back();
  entry.first = batch_.first_sequence_id();
  entry.last = batch_.last_sequence_id();
  entry.frame = std::make_shared<const Bytes>(std::move(frame.bytes));
  entry.message_bytes = frame.message_bytes;
  entry.tickets = std::move(batch_tickets_);
  entry.bytes = std::exchange(batch_bytes_, 0);
  entry.deadline = batch_since_ + config_.send_timeout;
  batch_.clear();
  batch_tickets_.clear();
  if (!spare_tickets_.empty()) {
    batch_tickets_ = std::move(spare_tickets_.back());
    spare_tickets_.pop_back();
  }
  if (entry.message_bytes > message_bytes_max_) return reject_too_large();
  if (queue_.size() == 1) arm_send_timeout();
  if (state_ == State::ready) connection_->send(entry.frame);
}

void PartitionProducer::decide(Entry& entry, Outcome outcome, base::TimePoint at) {
  owner_.decide(entry.tickets, entry.bytes, {outcome, at, options_.partition});
  entry.tickets.clear();
  if (spare_tickets_.size() < spare_tickets_max) spare_tickets_.push_back(std::move(entry.tickets));
}

void PartitionProducer::decide_open_batch(Outcome outcome, base::TimePoint at) {
  linger_timer_.cancel();
  if (batch_.empty()) return;
  owner_.decide(batch_tickets_, std::exchange(batch_bytes_, 0), {outcome, at, options_.partition});
  batch_tickets_.clear();
  batch_.clear();
}

// A broker drops the connection over an entry above its bound: it never gets one.
void PartitionProducer::reject_too_large() {
  const base::TimePoint now = client_.host().now();
  std::erase_if(queue_, [&](Entry& entry) {
    const bool is_too_large = entry.message_bytes > message_bytes_max_;
    if (is_too_large) decide(entry, Outcome::rejected, now);
    return is_too_large;
  });
}

// --- What the broker says to them ---

void PartitionProducer::on_receipt(const Receipt& receipt, base::TimePoint at) {
  if (queue_.empty() || receipt.sequence_id < queue_.front().first) {
    ++client_.counters().receipts_ignored;  // Decided before, by the send timeout.
    return;
  }
  Entry& head = queue_.front();
  const bool is_whole = receipt.highest_sequence_id <= receipt.sequence_id ||
                        receipt.highest_sequence_id == head.last;
  if (receipt.sequence_id != head.first || !is_whole) return close_mismatched(receipt);
  if (receipt.id.ledger == no_id && receipt.id.entry == no_id) {
    ++client_.counters().receipts_not_stored;
  }
  decide(head, Outcome::acked, at);
  queue_.pop_front();
  backoff_.reset();
}

// Broker and client disagree about what was sent: begin again from what is known.
void PartitionProducer::close_mismatched(const Receipt& receipt) {
  ++client_.counters().receipts_mismatched;
  connection_->close_for_protocol(fmt::format("a receipt for {}..{}, expected {}..{}",
                                              receipt.sequence_id, receipt.highest_sequence_id,
                                              queue_.front().first, queue_.front().last));
}

void PartitionProducer::on_send_failure(const SendFailure& failure, base::TimePoint at) {
  const auto entry = std::ranges::find_if(queue_, [&](const Entry& candidate) {
    return candidate.last == failure.sequence_id || candidate.first == failure.sequence_id;
  });
  if (entry == queue_.end()) {
    ++client_.counters().receipts_ignored;
    return;
  }
  const bool is_refused = failure.error == server_error::not_allowed ||
                          (failure.error == server_error::checksum && !is_intact(*entry->frame));
  if (is_refused) {
    decide(*entry, Outcome::rejected, at);
    queue_.erase(entry);
  } else if (failure.error == server_error::topic_terminated) {
    on_terminated(entry, failure, at);
  } else if (failure.error == server_error::producer_fenced) {
    leave_connection();
    end(failure_of(fmt::format("pulsar topic {}", options_.topic), failure.error, failure.text));
  } else {
    // Everybody on this connection comes back; everything that waits is sent again.
    connection_->close(
        {.error = {Errc::refused, fmt::format("pulsar topic {}: SEND: {}: {}", options_.topic,
                                              server_error::name(failure.error), failure.text)},
         .server_error = failure.error});
  }
}

// Nothing from this entry on is stored; of those before it nobody knows.
void PartitionProducer::on_terminated(std::deque<Entry>::iterator from, const SendFailure& failure,
                                      base::TimePoint at) {
  for (auto entry = from; entry != queue_.end(); ++entry) decide(*entry, Outcome::rejected, at);
  queue_.erase(from, queue_.end());
  leave_connection();
  end(failure_of(fmt::format("pulsar topic {}", options_.topic), failure.error, failure.text));
}

void PartitionProducer::arm_send_timeout() {
  if (config_.send_timeout.count() == 0 || queue_.empty()) return;
  send_timeout_timer_.arm(queue_.front().deadline);
}

void PartitionProducer::on_send_timeout(base::TimePoint now) {
  while (!queue_.empty() && queue_.front().deadline <= now) {
    decide(queue_.front(), Outcome::timed_out, now);
    queue_.pop_front();
  }
  arm_send_timeout();
}

}  // namespace flow::streaming::pulsar

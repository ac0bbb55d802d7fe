// SPDX-License-Identifier: Apache-2.0
#include "streaming/pulsar/partition_consumer.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace flow::streaming::pulsar {

using base::Errc;

PartitionConsumer::PartitionConsumer(Client& client, Owner& owner, Options options)
    : client_(client),
      owner_(owner),
      options_(std::move(options)),
      consumer_id_(client.next_id()),
      retry_timer_(client.timers(), [this](base::TimePoint) { attempt(); }) {}

PartitionConsumer::~PartitionConsumer() {
  if (state_ == State::ready) {
    connection_->send(encode_close_consumer(consumer_id_, client_.next_id()));
  }
  leave_connection();
}

void PartitionConsumer::start() {
  FLOW_CHECK(state_ == State::idle);
  attempt();
}

// --- The way to a broker ---

void PartitionConsumer::attempt() {
  state_ = State::resolving;
  const std::uint64_t attempt = ++attempt_;
  const auto mine = [weak = weak_from_this(), attempt](auto then) {
    return [weak, attempt, then](const auto& answer) {
      const auto self = weak.lock();
      if (!self || self->attempt_ != attempt) return;
      if (!answer) return self->retry(answer.error());
      then(*self, *answer);
    };
  };
  const auto on_connection =
      mine([](PartitionConsumer& self, const auto& connection) { self.subscribe(connection); });
  if (assigned_) {
    const Address address = *std::exchange(assigned_, std::nullopt);
    return client_.connect(address, 0, on_connection);
  }
  client_.lookup(options_.topic,
                 mine([on_connection](PartitionConsumer& self, const Address& address) {
                   self.address_ = address;
                   self.client_.connect(address, 0, on_connection);
                 }));
}

void PartitionConsumer::subscribe(const std::shared_ptr<Connection>& connection) {
  state_ = State::subscribing;
  connection_ = connection;
  connection->attach(consumer_id_, *this);
  // The broker goes on at this entry or behind it: what comes again is filtered. A new name each
  // time, since the old subscription lives until the broker notices that its connection is dead.
  MessageId start = earliest;
  if (last_) start = {.ledger = last_->ledger, .entry = last_->entry};
  const std::string subscription =
      fmt::format("flow-reader-{:016x}-{}-{}", client_.options().seed, consumer_id_, attempt_);
  const std::uint64_t request_id = client_.next_id();
  Bytes frame = encode_subscribe({.topic = options_.topic,
                                  .subscription = subscription,
                                  .consumer_id = consumer_id_,
                                  .request_id = request_id,
                                  .start = start,
                                  .client_id = client_.options().client_id});
  connection->request(
      request_id, std::move(frame),
      [weak = weak_from_this(), attempt = attempt_](const Connection::Reply& reply) {
        const auto self = weak.lock();
        if (!self || self->attempt_ != attempt) return;
        if (reply) return self->on_subscribed();
        if (reply.error().error.code == Errc::timed_out && self->connection_->is_ready()) {
          self->connection_->send(
              encode_close_consumer(self->consumer_id_, self->client_.next_id()));
        }
        self->retry(reply.error());
      });
}

void PartitionConsumer::on_subscribed() {
  state_ = State::ready;
  backoff_.reset();
  permits_used_ = 0;
  connection_->send(encode_flow(consumer_id_, options_.receiver_queue));
  if (end_ == End::asked) end_ = End::wanted;  // The answer went with the old connection.
  if (end_ == End::wanted) send_end_request();
  if (!std::exchange(was_ready_, true)) owner_.on_consumer_ready();
}

void PartitionConsumer::leave_connection() {
  if (!connection_) return;
  connection_->detach_consumer(consumer_id_);
  connection_ = nullptr;
}

void PartitionConsumer::retry(const Failure& failure) {
  leave_connection();
  ++attempt_;
  if (failure.is_final) {
    state_ = State::ended;
  } else {
    state_ = State::waiting;
    const auto delay = assigned_ ? base::Nanos{0} : backoff_.next(client_.random());
    retry_timer_.arm(client_.host().now() + delay);
  }
  owner_.on_consumer_failure(failure);
}

void PartitionConsumer::on_connection_lost(const Failure& failure) {
  connection_ = nullptr;
  if (state_ != State::ended) retry(failure);
}

void PartitionConsumer::on_closed_by_broker(std::string_view assigned_url) {
  std::optional<net::HostPort> proxy;
  if (address_.logical != address_.physical) proxy = address_.physical;
  if (!assigned_url.empty()) {
    if (const auto address = client_.address_of(assigned_url, proxy)) assigned_ = *address;
  }
  connection_ = nullptr;
  retry({.error = {Errc::io, fmt::format("pulsar topic {}: unloaded", options_.topic)}});
}

void PartitionConsumer::stop() {
  if (state_ == State::ready) {
    connection_->send(encode_close_consumer(consumer_id_, client_.next_id()));
  }
  leave_connection();
  ++attempt_;
  state_ = State::ended;
  retry_timer_.cancel();
}

// --- Records ---

void PartitionConsumer::on_message(const MessageHeader& header, ByteView rest, base::TimePoint at) {
  if (state_ != State::ready) return;
  const auto self = shared_from_this();  // The application may drop the consumer.
  const auto count = reader_.open(rest);
  if (!count) return on_damaged(header, count.error());
  if (damaged_ == header.id) damaged_.reset();
  reader_.for_each([&](const EntryMessage& message) {
    return hand_over(header.id, message, at) && state_ == State::ready;
  });
  if (state_ != State::ready) return;
  return_permits(std::max(*count, 1U), header.id);
  if (end_ == End::known && is_at_end()) owner_.on_consumer_end();
}

bool PartitionConsumer::hand_over(const MessageId& id, const EntryMessage& message,
                                  base::TimePoint at) {
  const Position position{id.ledger, id.entry, message.index};
  if (last_ && position <= *last_) {
    ++client_.counters().records_filtered;
    return true;
  }
  last_ = position;
  Record record;
  record.topic = options_.topic_id;
  record.partition = options_.partition;
  record.position = position;
  record.key = message.key;
  record.payload = message.payload;
  record.stamp = message.stamp;
  record.seen_at = at;
  owner_.on_record(record);
  return true;
}

// Read once more over a new connection; the same damage again is in the log, or in the broker.
void PartitionConsumer::on_damaged(const MessageHeader& header, const base::Error& error) {
  ++client_.counters().entries_damaged;
  const std::string what = fmt::format("pulsar topic {}: entry {}:{}: {}", options_.topic,
                                       header.id.ledger, header.id.entry, error.what);
  if (damaged_ == header.id) {
    connection_->send(encode_close_consumer(consumer_id_, client_.next_id()));
    return retry({.error = {Errc::protocol, what}, .server_error = -1, .is_final = true});
  }
  damaged_ = header.id;
  connection_->close_for_protocol(what);
}

// A permit is one message. Half of the queue is returned at a time, and the cursor moved on, so
// that the broker may forget what it keeps for this reader.
void PartitionConsumer::return_permits(std::uint32_t count, const MessageId& last) {
  permits_used_ += count;
  if (permits_used_ < std::max(1U, options_.receiver_queue / 2)) return;
  connection_->send(encode_ack(consumer_id_, true, {.ledger = last.ledger, .entry = last.entry}));
  connection_->send(encode_flow(consumer_id_, std::exchange(permits_used_, 0)));
}

// --- The end ---

void PartitionConsumer::ask_end() {
  end_ = End::wanted;
  end_position_.reset();
  if (state_ == State::ready) send_end_request();
}

bool PartitionConsumer::is_at_end() const {
  if (end_ != End::known) return false;
  if (!end_position_) return true;
  return last_ && std::pair(last_->ledger, last_->entry) >=
                      std::pair(end_position_->ledger, end_position_->entry);
}

void PartitionConsumer::send_end_request() {
  end_ = End::asked;
  const std::uint64_t id = client_.next_id();
  connection_->request(
      id, encode_get_last_message_id(consumer_id_, id),
      [weak = weak_from_this(), attempt = attempt_](const Connection::Reply& reply) {
        const auto self = weak.lock();
        if (self && self->attempt_ == attempt) self->on_end_reply(reply);
      });
}

void PartitionConsumer::on_end_reply(const Connection::Reply& reply) {
  if (end_ != End::asked) return;
  if (!reply) {
    // Once more over a new subscription, unless it is hopeless.
    if (connection_->is_ready()) {
      connection_->send(encode_close_consumer(consumer_id_, client_.next_id()));
    }
    return retry(reply.error());
  }
  const auto last = reply->type == command::get_last_message_id_response
                        ? LastMessageIdReply::decode(reply->body)
                        : std::nullopt;
  if (!last) return connection_->close_for_protocol("a wrong answer to GET_LAST_MESSAGE_ID");
  end_ = End::known;
  if (last->id.entry != no_id) end_position_ = Position{last->id.ledger, last->id.entry, 0};
  if (is_at_end()) owner_.on_consumer_end();
}

}  // namespace flow::streaming::pulsar

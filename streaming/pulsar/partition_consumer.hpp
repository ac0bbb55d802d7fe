// Reads one partition from its earliest record, without sockets or clocks: an exclusive, not
// durable subscription, permits, and the way back after a lost connection.
//   resolving -> subscribing -> ready -> waiting (backoff) -> resolving … | ended
// Invariant: positions handed over only grow. After a reconnect the broker is asked to go on at the
// last one, and what it sends again is filtered out: no gap, no duplicate.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "streaming/driver.hpp"
#include "streaming/pulsar/backoff.hpp"
#include "streaming/pulsar/client.hpp"
#include "streaming/pulsar/entry.hpp"

namespace flow::streaming::pulsar {

class PartitionConsumer final : public ConsumerEvents,
                                public std::enable_shared_from_this<PartitionConsumer> {
 public:
  class Owner {
   public:
    virtual void on_record(const Record& record) = 0;              // May stop the consumer.
    virtual void on_consumer_ready() = 0;                          // The first time only.
    virtual void on_consumer_failure(const Failure& failure) = 0;  // Final: it has ended.
    virtual void on_consumer_end() = 0;  // The end that was asked for was reached.

   protected:
    ~Owner() = default;
  };
  struct Options {
    std::string topic;  // Full name of the partition.
    TopicId topic_id{};
    std::int32_t partition = 0;
    std::uint32_t receiver_queue = 1000;
  };

  PartitionConsumer(Client& client, Owner& owner, Options options);
  ~PartitionConsumer();

  void start();
  void stop();

  // Asks where the partition ends now; is_at_end() once everything before it was handed over.
  void ask_end();
  bool is_at_end() const;

  void on_message(const MessageHeader& header, ByteView rest, base::TimePoint at) override;
  void on_closed_by_broker(std::string_view assigned_url) override;
  void on_connection_lost(const Failure& failure) override;

 private:
  enum class State : std::uint8_t { idle, resolving, subscribing, ready, waiting, ended };
  enum class End : std::uint8_t { not_wanted, wanted, asked, known };

  void attempt();
  void subscribe(const std::shared_ptr<Connection>& connection);
  void on_subscribed();
  void retry(const Failure& failure);
  void leave_connection();
  void on_damaged(const MessageHeader& header, const base::Error& error);
  bool hand_over(const MessageId& id, const EntryMessage& message, base::TimePoint at);
  void return_permits(std::uint32_t count, const MessageId& last);
  void send_end_request();
  void on_end_reply(const Connection::Reply& reply);

  Client& client_;
  Owner& owner_;
  const Options options_;
  const std::uint64_t consumer_id_;

  State state_ = State::idle;
  std::uint64_t attempt_ = 0;
  std::shared_ptr<Connection> connection_;
  Address address_;
  std::optional<Address> assigned_;
  bool was_ready_ = false;
  Backoff backoff_;
  std::optional<Position> last_;  // Handed over.
  std::uint32_t permits_used_ = 0;
  std::optional<MessageId> damaged_;  // Read once more before giving up.
  End end_ = End::not_wanted;
  std::optional<Position> end_position_;  // Empty while known: the partition is empty.
  EntryReader reader_;
  Timer retry_timer_;
};

}  // namespace flow::streaming::pulsar

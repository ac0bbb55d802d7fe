// SPDX-License-Identifier: Apache-2.0
#include "streaming/pulsar/connection.hpp"

#include "base/check.hpp"

namespace flow::streaming::pulsar {

using base::Errc;

namespace {

constexpr std::int32_t message_bytes_limit = 1 << 30;  // More is not believed.

// Asking again cannot change these answers.
bool is_final_error(int error) {
  switch (error) {
    case server_error::authentication:
    case server_error::authorization:
    case server_error::unsupported_version:
    case server_error::topic_not_found:
    case server_error::topic_terminated:
    case server_error::invalid_topic_name:
    case server_error::incompatible_schema:
    case server_error::not_allowed:
    case server_error::producer_fenced:
      return true;
    default:
      return false;
  }
}

}  // namespace

Failure failure_of(std::string_view subject, int error, std::string_view text) {
  return {
      .error = {Errc::refused, fmt::format("{}: {}: {}", subject, server_error::name(error), text)},
      .server_error = error,
      .is_final = is_final_error(error)};
}

Connection::Connection(ConnectionId id, Host& host, TimerQueue& timers, Counters& counters,
                       ConnectionOptions options, std::function<void()> on_gone)
    : id_(id),
      host_(host),
      timers_(timers),
      counters_(counters),
      options_(std::move(options)),
      on_gone_(std::move(on_gone)),
      reader_(message_bytes_max_default + frame_slack_bytes),
      connect_timer_(timers,
                     [this](base::TimePoint) {
                       close(failure(Errc::timed_out, "no connection within 10 s"));
                     }),
      keep_alive_timer_(timers, [this](base::TimePoint now) { on_keep_alive(now); }) {
  connect_timer_.arm(host_.now() + connect_timeout);
}

Failure Connection::failure(Errc code, std::string_view what) const {
  return {.error = {code, fmt::format("{}: {}", options_.subject, what)}};
}

void Connection::when_ready(ReadyHandler handler) {
  if (state_ == State::ready) return handler(std::nullopt);
  if (state_ == State::closed) return handler(lost_);
  waiting_.push_back(std::move(handler));
}

void Connection::request(std::uint64_t request_id, Bytes frame, ReplyHandler handler) {
  FLOW_CHECK(is_ready());
  Request& request = requests_[request_id];
  request.handler = std::move(handler);
  request.deadline = std::make_unique<Timer>(timers_, [this, request_id](base::TimePoint) {
    const auto self = shared_from_this();
    answer(request_id, std::unexpected(failure(Errc::timed_out, "no answer within 30 s")));
  });
  request.deadline->arm(host_.now() + request_timeout);
  send(std::move(frame));
}

// Once: taken out of the table first, since the handler may do anything.
void Connection::answer(std::uint64_t request_id, const Reply& reply) {
  const auto found = requests_.find(request_id);
  if (found == requests_.end()) return;
  const Request request = std::move(found->second);
  requests_.erase(found);
  request.handler(reply);
}

// The order keeps races away: nobody finds the connection any more when its users hear of the
// loss, and a user that heard of it ignores what becomes of its requests.
void Connection::close(Failure why) {
  if (state_ == State::closed) return;
  const auto self = shared_from_this();
  const bool was_opened = state_ != State::opening;
  state_ = State::closed;
  lost_ = std::move(why);
  if (was_opened) ++counters_.connections_lost;
  connect_timer_.cancel();
  keep_alive_timer_.cancel();
  host_.close(id_);
  on_gone_();
  for (const auto& [id, events] : std::exchange(producers_, {})) {
    events->on_connection_lost(*lost_);
  }
  for (const auto& [id, events] : std::exchange(consumers_, {})) {
    events->on_connection_lost(*lost_);
  }
  for (const auto& [id, request] : std::exchange(requests_, {})) {
    request.handler(std::unexpected(*lost_));
  }
  for (const auto& handler : std::exchange(waiting_, {})) handler(lost_);
}

void Connection::close_for_protocol(const std::string& what) {
  if (state_ == State::closed) return;
  ++counters_.protocol_errors;
  close(failure(Errc::protocol, what));
}

void Connection::on_open() {
  if (state_ != State::opening) return;
  state_ = State::handshaking;
  ++counters_.connections_opened;
  send(encode_connect({.client_version = options_.client_version,
                       .token = options_.token,
                       .proxy_to = options_.proxy_to}));
}

void Connection::on_read(std::size_t bytes, base::TimePoint at) {
  const auto self = shared_from_this();  // A frame may end this connection.
  reader_.commit(bytes);
  while (state_ == State::handshaking || state_ == State::ready) {
    const auto frame = reader_.pull();
    if (!frame) return close_for_protocol(frame.error().what);
    if (!*frame) return;
    on_frame(**frame, at);
  }
}

void Connection::on_frame(const Frame& frame, base::TimePoint at) {
  const auto command = decode_command(frame.command);
  if (!command) return close_for_protocol("a malformed command");
  // Any frame but the broker's own PING proves that it reads what we send.
  if (command->type != command::ping) is_probing_ = false;
  if (state_ == State::handshaking) return on_handshake(*command);
  on_command(*command, frame, at);
}

void Connection::malformed(const Command& command) {
  close_for_protocol(fmt::format("a malformed command of type {}", command.type));
}

void Connection::on_handshake(const Command& command) {
  switch (command.type) {
    case command::connected:
      return on_connected(command);
    case command::error:
      return on_handshake_error(command);
    case command::auth_challenge:
      return send(encode_auth_response(options_.client_version, options_.token));
    case command::ping:
      return;  // Nothing but AUTH_RESPONSE may be sent yet.
    default:
      close_for_protocol(fmt::format("a command of type {} before CONNECTED", command.type));
  }
}

void Connection::on_connected(const Command& command) {
  const auto connected = Connected::decode(command.body);
  if (!connected) return malformed(command);
  if (connected->message_bytes_max > 0 && connected->message_bytes_max <= message_bytes_limit) {
    message_bytes_max_ = static_cast<std::uint32_t>(connected->message_bytes_max);
  }
  reader_.set_frame_bytes_max(message_bytes_max_ + frame_slack_bytes);
  state_ = State::ready;
  connect_timer_.cancel();
  keep_alive_timer_.arm(host_.now() + keep_alive);
  for (const auto& handler : std::exchange(waiting_, {})) {
    handler(is_closed() ? lost_ : std::nullopt);  // A handler may have closed it.
  }
}

void Connection::on_handshake_error(const Command& command) {
  const auto error = ErrorReply::decode(command.body);
  if (!error) return malformed(command);
  close(failure_of(options_.subject, error->error, error->text));
}

void Connection::on_keep_alive(base::TimePoint now) {
  if (is_probing_) {
    return close(failure(Errc::timed_out, "the broker has been silent for 30 s after a PING"));
  }
  is_probing_ = true;
  send(encode_ping());
  keep_alive_timer_.arm(now + keep_alive);
}

void Connection::on_command(const Command& command, const Frame& frame, base::TimePoint at) {
  switch (command.type) {
    case command::ping:
      return send(encode_pong());
    case command::pong:
      return;
    case command::auth_challenge:
      return send(encode_auth_response(options_.client_version, options_.token));
    case command::connected:
      return close_for_protocol("a second CONNECTED");
    case command::topic_migrated:
      return close_for_protocol("the topic has moved to a new cluster");
    default:
      break;
  }
  const bool is_known = on_producer_command(command, at) ||
                        on_consumer_command(command, frame, at) || on_reply(command);
  if (!is_known) ++counters_.unknown_commands;
}

bool Connection::on_producer_command(const Command& command, base::TimePoint at) {
  const auto events = [this](std::uint64_t id) {
    const auto found = producers_.find(id);
    return found == producers_.end() ? nullptr : found->second;  // Closed before: ignored.
  };
  if (command.type == command::send_receipt) {
    const auto receipt = Receipt::decode(command.body);
    if (!receipt) return malformed(command), true;
    if (auto* producer = events(receipt->producer_id)) producer->on_receipt(*receipt, at);
  } else if (command.type == command::send_error) {
    const auto failure = SendFailure::decode(command.body);
    if (!failure) return malformed(command), true;
    if (auto* producer = events(failure->producer_id)) producer->on_send_failure(*failure, at);
  } else if (command.type == command::close_producer) {
    const auto closed = ClosedByBroker::decode(command.body);
    if (!closed) return malformed(command), true;
    auto* producer = events(closed->id);
    producers_.erase(closed->id);
    if (producer) producer->on_closed_by_broker(closed->assigned_url);
  } else {
    return false;
  }
  return true;
}

bool Connection::on_consumer_command(const Command& command, const Frame& frame,
                                     base::TimePoint at) {
  if (command.type == command::message) {
    const auto header = MessageHeader::decode(command.body);
    if (!header) return malformed(command), true;
    const auto found = consumers_.find(header->consumer_id);
    if (found != consumers_.end()) found->second->on_message(*header, frame.rest, at);
  } else if (command.type == command::close_consumer) {
    const auto closed = ClosedByBroker::decode(command.body);
    if (!closed) return malformed(command), true;
    const auto found = consumers_.find(closed->id);
    if (found == consumers_.end()) return true;
    ConsumerEvents* const consumer = found->second;
    consumers_.erase(found);
    consumer->on_closed_by_broker(closed->assigned_url);
  } else {
    return false;
  }
  return true;
}

bool Connection::on_reply(const Command& command) {
  const auto reply = [&](const auto& decoded) {
    if (!decoded) return malformed(command);
    answer(decoded->request_id, command);
  };
  switch (command.type) {
    case command::error: {
      const auto error = ErrorReply::decode(command.body);
      if (!error) return malformed(command), true;
      answer(error->request_id,
             std::unexpected(failure_of(options_.subject, error->error, error->text)));
      return true;
    }
    case command::producer_success: {
      const auto ready = ProducerReply::decode(command.body);
      if (ready && !ready->ready) {
        // The name is kept waiting by another producer; a second answer comes, without a deadline.
        const auto found = requests_.find(ready->request_id);
        if (found != requests_.end()) found->second.deadline->cancel();
        return true;
      }
      return reply(ready), true;
    }
    case command::success:
      return reply(SuccessReply::decode(command.body)), true;
    case command::partitioned_metadata_response:
      return reply(PartitionsReply::decode(command.body)), true;
    case command::lookup_response:
      return reply(LookupReply::decode(command.body)), true;
    case command::get_last_message_id_response:
      return reply(LastMessageIdReply::decode(command.body)), true;
    default:
      return false;
  }
}

}  // namespace flow::streaming::pulsar

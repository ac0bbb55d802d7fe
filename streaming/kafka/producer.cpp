// SPDX-License-Identifier: Apache-2.0
#include "streaming/kafka/producer.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <librdkafka/rdkafka.h>

#include "base/check.hpp"
#include "base/stamp.hpp"
#include "streaming/kafka/outcome.hpp"
#include "streaming/partitioner.hpp"

namespace flow::streaming::kafka {
namespace {

using base::Errc;
using base::fail;
using base::Result;
using base::TimePoint;

constexpr int events_max = 64;  // Per turn of the thread; one event holds a batch's deliveries.
constexpr std::uint32_t no_slot = ~std::uint32_t{0};

void* opaque_of(std::uint32_t slot) { return reinterpret_cast<void*>(std::uintptr_t{slot} + 1); }
std::uint32_t slot_of(void* opaque) {
  return static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(opaque) - 1);
}

rd_kafka_headers_t* headers_of(const base::Stamp& stamp) {
  if (stamp.trial == 0) return nullptr;
  rd_kafka_headers_t* headers = rd_kafka_headers_new(2);
  const auto add = [&](std::string_view name, const std::string& value) {
    rd_kafka_header_add(headers, name.data(), static_cast<ssize_t>(name.size()), value.data(),
                        static_cast<ssize_t>(value.size()));
  };
  add(base::traceparent_name, base::format_traceparent(stamp));
  const std::string state = base::format_tracestate(stamp);
  if (!state.empty()) add(base::tracestate_name, state);
  return headers;
}

}  // namespace

KafkaProducer::KafkaProducer(net::IoThread& io, std::shared_ptr<Blocking> blocking,
                             std::shared_ptr<Client> client, const ProducerConfig& config,
                             DeliverySink& sink)
    : io_(io),
      blocking_(std::move(blocking)),
      client_(std::move(client)),
      config_(config),
      sink_(sink),
      slots_(config.queue_messages_max),
      next_without_key_(client_->topics().size()),
      bridge_(io, [this] { return pull(); }) {
  for (std::uint32_t i = 0; i < slots_.size(); ++i) {
    slots_[i].next_free = i + 1 < slots_.size() ? i + 1 : no_slot;
  }
  client_->write_wakes_to(bridge_.fd());
  bridge_.wake();  // What was queued before the descriptor was known.
}

bool KafkaProducer::has_room() const {
  return queued() < slots_.size() && open_bytes_ < std::size_t{config_.queue_kbytes_max} * 1024;
}

bool KafkaProducer::reserve() {
  if (!has_room()) return false;
  ++reserved_;
  return true;
}

void KafkaProducer::release() {
  FLOW_CHECK(reserved_ > 0);
  --reserved_;
}

Admission KafkaProducer::try_publish(Ticket ticket, const Message& message, bool reserved) {
  FLOW_CHECK(!stopped_);
  if (reserved) {
    release();
  } else if (!has_room()) {
    return Admission::queue_full;
  }
  const auto id = static_cast<std::size_t>(message.topic);
  FLOW_CHECK(id < client_->topics().size());
  const std::int32_t partitions = client_->topics()[id].partitions;
  std::int32_t& turn = next_without_key_[id];
  const std::int32_t partition =
      message.key.empty() ? turn++ % partitions : partition_of(message.key, partitions);
  if (turn == partitions) turn = 0;

  const std::uint32_t slot = take_slot(ticket, message.key.size() + message.payload.size());
  const int error = produce(message, partition, slot);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
    // Never handed to librdkafka's queue, so surely not stored.
    const Outcome outcome = outcome_of(error, RD_KAFKA_MSG_STATUS_NOT_PERSISTED);
    refused_.push_back({slot, {outcome, base::now(), partition}});
    bridge_.wake();
  }
  return Admission::accepted;
}

std::uint32_t KafkaProducer::take_slot(Ticket ticket, std::size_t bytes) {
  const std::uint32_t slot = first_free_;
  FLOW_CHECK(slot != no_slot);
  first_free_ = slots_[slot].next_free;
  slots_[slot] = {ticket, static_cast<std::uint32_t>(bytes), 0, true};
  ++open_;
  open_bytes_ += bytes;
  return slot;
}

int KafkaProducer::produce(const Message& message, std::int32_t partition, std::uint32_t slot) {
  rd_kafka_headers_t* headers = headers_of(message.stamp);
  std::array<rd_kafka_vu_t, 7> parts{};
  parts[0] = {.vtype = RD_KAFKA_VTYPE_RKT,
              .u = {.rkt = client_->topics()[static_cast<std::size_t>(message.topic)].handle}};
  parts[1] = {.vtype = RD_KAFKA_VTYPE_PARTITION, .u = {.i32 = partition}};
  parts[2] = {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u = {.i = RD_KAFKA_MSG_F_COPY}};
  parts[3] = {.vtype = RD_KAFKA_VTYPE_OPAQUE, .u = {.ptr = opaque_of(slot)}};
  parts[4].vtype = RD_KAFKA_VTYPE_VALUE;
  parts[4].u.mem = {const_cast<std::byte*>(message.payload.data()), message.payload.size()};
  parts[5].vtype = RD_KAFKA_VTYPE_KEY;
  // librdkafka takes a null pointer for "no key".
  parts[5].u.mem = {message.key.empty() ? nullptr : const_cast<char*>(message.key.data()),
                    message.key.size()};
  parts[6] = {.vtype = RD_KAFKA_VTYPE_HEADERS, .u = {.headers = headers}};
  rd_kafka_error_t* error =
      rd_kafka_produceva(client_->handle(), parts.data(), headers ? parts.size() : 6);
  if (!error) return RD_KAFKA_RESP_ERR_NO_ERROR;
  const int code = rd_kafka_error_code(error);
  rd_kafka_error_destroy(error);
  if (headers) rd_kafka_headers_destroy(headers);  // Still ours after a failure.
  return code;
}

bool KafkaProducer::pull() {
  tell_refused();
  for (int n = 0; n < events_max; ++n) {
    rd_kafka_event_t* event = rd_kafka_queue_poll(client_->events(), 0);
    if (!event) return false;
    const TimePoint now = base::now();
    if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_DR) {
      take_deliveries(event, now);
    } else {
      client_->note(event);
    }
    rd_kafka_event_destroy(event);
    if (stopped_) return false;  // By the sink.
  }
  return true;
}

void KafkaProducer::take_deliveries(rd_kafka_event_t* event, TimePoint now) {
  while (const rd_kafka_message_t* message = rd_kafka_event_message_next(event)) {
    if (stopped_) return;  // By the sink; stop() has decided the rest.
    const auto status = rd_kafka_message_status(message);
    decide(slot_of(message->_private),
           {outcome_of(message->err, static_cast<int>(status)), now, message->partition});
  }
}

void KafkaProducer::tell_refused() {
  std::vector<Refused> refused;
  refused.swap(refused_);
  for (const Refused& one : refused) {
    if (stopped_) return;
    decide(one.slot, one.delivery);
  }
}

void KafkaProducer::decide(std::uint32_t index, const Delivery& delivery) {
  FLOW_CHECK(index < slots_.size() && slots_[index].is_open);
  Slot& slot = slots_[index];
  const Ticket ticket = slot.ticket;
  open_bytes_ -= slot.bytes;
  --open_;
  slot.is_open = false;
  slot.next_free = std::exchange(first_free_, index);
  sink_.on_delivery(ticket, delivery);
}

// rd_kafka_flush() ends the lingering of open batches for as long as it runs. It blocks, so it runs
// on a helper thread, in slices: our own count decides when all is done.
net::Task<Result<void>> KafkaProducer::drain(TimePoint deadline) {
  constexpr auto slice = std::chrono::milliseconds(50);
  const std::shared_ptr<bool> alive = alive_;
  const std::shared_ptr<Blocking> blocking = blocking_;
  while (*alive && open_ > 0) {
    if (base::now() >= deadline) {
      co_return fail(Errc::timed_out, "{}: {} publishes still open at the drain's deadline",
                     client_->subject(), open_);
    }
    const int wait_ms = milliseconds_until(std::min(deadline, base::now() + slice));
    auto flush = [client = client_, wait_ms] {
      return int{rd_kafka_flush(client->handle(), wait_ms)};
    };
    co_await blocking->call(std::move(flush));
  }
  if (!*alive) co_return fail(Errc::cancelled, "kafka producer: stopped while draining");
  co_return Result<void>{};
}

void KafkaProducer::stop() {
  if (stopped_) return;
  client_->stop_wakes();
  while (rd_kafka_event_t* event = rd_kafka_queue_poll(client_->events(), 0)) {
    // Answers that are here already are answers.
    if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_DR) take_deliveries(event, base::now());
    rd_kafka_event_destroy(event);
  }
  tell_refused();
  stopped_ = true;
  *alive_ = false;
  bridge_.stop();
  for (std::uint32_t slot = 0; slot < slots_.size(); ++slot) {
    if (slots_[slot].is_open) decide(slot, {Outcome::lost, base::now(), -1});
  }
  blocking_->run_later([client = std::move(client_)]() mutable { client.reset(); });
}

}  // namespace flow::streaming::kafka

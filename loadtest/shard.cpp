// SPDX-License-Identifier: Apache-2.0
#include "loadtest/shard.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <pthread.h>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>
#include <sys/eventfd.h>

#include "base/check.hpp"
#include "loadtest/customer.hpp"
#include "loadtest/thread_control.hpp"
#include "loadtest/visitors.hpp"

namespace flow::loadtest {

using base::Errc;
using base::fail;
using base::Result;

namespace {

constexpr int release_batch = 64;  // Requests between two looks at the sockets.
constexpr int error_status_min = 400;
constexpr std::size_t read_bytes = 256 * 1024;
constexpr std::uint64_t wake_tag = std::numeric_limits<std::uint64_t>::max();
constexpr std::uint32_t interest = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;

std::uint64_t tag_of(ConnectionId id, std::uint32_t generation) {
  return std::uint64_t{generation} << 32 | static_cast<std::uint32_t>(id);
}

// A customer needs a connection wherever its lane is: rounded up. Requests share what there is.
std::size_t connections_of(const LoadPlan& plan) {
  return (plan.connections_max + (plan.visits ? plan.shards - 1 : 0)) / plan.shards;
}

std::size_t spares_of(const LoadPlan& plan) {
  return (plan.connections_spare + plan.shards - 1) / plan.shards;
}

bool is_local_limit(int error) {
  return error == EMFILE || error == ENFILE || error == EADDRNOTAVAIL || error == ENOBUFS ||
         error == ENOMEM || error == EAGAIN;
}

std::int64_t unix_or_0(const base::ClockAnchor& anchor, TimePoint at) {
  return at == TimePoint{} ? 0 : base::count(anchor.to_unix(at));
}

}  // namespace

std::vector<Nanos> stripe_of(std::span<const Nanos> schedule, Stripe stripe) {
  std::vector<Nanos> slots;
  slots.reserve(schedule.size() / stripe.count + 1);
  for (std::size_t i = stripe.index; i < schedule.size(); i += stripe.count) {
    slots.push_back(schedule[i]);
  }
  return slots;
}

Shard::Shard(const LoadPlan& plan, const RequestWriter& writer, const Endpoint& endpoint,
             std::atomic<std::uint64_t>& numbers, Stripe stripe, TimePoint start,
             TimePoint deadline)
    : plan_(plan),
      writer_(writer),
      endpoint_(endpoint),
      stripe_(stripe),
      schedule_(stripe_of(plan.intended, stripe)),
      start_(start),
      deadline_(deadline),
      sender_(make_sender(numbers)),
      log_(requests_max_),
      sockets_(connections_of(plan)),
      buffer_(read_bytes) {}

// Sets requests_max_ too.
std::unique_ptr<Sender> Shard::make_sender(std::atomic<std::uint64_t>& numbers) {
  Wire& wire = *this;
  FinishedSink& sink = *this;
  const std::size_t connections_max = connections_of(plan_);
  if (plan_.visits) {
    auto visitors = std::make_unique<Visitors>(connections_max, *plan_.visits, stripe_, start_,
                                               numbers, wire, sink, live_);
    requests_max_ = visitors->requests_max();
    return visitors;
  }
  requests_max_ = schedule_.size();
  const DispatcherOptions options{.connections_max = connections_max,
                                  .connections_spare = spares_of(plan_)};
  return std::make_unique<Dispatcher>(options, schedule_, stripe_, start_, wire, sink, live_);
}

Result<void> Shard::prepare() {
  epoll_.reset(::epoll_create1(EPOLL_CLOEXEC));
  wake_.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  epoll_event event{.events = EPOLLIN, .data = {.u64 = wake_tag}};
  if (!epoll_ || !wake_ || ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_.get(), &event) != 0) {
    return fail(Errc::io, "load generator: epoll: {}", std::strerror(errno));
  }
  return {};
}

void Shard::request_stop(StopRequest request) {
  stop_.store(request);
  const std::uint64_t one = 1;
  (void)!::write(wake_.get(), &one, sizeof one);
}

void Shard::run() {
  ::pthread_setname_np(::pthread_self(), fmt::format("load-{}", stripe_.index).c_str());
  health_.priority = raise_priority();
  sender_->begin(base::now());
  const Nanos cpu_before = thread_cpu_time();
  loop();
  health_.cpu = thread_cpu_time() - cpu_before;
  health_.wall = std::max(Nanos{1}, base::now() - start_);
}

void Shard::loop() {
  while (!sender_->is_finished()) {
    const TimePoint now = base::now();
    obey_stop(now);
    if (now >= deadline_) return sender_->give_up(deadline_);
    sender_->release_due(now, release_batch);
    report_deferred();
    const int ready = wait(now);
    for (int i = 0; i < ready; ++i) {
      sender_->release_due(base::now(), release_batch);  // Sending on time comes first.
      on_event(events_[static_cast<std::size_t>(i)]);
    }
  }
}

void Shard::obey_stop(TimePoint now) {
  const StopRequest asked = stop_.load();
  if (asked == obeyed_) return;
  obeyed_ = asked;
  sender_->stop_releasing(now);
  deadline_ = std::min(deadline_, asked == StopRequest::now ? now : now + plan_.drain);
}

void Shard::report_deferred() {
  // Telling one may add others; they wait for the next round, which comes at once.
  const std::vector<Deferred> told = std::exchange(deferred_, {});
  for (const Deferred& event : told) {
    if (socket_of(event.id).generation != event.generation) continue;
    if (event.is_open_failure) {
      sender_->on_open_failed(event.id, event.at, is_local_limit(event.error));
    } else {
      sender_->on_broken(event.id, event.at, FailureCause::closed);
    }
  }
}

// Sleeps until something happens or is due. It does not spin towards the next start: sleeping meets
// the target (start error p99 below 0.2 ms) without eating the server's processor, and a spinning
// real-time thread would run into the kernel's throttle (sched_rt_runtime_us).
int Shard::wait(TimePoint now) {
  TimePoint until = deadline_;
  if (const auto due = sender_->next_due()) until = std::min(until, *due);
  Nanos left = std::max(Nanos{0}, until - now);
  if (!deferred_.empty() || sender_->is_finished()) left = Nanos{0};
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(left);
  const timespec timeout{.tv_sec = seconds.count(), .tv_nsec = (left - seconds).count()};
  const int count = static_cast<int>(events_.size());
  int ready = ::epoll_pwait2(epoll_.get(), events_.data(), count, &timeout, nullptr);
  if (ready < 0 && errno == ENOSYS) {  // Before Linux 5.11: milliseconds, the rest awake.
    const auto whole = std::chrono::duration_cast<std::chrono::milliseconds>(left).count();
    ready = ::epoll_wait(epoll_.get(), events_.data(), count,
                         static_cast<int>(std::min<std::int64_t>(whole, 60'000)));
  }
  return ready;
}

void Shard::on_event(const epoll_event& event) {
  if (event.data.u64 == wake_tag) {
    std::uint64_t count = 0;
    (void)!::read(wake_.get(), &count, sizeof count);
    return;
  }
  const ConnectionId id{static_cast<std::uint32_t>(event.data.u64)};
  Socket& socket = socket_of(id);
  const auto generation = static_cast<std::uint32_t>(event.data.u64 >> 32);
  if (socket.generation != generation || socket.phase == Phase::closed) return;
  if (socket.phase == Phase::connecting) finish_connect(id, socket);
  if (socket.generation == generation && socket.phase == Phase::writing &&
      (event.events & EPOLLOUT) != 0) {
    write_rest(id, socket);
  }
  constexpr std::uint32_t readable = EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR;
  const bool is_open = socket.phase != Phase::closed && socket.phase != Phase::connecting;
  if (socket.generation == generation && is_open && (event.events & readable) != 0) {
    read(id, socket, (event.events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0);
  }
}

void Shard::open(ConnectionId id) {
  Socket& socket = socket_of(id);
  Connecting attempt = begin_connect(endpoint_);
  if (attempt.error == 0) {
    epoll_event event{.events = interest, .data = {.u64 = tag_of(id, socket.generation)}};
    const int watched = ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, attempt.fd.get(), &event);
    if (watched != 0) attempt.error = errno;
  }
  if (attempt.error != 0) {
    deferred_.push_back({id, socket.generation, base::now(), true, attempt.error});
    return;
  }
  socket.fd = std::move(attempt.fd);
  socket.phase = Phase::connecting;
}

void Shard::finish_connect(ConnectionId id, Socket& socket) {
  const int error = connect_error(socket.fd);
  if (error != 0) {
    close(id);
    sender_->on_open_failed(id, base::now(), is_local_limit(error));
    return;
  }
  socket.phase = Phase::idle;
  sender_->on_open(id, base::now());
}

void Shard::send(ConnectionId id, const DueRequest& request) {
  Socket& socket = socket_of(id);
  socket.is_sign_in = false;
  socket.parser.collect_body(nullptr, 0);
  render(request, socket);
  socket.out_done = 0;
  socket.phase = Phase::writing;
  socket.parser.expect(/*to_head=*/false);
  write_rest(id, socket);
}

void Shard::write_rest(ConnectionId id, Socket& socket) {
  const std::string_view rest = std::string_view(socket.out).substr(socket.out_done);
  const ssize_t count = ::send(socket.fd.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
  const TimePoint now = base::now();
  if (count < 0) {
    if (errno == EAGAIN || errno == EINTR) return;  // EPOLLOUT follows.
    deferred_.push_back({id, socket.generation, now, false, errno});
    return;
  }
  socket.out_done += static_cast<std::size_t>(count);
  if (socket.out_done < socket.out.size()) return;
  socket.phase = Phase::awaiting;
  sender_->on_sent(id, now);
}

void Shard::close(ConnectionId id) {
  Socket& socket = socket_of(id);
  socket.fd.reset();
  socket.phase = Phase::closed;
  ++socket.generation;
}

// Edge-triggered: reads until the kernel has no more, which a short read proves unless the peer
// closed.
void Shard::read(ConnectionId id, Socket& socket, bool peer_closed) {
  const std::uint32_t generation = socket.generation;
  for (;;) {
    const ssize_t count = ::recv(socket.fd.get(), buffer_.data(), buffer_.size(), 0);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0) return on_end(id, socket, count == 0);
    const auto bytes = static_cast<std::size_t>(count);
    if (!on_bytes(id, socket, {buffer_.data(), bytes}, peer_closed)) return;
    if (socket.generation != generation) return;
    if (bytes < buffer_.size() && !peer_closed) return;
  }
}

// False when the connection is closed or no longer this request's.
bool Shard::on_bytes(ConnectionId id, Socket& socket, std::string_view bytes, bool peer_closed) {
  const TimePoint now = base::now();
  if (socket.phase != Phase::awaiting) {  // Bytes that nobody asked for.
    sender_->on_broken(id, now, FailureCause::protocol);
    return false;
  }
  const std::size_t taken = socket.parser.push(bytes);
  switch (socket.parser.state()) {
    case ResponseParser::State::reading:
      return true;
    case ResponseParser::State::malformed:
      sender_->on_broken(id, now, FailureCause::protocol);
      return false;
    case ResponseParser::State::complete:
      break;
  }
  const bool keeps = socket.parser.keeps_alive() && taken == bytes.size() && !peer_closed;
  on_answer(id, socket, now, keeps);
  return false;
}

void Shard::on_answer(ConnectionId id, Socket& socket, TimePoint now, bool keeps_alive) {
  const int status = socket.parser.status();
  if (socket.is_sign_in && status < error_status_min) {
    auto token = token_in(socket.body, "sign-in");
    if (!token) return sender_->on_broken(id, now, FailureCause::protocol);
    socket.token = std::move(*token);
  }
  socket.phase = Phase::idle;
  sender_->on_answered(id, now, status, keeps_alive);
}

void Shard::on_end(ConnectionId id, Socket& socket, bool is_orderly) {
  const TimePoint now = base::now();
  if (socket.phase == Phase::awaiting && is_orderly) {
    socket.parser.push_end();
    if (socket.parser.state() == ResponseParser::State::complete) {
      return on_answer(id, socket, now, /*keeps_alive=*/false);
    }
  }
  sender_->on_broken(id, now, FailureCause::closed);
}

void Shard::on_finished(const Finished& finished) {
  const DueRequest& request = finished.request;
  RequestEntry entry{.request = plan_.first_request + request.number,
                     .intended = base::count(plan_.anchor.to_unix(request.intended)),
                     .sent = unix_or_0(plan_.anchor, finished.sent),
                     .answered = unix_or_0(plan_.anchor, finished.ended),
                     .connection_free = unix_or_0(plan_.anchor, finished.connection_free),
                     .status = static_cast<std::uint16_t>(finished.status),
                     .end = finished.end,
                     .action = static_cast<std::uint8_t>(traffic::ActionKind::other)};
  if (plan_.get_path.empty()) {
    const traffic::Action& action = plan_.action(request.action);
    entry.action = static_cast<std::uint8_t>(action.kind);
    entry.user = action.user;
  }
  log_.append(entry);
}

void Shard::render(const DueRequest& request, Socket& socket) const {
  const RequestStamp stamp{plan_.first_request + request.number,
                           plan_.anchor.to_unix(request.intended)};
  if (!plan_.get_path.empty()) return writer_.write_get(socket.out, stamp, plan_.get_path);
  render_action(plan_.action(request.action), stamp, socket);
}

void Shard::render_action(const traffic::Action& action, RequestStamp stamp, Socket& socket) const {
  const bool is_known = action.user < plan_.tokens.size();
  const std::string_view token = is_known ? plan_.tokens[action.user] : socket.token;
  switch (action.kind) {
    case traffic::ActionKind::list_products:
      return writer_.write_list_products(socket.out, stamp, token);
    case traffic::ActionKind::view_product:
      return writer_.write_view_product(socket.out, stamp, token, action.product);
    case traffic::ActionKind::place_order:
      return writer_.write_place_order(socket.out, stamp, token, action.product, action.quantity);
    case traffic::ActionKind::register_user:
      socket.token.clear();  // Of the customer who had this connection before.
      return writer_.write_post(socket.out, stamp, {}, register_path,
                                registration_body(plan_.trial, action.user));
    case traffic::ActionKind::sign_in:
      socket.is_sign_in = true;
      socket.body.clear();
      socket.parser.collect_body(&socket.body, sign_in_answer_bytes_max);
      return writer_.write_post(socket.out, stamp, {}, sign_in_path,
                                sign_in_body(plan_.trial, action.user));
    default:
      FLOW_CHECK(false);  // check_plan() lets nothing else through.
  }
}

}  // namespace flow::loadtest

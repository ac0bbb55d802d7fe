// What a request costs the generator apart from the system calls.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <atomic>
#include <string>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>

#include "loadtest/dispatcher.hpp"
#include "loadtest/request_writer.hpp"
#include "loadtest/response_parser.hpp"
#include "loadtest/visitors.hpp"
#include "traffic/visits.hpp"

namespace flow::loadtest {
namespace {

void write_order(benchmark::State& state) {
  const RequestWriter writer({.host = "127.0.0.1", .port = 8082, .path = ""}, 77);
  const std::string token(150, 't');
  std::string request;
  std::uint64_t number = 0;
  for (auto _ : state) {
    writer.write_place_order(request, {++number, base::UnixNanos{1'795'381'784'066'123'456}}, token,
                             1, 7);
    benchmark::DoNotOptimize(request.data());
  }
}
BENCHMARK(write_order);

void parse_answer(benchmark::State& state) {
  const std::string answer =
      "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Content-Type-Options: nosniff\r\n"
      "Cache-Control: no-cache, no-store, max-age=0, must-revalidate\r\nPragma: no-cache\r\n"
      "Date: Mon, 23 Nov 2026 23:00:00 GMT\r\nContent-Length: 180\r\n\r\n" +
      std::string(180, 'x');
  ResponseParser parser;
  for (auto _ : state) {
    parser.expect(false);
    benchmark::DoNotOptimize(parser.push(answer));
  }
}
BENCHMARK(parse_answer);

struct NullWire final : Wire, FinishedSink {
  void open(ConnectionId id) override { opening.push_back(id); }
  void send(ConnectionId id, const DueRequest&) override { sent = id; }
  void close(ConnectionId) override {}
  void on_finished(const Finished&) override {}
  std::vector<ConnectionId> opening;
  ConnectionId sent{};
};

// A request from release to answer, histograms and live recorders included.
void dispatch(benchmark::State& state) {
  const std::vector<Nanos> schedule(1 << 16, Nanos{0});
  LiveCounters live;
  NullWire wire;
  TimePoint now{Nanos{1}};
  while (state.KeepRunningBatch(1 << 16)) {
    state.PauseTiming();
    wire.opening.clear();
    Dispatcher dispatcher({.connections_max = 8, .connections_spare = 4}, schedule, Stripe{}, now,
                          wire, wire, live);
    dispatcher.begin(now);
    for (const ConnectionId id : std::vector(wire.opening)) dispatcher.on_open(id, now);
    state.ResumeTiming();
    for (int i = 0; i < 1 << 16; ++i) {
      dispatcher.release_due(now, 1);
      dispatcher.on_sent(wire.sent, now += Nanos{1000});
      dispatcher.on_answered(wire.sent, now += Nanos{1000}, 200, true);
    }
  }
}
BENCHMARK(dispatch);

// Opens, takes and answers at once.
struct InstantWire final : Wire, FinishedSink {
  void open(ConnectionId id) override { opening.push_back(id); }
  void send(ConnectionId id, const DueRequest&) override {
    sender->on_sent(id, now);
    asking.push_back(id);
  }
  void close(ConnectionId) override {}
  void on_finished(const Finished&) override {}
  void answer() {
    for (const ConnectionId id : std::exchange(opening, {})) sender->on_open(id, now);
    for (std::size_t i = 0; i < asking.size(); ++i) sender->on_answered(asking[i], now, 200, true);
    asking.clear();
  }
  Sender* sender = nullptr;
  TimePoint now{};
  std::vector<ConnectionId> opening;
  std::vector<ConnectionId> asking;
};

// A step of one of 5000 customers: its timer, two requests with their answers, the next timer.
void customer_step(benchmark::State& state) {
  traffic::VisitSpec spec;
  spec.mode = traffic::Mode::closed;
  spec.users = 5000;
  const auto plan = traffic::make_visits(spec);
  if (!plan) return state.SkipWithError(plan.error().what.c_str());
  LiveCounters live;
  const auto steps = static_cast<benchmark::IterationCount>(plan->actions.size() / 2);
  while (state.KeepRunningBatch(steps)) {
    state.PauseTiming();
    InstantWire wire;
    std::atomic<std::uint64_t> numbers = 0;
    Visitors visitors(5000, *plan, Stripe{}, TimePoint{Nanos{1}}, numbers, wire, wire, live);
    wire.sender = &visitors;
    visitors.begin(wire.now);
    wire.answer();
    state.ResumeTiming();
    while (!visitors.is_finished()) {
      wire.now = std::max(wire.now, visitors.next_due().value_or(wire.now));
      visitors.release_due(wire.now, 64);
      wire.answer();
    }
  }
}
BENCHMARK(customer_step);

// The plan itself, per step: two draws of the action, one of the pause, the hash.
void plan_step(benchmark::State& state) {
  traffic::VisitSpec spec;
  spec.mode = traffic::Mode::closed;
  spec.users = 5000;
  const auto steps =
      static_cast<benchmark::IterationCount>(traffic::make_visits(spec)->actions.size() / 2);
  while (state.KeepRunningBatch(steps)) benchmark::DoNotOptimize(traffic::make_visits(spec)->hash);
}
BENCHMARK(plan_step);

}  // namespace
}  // namespace flow::loadtest

// What recording costs: the generator and both drivers pay it for every request.
// SPDX-License-Identifier: Apache-2.0
#include <array>

#include <benchmark/benchmark.h>

#include "base/random.hpp"
#include "measure/hdr_codec.hpp"
#include "measure/histogram.hpp"
#include "measure/interval_recorder.hpp"

namespace {

using namespace flow;

// 0.1 to about 100 ms: several buckets, as in a run.
std::array<base::Nanos, 4096> latencies() {
  base::SplitMix64 random(1);
  std::array<base::Nanos, 4096> values{};
  for (auto& value : values) {
    value = base::Nanos{static_cast<std::int64_t>(100'000 + 10e6 * random.next_exponential())};
  }
  return values;
}

void record(benchmark::State& state, auto recorder) {
  const auto values = latencies();
  std::size_t next = 0;
  for (auto _ : state) recorder->record(values[next++ & 4095]);
}

void histogram_record(benchmark::State& state) {
  record(state, std::make_unique<measure::Histogram>());
}
void interval_record(benchmark::State& state) {
  record(state, std::make_unique<measure::IntervalRecorder>());
}
BENCHMARK(histogram_record);
BENCHMARK(interval_record);

measure::Histogram filled() {
  measure::Histogram histogram;
  for (int i = 0; i < 25; ++i) {
    for (const auto value : latencies()) histogram.record(value + base::Nanos{i * 1000});
  }
  return histogram;
}

void histogram_merge(benchmark::State& state) {
  const auto part = filled();
  measure::Histogram whole;
  for (auto _ : state) whole.merge(part);
}
BENCHMARK(histogram_merge);

void histogram_quantile(benchmark::State& state) {
  const auto histogram = filled();
  for (auto _ : state) benchmark::DoNotOptimize(histogram.quantile(0.99));
}
BENCHMARK(histogram_quantile);

void histogram_encode(benchmark::State& state) {
  const auto histogram = filled();
  for (auto _ : state) benchmark::DoNotOptimize(measure::encode_hdr(histogram));
}
BENCHMARK(histogram_encode);

}  // namespace

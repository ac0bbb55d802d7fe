// For bench/peers/loadtest.sh: the null server as a process of its own, and the generator alone.
//   loadtest_peer serve              prints its URL, ends when standard input does
//   loadtest_peer send URL RATE SECONDS CONNECTIONS
//                                    prints one line of JSON
// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "loadtest/generator.hpp"
#include "loadtest/null_server.hpp"

namespace flow::loadtest {
namespace {

int serve() {
  const auto server = NullServer::start();
  if (!server) return std::fprintf(stderr, "%s\n", server.error().what.c_str()), 3;
  fmt::print("http://{}\n", (*server)->url().authority());
  std::fflush(stdout);
  while (std::getchar() != EOF) {
  }
  return 0;
}

int send(const std::string& url, double rate, double seconds, std::size_t connections) {
  const auto base = net::parse_http_url(url);
  if (!base) return std::fprintf(stderr, "%s\n", base.error().what.c_str()), 2;
  std::vector<Nanos> schedule;
  for (double at = 0; at < seconds; at += 1 / rate) {
    schedule.push_back(Nanos{static_cast<std::int64_t>(at * 1e9)});
  }
  LoadPlan plan;
  plan.base = *base;
  plan.intended = schedule;
  plan.get_path = "/";
  plan.connections_max = connections;
  const auto result = Generator(plan).run(nullptr, {});
  if (!result) return std::fprintf(stderr, "%s\n", result.error().what.c_str()), 3;
  const Measurements& measured = result->measured;
  const double cpu = std::chrono::duration<double, std::micro>(result->shards[0].cpu).count();
  fmt::print(
      "{{\"answered\": {}, \"per_second\": {:.0f}, \"cpu_us_per_request\": {:.2f}, "
      "\"cpu_share\": {:.3f}, \"start_error_p99_us\": {:.1f}, \"response_p99_us\": {:.1f}}}\n",
      measured.answered, static_cast<double>(measured.answered) / result->seconds(),
      cpu / static_cast<double>(std::max<std::uint64_t>(1, measured.answered)),
      result->cpu_share_max(),
      static_cast<double>(measured.start_error.quantile(0.99).count()) / 1e3,
      static_cast<double>(measured.response.quantile(0.99).count()) / 1e3);
  return 0;
}

}  // namespace
}  // namespace flow::loadtest

int main(int argc, char** argv) {
  const std::string_view mode = argc > 1 ? argv[1] : "";
  if (mode == "serve") return flow::loadtest::serve();
  if (mode == "send" && argc == 6) {
    return flow::loadtest::send(argv[2], std::atof(argv[3]), std::atof(argv[4]),
                                static_cast<std::size_t>(std::atol(argv[5])));
  }
  std::fputs("usage: loadtest_peer serve | send URL RATE SECONDS CONNECTIONS\n", stderr);
  return 2;
}

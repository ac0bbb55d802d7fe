// SPDX-License-Identifier: Apache-2.0
#include "apps/dashboard_server.hpp"

#include <algorithm>
#include <list>
#include <optional>
#include <unistd.h>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>
#include <sys/resource.h>

#include "apps/dashboard_access.hpp"
#include "lab/dashboard/dashboard.hpp"
#include "lab/result/bounded_file.hpp"
#include "lab/result/headlines.hpp"
#include "net/http_server.hpp"
#include "net/http_stream.hpp"
#include "net/io_thread.hpp"
#include "web/dashboard_page.hpp"

namespace flow::apps {
namespace {

using namespace std::chrono_literals;
using base::Errc;
using base::fail;
using base::Result;
using net::HttpRequest;
using net::HttpResponse;
using net::HttpStream;
using net::Task;

constexpr std::size_t report_bytes_max = 16U << 20;
constexpr std::size_t token_letters_min = 16;
constexpr int niceness = 10;  // What is measured goes first.
constexpr std::string_view results_path = "/results/";
constexpr std::string_view api_results_path = "/api/results/";
constexpr std::string_view tickets_path = "/api/tickets/";
constexpr std::string_view report_name = "/report.html";

constexpr std::string_view page_policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
// A report is a page of its own: it may draw itself and be saved, and reach nothing of this one.
constexpr std::string_view report_policy =
    "sandbox allow-scripts allow-downloads; default-src 'none'; script-src 'unsafe-inline'; "
    "style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'";

HttpResponse answer(int status, std::string_view type, std::string body,
                    std::string_view policy = "default-src 'none'") {
  HttpResponse response;
  response.status = status;
  response.headers.add("Content-Type", type);
  response.headers.add("Content-Security-Policy", policy);
  response.headers.add("Cache-Control", "no-store");
  response.headers.add("Cross-Origin-Resource-Policy", "same-origin");
  response.headers.add("Referrer-Policy", "no-referrer");
  response.headers.add("X-Content-Type-Options", "nosniff");
  response.body = std::move(body);
  return response;
}

HttpResponse json_answer(int status, const base::json::value& value) {
  return answer(status, "application/json", base::json::serialize(value));
}

HttpResponse refusal(int status, std::string_view words) {
  return json_answer(status, base::json::object{{"error", words}});
}

HttpResponse page_part(std::string_view type, std::string_view text) {
  return answer(200, type, std::string(text), page_policy);
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// RFC 3986, 2.1; nullopt for a % without two digits.
std::optional<std::string> percent_decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '%') {
      decoded += text[at];
      continue;
    }
    const int high = at + 2 < text.size() ? hex_digit(text[at + 1]) : -1;
    const int low = at + 2 < text.size() ? hex_digit(text[at + 2]) : -1;
    if (high < 0 || low < 0) return std::nullopt;
    decoded += static_cast<char>(high * 16 + low);
    at += 2;
  }
  return decoded;
}

// What stands in a path between the two, decoded; nullopt when it does not have this form.
std::optional<std::string> name_between(std::string_view path, std::string_view prefix,
                                        std::string_view suffix = "") {
  if (!path.starts_with(prefix)) return std::nullopt;
  path.remove_prefix(prefix.size());
  if (!path.ends_with(suffix)) return std::nullopt;
  path.remove_suffix(suffix.size());
  return percent_decoded(path);
}

std::string query_value(const HttpRequest& request, std::string_view key) {
  const auto at = request.target.find(fmt::format("?{}=", key));
  return at == std::string::npos ? "" : request.target.substr(at + key.size() + 2);
}

// It stands in an address as it is.
bool is_token(std::string_view text) {
  const auto is_letter = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  };
  return text.size() >= token_letters_min && std::ranges::all_of(text, is_letter);
}

std::string wire_text(const lab::Event& event) {
  return fmt::format("id: {}\nevent: {}\ndata: {}\n\n", event.id, event.type, event.data);
}

std::int64_t unix_now() { return base::count(base::ClockAnchor::take().to_unix(base::now())); }

}  // namespace

class DashboardServer::Impl {
 public:
  Impl(DashboardServerOptions options, std::string token)
      : options_(std::move(options)),
        access_(std::move(token)),
        dashboard_({options_.folder, make_secret(), options_.flow_facts}),
        server_(io_,
                {.address = options_.address,
                 .port = options_.port,
                 .connections_max = 64,
                 .body_bytes_max = 1024},
                [this](HttpRequest request) { return handle(std::move(request)); }) {}

  ~Impl() {
    if (is_started_) io_.run_task(close());
    server_.stop();
    io_.stop();
  }

  Result<void> start();
  std::uint16_t port() const { return server_.port(); }
  std::string url() const;

 private:
  Task<HttpResponse> handle(HttpRequest request);
  HttpResponse respond(const HttpRequest& request);
  HttpResponse events(const HttpRequest& request);
  HttpResponse result_headlines(std::string_view name);
  HttpResponse ticket(std::string_view name);
  HttpResponse report(const HttpRequest& request, std::string_view name);
  Task<void> watch();
  void look(base::TimePoint now);
  void broadcast(const std::string& text);
  Task<int> close();

  DashboardServerOptions options_;
  DashboardAccess access_;
  net::IoThread io_{"dashboard"};
  net::asio::steady_timer tick_{io_.context()};
  lab::Dashboard dashboard_;  // On io_, like the next three.
  std::list<std::shared_ptr<HttpStream>> clients_;
  bool is_stopping_ = false;
  bool is_watching_ = false;
  bool is_started_ = false;
  net::HttpServer server_;
};

Result<void> DashboardServer::Impl::start() {
  if (auto listening = server_.start(); !listening) {
    if (listening.error().code == Errc::config) return listening;
    return fail(Errc::io, "dashboard: {}; another port can be given, 0 takes a free one",
                listening.error().what);
  }
  is_started_ = true;
  io_.run([this] {
    // A thread has a niceness of its own (sched(7)). Best effort.
    (void)::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), niceness);
    is_watching_ = true;
    io_.spawn(watch());
  });
  return {};
}

std::string DashboardServer::Impl::url() const {
  boost::system::error_code ignored;
  const auto address = net::asio::ip::make_address(options_.address, ignored);
  std::string host = options_.address;
  if (address.is_unspecified()) {
    char name[256] = "localhost";
    (void)::gethostname(name, sizeof name - 1);
    host = name;
  } else if (address.is_v6()) {
    host = "[" + host + "]";
  }
  const std::string fragment = access_.token().empty() ? "" : "#token=" + access_.token();
  return fmt::format("http://{}:{}/{}", host, port(), fragment);
}

Task<HttpResponse> DashboardServer::Impl::handle(HttpRequest request) {
  co_return respond(request);
}

HttpResponse DashboardServer::Impl::respond(const HttpRequest& request) {
  if (!access_.is_own_host(request)) {
    return refusal(403, "this dashboard answers to the name of this machine only (localhost)");
  }
  const auto path = request.path();
  const bool is_ticket = path.starts_with(tickets_path);
  const bool is_method_known =
      is_ticket ? request.method == "POST" : request.method == "GET" || request.method == "HEAD";
  if (!is_method_known) {
    auto response = refusal(405, "method not allowed");
    response.headers.add("Allow", is_ticket ? "POST" : "GET, HEAD");
    return response;
  }
  if (path == "/") return page_part("text/html; charset=utf-8", web::dashboard_html());
  if (path == "/dashboard.js") return page_part("text/javascript", web::dashboard_script());
  if (path == "/dashboard.css") return page_part("text/css", web::dashboard_style());
  if (const auto name = name_between(path, results_path, report_name)) {
    return report(request, *name);
  }
  if (!access_.has_token(request)) {
    auto response = refusal(401, "the token is missing or is not that of this dashboard");
    response.headers.add("WWW-Authenticate", "Bearer");
    return response;
  }
  if (path == "/api/events") return events(request);
  if (const auto name = name_between(path, api_results_path)) return result_headlines(*name);
  if (const auto name = name_between(path, tickets_path)) return ticket(*name);
  return refusal(404, "there is nothing here");
}

// The whole state first, unless the client says what it saw last and that is still known.
HttpResponse DashboardServer::Impl::events(const HttpRequest& request) {
  std::erase_if(clients_, [](const auto& client) { return !client->is_open(); });
  if (is_stopping_ || clients_.size() >= options_.clients_max) {
    auto response = refusal(503, "too many pages are open on this dashboard");
    response.headers.add("Retry-After", "5");
    return response;
  }
  auto stream = std::make_shared<HttpStream>(net::HttpStreamOptions{
      .queue_bytes_max = 8U << 20, .keep_alive = ":\n\n", .keep_alive_every = 5s});
  const auto missed = dashboard_.events_after(request.headers.get("last-event-id"));
  if (missed) {
    for (const auto& event : *missed) stream->offer(wire_text(event));
  } else {
    stream->offer(wire_text(dashboard_.snapshot(unix_now())));
  }
  auto response = answer(200, "text/event-stream", {});
  response.stream = stream;
  if (request.method != "HEAD") clients_.push_back(std::move(stream));
  return response;
}

HttpResponse DashboardServer::Impl::result_headlines(std::string_view name) {
  const auto folder = dashboard_.folder_of(name);
  if (!folder) return refusal(404, "no result of this name is in the list");
  auto numbers = lab::headlines(*folder);
  if (!numbers) return refusal(422, numbers.error().what);
  return json_answer(200, *numbers);
}

HttpResponse DashboardServer::Impl::ticket(std::string_view name) {
  if (!dashboard_.folder_of(name)) return refusal(404, "no result of this name is in the list");
  return json_answer(201, base::json::object{{"ticket", access_.make_ticket(name, base::now())}});
}

HttpResponse DashboardServer::Impl::report(const HttpRequest& request, std::string_view name) {
  const bool may_see = access_.has_token(request) ||
                       access_.take_ticket(query_value(request, "ticket"), name, base::now());
  if (!may_see) {
    return answer(401, "text/plain; charset=utf-8",
                  "This link was good for one look. Open the report from the dashboard again.\n");
  }
  const auto folder = dashboard_.folder_of(name);
  if (!folder) return refusal(404, "no result of this name is in the list");
  auto content = lab::read_bounded(*folder / "report.html", report_bytes_max);
  if (!content) {
    return answer(404, "text/plain; charset=utf-8",
                  fmt::format("{}\nflow report {} makes it again.\n", content.error().what,
                              folder->string()));
  }
  return answer(200, "text/html; charset=utf-8", std::move(*content), report_policy);
}

Task<void> DashboardServer::Impl::watch() {
  while (!is_stopping_) {
    look(base::now());
    tick_.expires_after(options_.poll_every);
    auto [woken] = co_await tick_.async_wait(net::asio::as_tuple(net::asio::use_awaitable));
    (void)woken;
  }
  is_watching_ = false;
}

void DashboardServer::Impl::look(base::TimePoint now) {
  for (const auto& event : dashboard_.poll(now)) broadcast(wire_text(event));
}

void DashboardServer::Impl::broadcast(const std::string& text) {
  std::erase_if(clients_, [&](const auto& client) { return !client->offer(text); });
}

Task<int> DashboardServer::Impl::close() {
  look(base::now() + 1h);  // Whatever is due later is due now.
  broadcast(wire_text(dashboard_.bye()));
  is_stopping_ = true;
  tick_.cancel();
  co_await server_.drain(base::now() + 1s);
  while (is_watching_) co_await net::sleep_until(base::now() + 1ms);
  co_return 0;
}

DashboardServer::DashboardServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
DashboardServer::~DashboardServer() = default;

Result<std::unique_ptr<DashboardServer>> DashboardServer::start(DashboardServerOptions options) {
  boost::system::error_code error;
  const auto address = net::asio::ip::make_address(options.address, error);
  if (error) {
    return fail(Errc::config, "dashboard: address '{}': expected an IP address", options.address);
  }
  std::string token = options.token;
  if (!token.empty() && !is_token(token)) {
    return fail(Errc::config,
                "dashboard: the token cannot be one; expected {} or more of A-Z a-z 0-9 - _",
                token_letters_min);
  }
  if (token.empty() && !address.is_loopback()) token = make_secret();
  auto impl = std::make_unique<Impl>(std::move(options), std::move(token));
  if (auto started = impl->start(); !started) return std::unexpected(started.error());
  return std::unique_ptr<DashboardServer>(new DashboardServer(std::move(impl)));
}

std::uint16_t DashboardServer::port() const { return impl_->port(); }
std::string DashboardServer::url() const { return impl_->url(); }

}  // namespace flow::apps

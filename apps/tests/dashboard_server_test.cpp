// The dashboard over HTTP: who gets what, events to a client that comes, leaves and comes back, and
// folders and names that mean harm.
// SPDX-License-Identifier: Apache-2.0
#include "apps/dashboard_server.hpp"

#include <filesystem>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/clock.hpp"
#include "lab/result/running_mark.hpp"
#include "lab/tests/scratch_folder.hpp"
#include "net/tests/raw_connection.hpp"

namespace flow::apps {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using net::test::RawConnection;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr const char* token = "0123456789abcdef";

class DashboardServerTest : public testing::Test {
 protected:
  void make_result(const std::string& name) {
    folder_.write(name + "/experiment.json",
                  R"({"name": "demo", "plan": {"order": [{"trial": 1, "cell": "c"}]}})");
    folder_.append(name + "/report.html", "<html>the report of " + name + "</html>");
  }

  std::uint16_t start(DashboardServerOptions options = {}) {
    server_.reset();
    options.folder = folder_.path();
    options.poll_every = 10ms;
    options.flow_facts = {{"version", "test"}};
    auto started = DashboardServer::start(options);
    EXPECT_TRUE(started) << started.error().what;
    server_ = std::move(*started);
    return server_->port();
  }

  // One request on a connection of its own; the whole answer.
  std::string ask(const std::string& target, const std::string& headers = "",
                  const std::string& method = "GET") {
    RawConnection client(server_->port());
    client.send(request(target, headers, method));
    return client.read_answer(method != "HEAD");
  }
  std::string request(const std::string& target, const std::string& headers = "",
                      const std::string& method = "GET") {
    const std::string host = headers.starts_with("Host:") ? "" : "Host: localhost\r\n";
    return method + " " + target + " HTTP/1.1\r\n" + host + headers + "\r\n";
  }
  // Until a result is in the list.
  void wait_for(const std::string& name) {
    const auto deadline = base::now() + 10s;
    while (ask("/api/results/" + name, bearer()).find("200 OK") == std::string::npos) {
      ASSERT_LT(base::now(), deadline) << name;
    }
  }
  static std::string bearer(const std::string& value = token) {
    return "Authorization: Bearer " + value + "\r\n";
  }
  // What a client hears up to and with an event of this type.
  static std::string hear(RawConnection& client, const std::string& type) {
    const std::string before = client.read_until("event: " + type + "\n");
    return before + client.read_until("\n\n");
  }
  static std::string last_id_in(const std::string& text) {
    const auto at = text.rfind("id: ") + 4;
    return text.substr(at, text.find('\n', at) - at);
  }

  lab::test::ScratchFolder folder_;
  std::unique_ptr<DashboardServer> server_;
};

TEST_F(DashboardServerTest, ServesThePageUnderAPolicyThatLetsNothingElseIn) {
  start();

  EXPECT_THAT(ask("/"), AllOf(HasSubstr("200 OK"), HasSubstr("text/html"),
                              HasSubstr("default-src 'none'; script-src 'self'; style-src 'self'"),
                              HasSubstr("frame-ancestors 'none'"), HasSubstr("nosniff"),
                              HasSubstr("no-store"), HasSubstr("<!doctype html>")));
  EXPECT_THAT(ask("/dashboard.js"), AllOf(HasSubstr("200 OK"), HasSubstr("text/javascript")));
  EXPECT_THAT(ask("/dashboard.css"), AllOf(HasSubstr("200 OK"), HasSubstr("text/css")));
  EXPECT_THAT(ask("/", "", "HEAD"), AllOf(HasSubstr("200 OK"), EndsWith("\r\n\r\n")));
}

TEST_F(DashboardServerTest, TellsANewClientTheWholeStateAndThenWhatChanges) {
  make_result("run");
  RawConnection client(start());

  client.send(request("/api/events"));
  const std::string first = hear(client, "snapshot");
  EXPECT_THAT(first, AllOf(HasSubstr("text/event-stream"), HasSubstr("\"version\":\"test\"")));

  const auto mark = lab::RunningMark::create(folder_ / "run", 10s);
  ASSERT_TRUE(mark);
  EXPECT_THAT(hear(client, "current"), HasSubstr("\"state\":\"running\""));
  folder_.append("run/trials/001-c/intervals.jsonl",
                 "{\"kind\":\"step\",\"step\":\"measuring\"}\n");
  EXPECT_THAT(hear(client, "trial"), HasSubstr("001-c"));
  folder_.append("run/trials/001-c/intervals.jsonl", "{\"kind\":\"live\",\"unix_s\":77}\n");
  EXPECT_THAT(hear(client, "lines"), HasSubstr("77"));
}

TEST_F(DashboardServerTest, TellsAClientThatComesBackWhatItMissed) {
  make_result("run");
  const auto port = start();
  std::string seen;
  {
    RawConnection client(port);
    client.send(request("/api/events"));
    seen = last_id_in(hear(client, "snapshot"));
  }
  const auto mark = lab::RunningMark::create(folder_ / "run", 10s);
  RawConnection other(port);  // Until it has happened.
  other.send(request("/api/events"));
  other.read_until("\"state\":\"running\"");

  RawConnection client(port);
  client.send(request("/api/events", "Last-Event-ID: " + seen + "\r\n"));
  const std::string missed = hear(client, "current");

  EXPECT_THAT(missed, Not(HasSubstr("event: snapshot")));
  EXPECT_NE(last_id_in(missed), seen);
}

// The program was started again: numbers of the earlier one mean nothing.
TEST_F(DashboardServerTest, TellsAClientOfAnEarlierProgramTheWholeState) {
  RawConnection client(start());

  client.send(request("/api/events", "Last-Event-ID: earlier-3\r\n"));

  EXPECT_THAT(hear(client, "snapshot"), HasSubstr("event: snapshot"));
}

TEST_F(DashboardServerTest, SaysGoodbyeWithTheLastNews) {
  make_result("run");
  auto mark = lab::RunningMark::create(folder_ / "run", 10s);
  RawConnection client(start());
  client.send(request("/api/events"));
  hear(client, "snapshot");
  wait_for("run");

  folder_.append("run/SHA256SUMS", "");
  mark = nullptr;
  server_.reset();

  EXPECT_THAT(client.read_until("event: bye"), HasSubstr("\"state\":\"sealed\""));
  EXPECT_TRUE(client.is_closed_within(5s));
}

TEST_F(DashboardServerTest, BoundsTheNumberOfListeners) {
  const auto port = start({.clients_max = 1});
  RawConnection first(port);
  first.send(request("/api/events"));
  hear(first, "snapshot");

  EXPECT_THAT(ask("/api/events"), AllOf(HasSubstr(" 503 "), HasSubstr("Retry-After: 5")));
}

TEST_F(DashboardServerTest, GivesNumbersAndReportsOfKnownResults) {
  make_result("one");
  start();
  wait_for("one");

  EXPECT_THAT(ask("/api/results/one"),
              AllOf(HasSubstr("application/json"), HasSubstr("\"cells\":[]")));
  EXPECT_THAT(ask("/results/one/report.html"),
              AllOf(HasSubstr("200 OK"), HasSubstr("sandbox allow-scripts"),
                    Not(HasSubstr("allow-same-origin")), HasSubstr("the report of one")));
}

TEST_F(DashboardServerTest, FindsANameWithSpacesAndSigns) {
  make_result("a b%&ü");
  start();
  wait_for("a%20b%25%26%c3%BC");

  EXPECT_THAT(ask("/results/a%20b%25%26%c3%BC/report.html"), HasSubstr("the report of a b%&ü"));
}

TEST_F(DashboardServerTest, LeadsOutOfItsFolderInNoWay) {
  make_result("one");
  folder_.append("secret.txt", "secret");
  folder_.append("no-result/report.html", "secret");
  start();
  wait_for("one");

  for (const auto* target : {"/results/../secret.txt/report.html",
                             "/results/%2e%2e/report.html",
                             "/results//report.html",
                             "/results/one/../../secret.txt",
                             "/results/one%2f..%2fone/report.html",
                             "/results/report.html",
                             "/results/%/report.html",
                             "/results/%2/report.html",
                             "/results/%zz/report.html",
                             "/results/no-result/report.html",
                             "/results/one/report.html/",
                             "/results/one/experiment.json",
                             "/results/one%00/report.html",
                             "//etc/passwd",
                             "/../etc/passwd",
                             "/results/./report.html",
                             "/api/results/..",
                             "/api/results/",
                             "/api/results/one/",
                             "/api",
                             "/api/",
                             "/nonsense",
                             "*"}) {
    EXPECT_THAT(ask(target), AllOf(HasSubstr(" 404 "), Not(EndsWith("\r\n\r\nsecret")))) << target;
  }
}

TEST_F(DashboardServerTest, ServesNoReportThatIsALinkAPipeOrTooLarge) {
  make_result("link");
  fs::remove(folder_ / "link/report.html");
  fs::create_symlink("/etc/passwd", folder_ / "link/report.html");
  make_result("large");
  fs::resize_file(folder_ / "large/report.html", 17U << 20);
  start();
  wait_for("link");
  wait_for("large");

  EXPECT_THAT(ask("/results/link/report.html"), AllOf(HasSubstr(" 404 "), Not(HasSubstr("root:"))));
  EXPECT_THAT(ask("/results/large/report.html"),
              AllOf(HasSubstr(" 404 "), HasSubstr("larger than"), HasSubstr("flow report ")));
}

TEST_F(DashboardServerTest, SurvivesTheDeletionOfWhatItServes) {
  make_result("one");
  start();
  wait_for("one");

  fs::remove_all(folder_.path());

  EXPECT_THAT(ask("/results/one/report.html"), HasSubstr(" 404 "));
  EXPECT_THAT(ask("/"), HasSubstr("200 OK"));
}

TEST_F(DashboardServerTest, ReadsAndNeverWrites) {
  make_result("one");
  start();

  for (const auto* method : {"POST", "PUT", "DELETE", "OPTIONS", "PATCH"}) {
    EXPECT_THAT(ask("/", "", method), AllOf(HasSubstr(" 405 "), HasSubstr("Allow: GET, HEAD")))
        << method;
  }
}

// A page of another site that lets a name of its own lead to 127.0.0.1.
TEST_F(DashboardServerTest, AnswersToNoForeignName) {
  start();

  for (const auto* target : {"/", "/api/events", "/dashboard.js", "/results/x/report.html"}) {
    EXPECT_THAT(ask(target, "Host: evil.example\r\n"), HasSubstr(" 403 ")) << target;
  }
}

TEST_F(DashboardServerTest, GivesNothingAwayWithoutItsToken) {
  make_result("one");
  start({.token = token});
  wait_for("one");

  for (const auto* target : {"/api/events", "/api/results/one", "/results/one/report.html",
                             "/api/results/unknown", "/api/nonsense"}) {
    EXPECT_THAT(ask(target), AllOf(HasSubstr(" 401 "), Not(HasSubstr("the report of")))) << target;
    EXPECT_THAT(ask(target, bearer("0123456789abcdeX")), HasSubstr(" 401 ")) << target;
  }
  EXPECT_THAT(ask("/api/tickets/one", "", "POST"), HasSubstr(" 401 "));
  EXPECT_THAT(ask("/", "Host: lab.example\r\n"), HasSubstr(" 200 OK"));  // The page has no secrets.
  RawConnection client(server_->port());
  client.send(request("/api/events", bearer()));
  EXPECT_THAT(hear(client, "snapshot"), HasSubstr("\"name\":\"one\""));
}

TEST_F(DashboardServerTest, OpensAReportByATicketOnce) {
  make_result("one");
  start({.token = token});
  wait_for("one");
  const std::string answer = ask("/api/tickets/one", bearer(), "POST");
  ASSERT_THAT(answer, HasSubstr(" 201 "));
  const auto from = answer.find("\"ticket\":\"") + 10;
  const std::string ticket = answer.substr(from, answer.find('"', from) - from);

  EXPECT_THAT(ask("/results/one/report.html?ticket=" + ticket), HasSubstr("the report of one"));

  EXPECT_THAT(ask("/results/one/report.html?ticket=" + ticket), HasSubstr(" 401 "));
  EXPECT_THAT(ask("/api/tickets/unknown", bearer(), "POST"), HasSubstr(" 404 "));
}

TEST_F(DashboardServerTest, AsksForATokenOfItsOwnBeyondThisMachine) {
  start({.address = "0.0.0.0"});

  const std::string url = server_->url();
  EXPECT_THAT(url, AllOf(StartsWith("http://"), HasSubstr("/#token="), Not(HasSubstr("0.0.0.0"))));
  const std::string made = url.substr(url.find("token=") + 6);
  EXPECT_GE(made.size(), 22u);
  EXPECT_THAT(ask("/api/results/x"), HasSubstr(" 401 "));
  EXPECT_THAT(ask("/api/results/x", bearer(made)), HasSubstr(" 404 "));
}

TEST_F(DashboardServerTest, HasAnAddressThatABrowserTakes) {
  start();

  EXPECT_EQ(server_->url(), fmt::format("http://127.0.0.1:{}/", server_->port()));
}

TEST_F(DashboardServerTest, SaysThatThePortIsTaken) {
  const auto port = start();

  const auto second = DashboardServer::start({.folder = folder_.path(), .port = port});

  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, base::Errc::io);
  EXPECT_THAT(second.error().what, AllOf(HasSubstr("127.0.0.1:" + std::to_string(port)),
                                         HasSubstr("already in use"), HasSubstr("another port")));
}

TEST_F(DashboardServerTest, RefusesAnAddressThatIsNone) {
  const auto started = DashboardServer::start({.address = "localhost"});

  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, base::Errc::config);
  EXPECT_THAT(started.error().what, HasSubstr("'localhost': expected an IP address"));
}

TEST_F(DashboardServerTest, RefusesATokenThatIsShortOrCannotStandInAnAddress) {
  for (const std::string bad :
       {"kurz", "0123456789abcde", "0123456789abcdef&x", "0123456789 abcdef"}) {
    const auto started = DashboardServer::start({.token = bad});

    ASSERT_FALSE(started) << bad;
    EXPECT_EQ(started.error().code, base::Errc::config);
    EXPECT_THAT(started.error().what, Not(HasSubstr(bad)));  // A secret is not repeated.
  }
}

TEST_F(DashboardServerTest, LetsTwoWatchOneFolder) {
  make_result("one");
  const auto first = start();
  auto second = DashboardServer::start({.folder = folder_.path(), .poll_every = 10ms});
  ASSERT_TRUE(second);

  for (const auto port : {first, (*second)->port()}) {
    RawConnection client(port);
    client.send(request("/api/events"));
    EXPECT_THAT(client.read_until("\"name\":\"one\""), HasSubstr("\"name\":\"one\""));
  }
}

}  // namespace
}  // namespace flow::apps

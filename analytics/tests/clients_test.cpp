// The SQL client and the controller's client against a server that the test scripts: what a real
// Pinot does not do on demand.
// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <limits>
#include <map>
#include <mutex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "analytics/controller.hpp"
#include "analytics/sql_client.hpp"
#include "analytics/table_status.hpp"
#include "net/http_server.hpp"

namespace flow::analytics {
namespace {

using namespace std::chrono_literals;
using base::Errc;
using net::HttpRequest;
using net::HttpResponse;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
namespace json = base::json;

base::TimePoint in(base::Nanos span) { return base::now() + span; }

HttpResponse answer(int status, std::string body) {
  HttpResponse response;
  response.status = status;
  response.body = std::move(body);
  return response;
}

class Clients : public testing::Test {
 protected:
  Clients() { EXPECT_TRUE(server_.start()); }
  ~Clients() override {
    held_from_ = nothing;
    sql_.reset();
    controller_.reset();
    client_io_.stop();
    server_.stop();
    server_io_.stop();
  }

  net::HttpUrl url() { return {"127.0.0.1", server_.port(), ""}; }
  SqlClient& sql(SqlOptions options = {}) {
    if (!sql_) sql_ = std::make_unique<SqlClient>(client_io_, url(), std::move(options));
    return *sql_;
  }
  Controller& controller() {
    if (!controller_) controller_ = std::make_unique<Controller>(client_io_, url());
    return *controller_;
  }
  template <class T>
  T wait(net::Task<T> task) {
    return client_io_.run_task(std::move(task));
  }
  base::Result<SqlAnswer> query(std::string text, base::Nanos within = 10s) {
    return wait(sql().query(std::move(text), in(within)));
  }
  std::vector<std::string> calls() {
    const std::lock_guard lock(mutex_);
    return calls_;
  }
  // What the server says to "GET /tables", as often as it is asked.
  void script(const std::string& call, HttpResponse response) {
    const std::lock_guard lock(mutex_);
    answers_[call] = std::move(response);
  }
  HttpRequest last() {
    const std::lock_guard lock(mutex_);
    return last_;
  }

  // Calls from this one on, counted from 1, are not answered before the end of the test.
  static constexpr std::size_t nothing = std::numeric_limits<std::size_t>::max();
  std::atomic<std::size_t> held_from_ = nothing;

 private:
  net::Task<HttpResponse> serve(HttpRequest request) {
    HttpResponse response = answer(404, R"({"code":404,"error":"not scripted"})");
    std::size_t number = 0;
    {
      const std::lock_guard lock(mutex_);
      const std::string call = request.method + " " + request.target;
      calls_.push_back(call);
      number = calls_.size();
      last_ = request;
      if (const auto found = answers_.find(call); found != answers_.end()) response = found->second;
    }
    const auto limit = in(20s);
    while (number >= held_from_ && base::now() < limit) co_await net::sleep_until(in(1ms));
    co_return response;
  }

  std::mutex mutex_;
  std::vector<std::string> calls_;
  std::map<std::string, HttpResponse> answers_;
  HttpRequest last_;
  net::IoThread server_io_{"server"};
  net::IoThread client_io_{"client"};
  net::HttpServer server_{
      server_io_, {}, [this](HttpRequest request) { return serve(std::move(request)); }};
  std::unique_ptr<SqlClient> sql_;
  std::unique_ptr<Controller> controller_;
};

constexpr const char* query_call = "POST /query/sql";
constexpr const char* one = R"j({"resultTable":{"dataSchema":{"columnNames":["count(*)"],
  "columnDataTypes":["LONG"]},"rows":[[7]]},"exceptions":[],"numServersQueried":1,
  "numServersResponded":1})j";

TEST_F(Clients, SendAStatementWithItsTimeAndLogin) {
  script(query_call, answer(200, one));
  sql({.authorization = "Basic YTpi"});

  const auto got = query("SELECT \"a\" FROM t WHERE b = 'ü\n'", 5s);

  ASSERT_TRUE(got) << got.error().what;
  EXPECT_EQ(got->rows.at(0).at(0), 7);
  EXPECT_EQ(last().headers.get("Authorization"), "Basic YTpi");
  const auto body = json::parse(last().body);
  EXPECT_EQ(body.at("sql").as_string(), "SELECT \"a\" FROM t WHERE b = 'ü\n'");
  int timeout_ms = 0;
  ASSERT_EQ(std::sscanf(body.at("queryOptions").as_string().c_str(), "timeoutMs=%d", &timeout_ms),
            1);
  EXPECT_GT(timeout_ms, 1000);
  EXPECT_LE(timeout_ms, 5000);
}

TEST_F(Clients, GiveUpAtTheDeadline) {
  script(query_call, answer(200, one));
  held_from_ = 1;

  const auto late = query("SELECT 1", 50ms);

  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Errc::timed_out);
}

TEST_F(Clients, TellWhoseFaultItIs) {
  const std::string whole = one;
  const std::pair<HttpResponse, Errc> cases[] = {
      {answer(500, ""), Errc::refused},
      {answer(503, "<html>busy</html>"), Errc::refused},
      {answer(401, R"({"error":"login"})"), Errc::config},
      {answer(403, ""), Errc::config},
      {answer(200, ""), Errc::protocol},
      {answer(200, "<html>a proxy</html>"), Errc::protocol},
      {answer(200, whole.substr(0, whole.size() / 2)), Errc::protocol},
      {answer(200, whole + "x"), Errc::protocol},
      {answer(200, "[]"), Errc::protocol},
      {answer(200, R"({"exceptions":[{"errorCode":150,"message":"SQLParsingError"}]})"),
       Errc::config},
      {answer(200, R"({"exceptions":[{"errorCode":400,"message":"Timeout"}]})"), Errc::refused},
  };
  for (const auto& [response, code] : cases) {
    script(query_call, response);
    const auto got = query("SELECT 1");
    ASSERT_FALSE(got) << response.body;
    EXPECT_EQ(got.error().code, code) << response.status << response.body << got.error().what;
    EXPECT_THAT(got.error().what, HasSubstr("pinot"));
  }
}

TEST_F(Clients, CountRowsOrSayWhyNot) {
  script(query_call, answer(200, one));
  EXPECT_EQ(wait(count_rows(&sql(), "t", in(5s))).value(), 7);
  EXPECT_EQ(json::parse(last().body).at("sql").as_string(), "SELECT COUNT(*) FROM t");

  std::string odd = one;
  odd.replace(odd.find("[[7]]"), 5, R"([["x"]])");
  script(query_call, answer(200, odd));
  EXPECT_EQ(wait(count_rows(&sql(), "t", in(5s))).error().code, Errc::protocol);
}

TableDefinition table_t() {
  return {.name = "t",
          .topic = "orders",
          .schema = {{"schemaName", "t"}},
          .table = {{"tableName", "t"}}};
}

TEST_F(Clients, MakeNoTableWhereThereIsOne) {
  script("GET /tables", answer(200, R"({"tables":["s","t"]})"));

  const auto made = wait(controller().create(table_t(), in(5s)));

  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, Errc::refused);
  EXPECT_THAT(calls(), ElementsAre("GET /tables"));
}

TEST_F(Clients, TakeTheSchemaBackWhenTheTableIsRefused) {
  script("GET /tables", answer(200, R"({"tables":[]})"));
  script("POST /schemas", answer(200, "{}"));
  script("POST /tables", answer(500, R"({"code":500,"error":"a.B: TopicDoesNotExist"})"));
  script("DELETE /schemas/t", answer(200, "{}"));

  const auto made = wait(controller().create(table_t(), in(5s)));

  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, Errc::refused);
  EXPECT_EQ(made.error().what, "table t: pinot: POST /tables: HTTP 500: TopicDoesNotExist");
  EXPECT_THAT(calls(),
              ElementsAre("GET /tables", "POST /schemas", "POST /tables", "DELETE /schemas/t"));
}

TEST_F(Clients, LeaveTheTableAloneWhenTheSchemaIsRefused) {
  script("GET /tables", answer(200, R"({"tables":[]})"));
  script("POST /schemas", answer(400, R"({"error":"Invalid schema"})"));

  const auto made = wait(controller().create(table_t(), in(5s)));

  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().what,
              HasSubstr("schema t: pinot: POST /schemas: HTTP 400: Invalid schema"));
  EXPECT_THAT(calls(), Not(Contains("POST /tables")));
}

class MadeTable : public Clients {
 protected:
  MadeTable() {
    script("GET /tables", answer(200, R"({"tables":[]})"));
    script("POST /schemas", answer(200, "{}"));
    script("POST /tables", answer(200, "{}"));
    script(
        "GET /tables/t/idealstate",
        answer(200,
               R"({"REALTIME":{"t__0__0__x":{"S":"CONSUMING"},"t__1__0__x":{"S":"CONSUMING"}}})"));
    script("GET /tables/t/livebrokers", answer(200, R"(["B"])"));
  }
};

TEST_F(MadeTable, IsReadyWhenEveryPartitionConsumes) {
  script("GET /tables/t/externalview",
         answer(200,
                R"({"REALTIME":{"t__0__0__x":{"S":"CONSUMING"},"t__1__0__x":{"S":"CONSUMING"}}})"));

  const auto made = wait(controller().create(table_t(), in(5s)));

  EXPECT_TRUE(made) << made.error().what;
}

TEST_F(MadeTable, IsNotReadyWhileOnePartitionIsMissing) {
  script(
      "GET /tables/t/externalview",
      answer(200, R"({"REALTIME":{"t__0__0__x":{"S":"CONSUMING"},"t__1__0__x":{"S":"OFFLINE"}}})"));

  const auto made = wait(controller().create(table_t(), in(1s)));

  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, Errc::timed_out);
  EXPECT_EQ(made.error().what, "pinot table t: 1 of 2 partitions consumed in time");
}

TEST_F(MadeTable, IsDescribedAsItWasSeenLastWhenTheDeadlineCutsALookShort) {
  script(
      "GET /tables/t/externalview",
      answer(200, R"({"REALTIME":{"t__0__0__x":{"S":"CONSUMING"},"t__1__0__x":{"S":"OFFLINE"}}})"));
  held_from_ = 7;  // Three calls make it, three are the first look.

  const auto made = wait(controller().create(table_t(), in(1s)));

  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, Errc::timed_out);
  EXPECT_EQ(made.error().what, "pinot table t: 1 of 2 partitions consumed in time");
  EXPECT_EQ(calls().size(), 7U);
}

TEST_F(MadeTable, IsNotReadyWhileNoBrokerKnowsIt) {
  script("GET /tables/t/externalview",
         answer(200,
                R"({"REALTIME":{"t__0__0__x":{"S":"CONSUMING"},"t__1__0__x":{"S":"CONSUMING"}}})"));
  script("GET /tables/t/livebrokers", answer(200, "[]"));

  const auto made = wait(controller().create(table_t(), in(1s)));

  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().what,
              HasSubstr("2 of 2 partitions consumed, known to no broker, in time"));
}

TEST_F(Clients, DropWaitsUntilTheServersHaveLetGo) {
  script("DELETE /tables/t?type=realtime&retention=0d", answer(200, "{}"));
  script("GET /tables/t/externalview",
         answer(200, R"({"REALTIME":{"t__0__0__x":{"S":"OFFLINE"}}})"));
  script("DELETE /schemas/t", answer(200, "{}"));

  const auto early = wait(controller().drop("t", in(1s)));
  script("GET /tables/t/externalview", answer(404, "{}"));
  const auto gone = wait(controller().drop("t", in(5s)));

  ASSERT_FALSE(early);
  EXPECT_EQ(early.error().what, "pinot table t: 1 segments were not let go of in time");
  ASSERT_TRUE(gone) << gone.error().what;
  EXPECT_TRUE(*gone);
}

TEST_F(Clients, DropOfNothingTakesALeftSchemaAway) {
  script("DELETE /schemas/t", answer(200, "{}"));

  const auto gone = wait(controller().drop("t", in(5s)));

  ASSERT_TRUE(gone) << gone.error().what;
  EXPECT_FALSE(*gone);
  EXPECT_THAT(calls(), Contains("DELETE /schemas/t"));
}

TEST_F(Clients, SegmentsThatGoMeanwhileAreLeftOut) {
  script("GET /segments/t?type=REALTIME",
         answer(200, R"([{"REALTIME":["t__0__1__x","t__0__0__x"]}])"));
  script("GET /segments/t_REALTIME/t__0__1__x/metadata",
         answer(200, R"({"segment.realtime.status":"IN_PROGRESS"})"));

  const auto segments = wait(controller().segments("t", in(5s)));

  ASSERT_TRUE(segments) << segments.error().what;
  ASSERT_EQ(segments->size(), 1u);
  EXPECT_EQ((*segments)[0].number, 1);
}

TEST_F(Clients, TellWhichInstancesAreGone) {
  script("GET /instances", answer(200, R"({"instances":["Server_h_1","Broker_h_2"]})"));
  script("GET /cluster/info", answer(200, R"({"clusterName":"my flow"})"));
  script("GET /zk/ls?path=%2Fmy%20flow%2FLIVEINSTANCES", answer(200, R"(["Broker_h_2"])"));

  const auto instances = wait(controller().instances(in(5s)));

  ASSERT_TRUE(instances) << instances.error().what;
  ASSERT_EQ(instances->size(), 2u);
  EXPECT_TRUE((*instances)[0].is_live);
  EXPECT_FALSE((*instances)[1].is_live);
  EXPECT_EQ((*instances)[1].role, "server");
}

}  // namespace
}  // namespace flow::analytics

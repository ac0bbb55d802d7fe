// What Pinot answers to a statement, as it is (0.11.0) and as it should not be.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "analytics/sql_client.hpp"

namespace flow::analytics {
namespace {

using base::Errc;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;
namespace json = base::json;

constexpr std::string_view whole = R"({
  "resultTable": {
    "dataSchema": {"columnNames": ["id", "itemProductIds", "avg"],
                   "columnDataTypes": ["LONG", "LONG_ARRAY", "DOUBLE"]},
    "rows": [[1, [3, 4], 0.5], [2, [], "NaN"]]},
  "exceptions": [], "numServersQueried": 1, "numServersResponded": 1, "numDocsScanned": 2,
  "numGroupsLimitReached": false, "totalDocs": 304, "timeUsedMs": 12, "traceInfo": {},
  "minConsumingFreshnessTimeMs": 1795550046245})";

json::object changed(std::string_view key, json::value value) {
  json::object answer = json::parse(whole).get_object();
  answer[key] = std::move(value);
  return answer;
}

json::object failed(std::int64_t code, std::string_view message) {
  return {{"exceptions", json::array{json::object{{"errorCode", code}, {"message", message}}}},
          {"numServersQueried", 0},
          {"numServersResponded", 0}};
}

base::Error error_of(const json::value& answer) {
  const auto parsed = parse_sql_answer(answer);
  EXPECT_FALSE(parsed) << json::serialize(answer);
  return parsed ? base::Error{} : parsed.error();
}

TEST(SqlAnswer, HasColumnsTypesRowsAndCounts) {
  const auto answer = parse_sql_answer(json::parse(whole));

  ASSERT_TRUE(answer) << answer.error().what;
  EXPECT_THAT(answer->columns, ElementsAre("id", "itemProductIds", "avg"));
  EXPECT_THAT(answer->types, ElementsAre("LONG", "LONG_ARRAY", "DOUBLE"));
  ASSERT_EQ(answer->rows.size(), 2u);
  EXPECT_EQ(json::serialize(answer->rows[0]), "[1,[3,4],5E-1]");
  EXPECT_EQ(answer->time_used_ms, 12);
  EXPECT_EQ(answer->docs_scanned, 2);
  EXPECT_EQ(answer->total_docs, 304);
  EXPECT_EQ(answer->servers_queried, 1);
  EXPECT_EQ(answer->servers_responded, 1);
  EXPECT_EQ(answer->min_consuming_freshness_unix_ms, 1795550046245);
  EXPECT_FALSE(answer->is_groups_limit_reached);
  EXPECT_THAT(answer->exceptions, IsEmpty());
}

TEST(SqlAnswer, SaysWhenGroupsWereLeftOut) {
  const auto answer = parse_sql_answer(changed("numGroupsLimitReached", true));

  ASSERT_TRUE(answer);
  EXPECT_TRUE(answer->is_groups_limit_reached);
}

TEST(SqlAnswer, HasNoFreshnessWhereNothingConsumed) {
  for (const std::int64_t nothing : {std::int64_t{0}, std::int64_t{-1}, INT64_MAX}) {
    const auto answer = parse_sql_answer(changed("minConsumingFreshnessTimeMs", nothing));

    ASSERT_TRUE(answer) << answer.error().what;
    EXPECT_EQ(answer->min_consuming_freshness_unix_ms, std::nullopt) << nothing;
  }
}

TEST(SqlAnswer, TakesAnAnswerWithoutTheCountsOfAnotherVersion) {
  json::object bare;
  bare["resultTable"] = json::parse(whole).at("resultTable");

  const auto answer = parse_sql_answer(bare);

  ASSERT_TRUE(answer) << answer.error().what;
  EXPECT_EQ(answer->rows.size(), 2u);
  EXPECT_EQ(answer->total_docs, 0);
}

TEST(SqlAnswer, BlamesTheStatementForWhatIsItsFault) {
  for (const int code : {100, 101, 150, 190, 700, 710}) {
    EXPECT_EQ(error_of(failed(code, "TableDoesNotExistError")).code, Errc::config) << code;
  }
  for (const int code : {0, 200, 210, 250, 305, 400, 410, 427, 450}) {
    EXPECT_EQ(error_of(failed(code, "BrokerTimeoutError")).code, Errc::refused) << code;
  }
}

TEST(SqlAnswer, TellsTheExceptionWithoutItsStack) {
  const auto error = error_of(
      failed(150,
             "SQLParsingError:\norg.apache.pinot.sql.parsers.SqlCompilationException: Caught "
             "exception while parsing query: selec\n\tat org.apache.pinot.X.y(Z.java:1)\n...\n"
             "Caused by: java.lang.Exception: Non-query expression\n\tat a.b(C.java:2)"));

  EXPECT_EQ(error.what,
            "pinot: SQLParsingError: Caught exception while parsing query: selec; "
            "Non-query expression (error 150)");
}

TEST(SqlAnswer, WithAnExceptionIsAnErrorEvenWithRows) {
  auto partial = json::parse(whole).get_object();
  partial["exceptions"] = failed(427, "1 servers [S] not responded").at("exceptions");

  const auto refused = parse_sql_answer(partial);
  const auto taken = parse_sql_answer(partial, Exceptions::are_in_answer);

  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::refused);
  ASSERT_TRUE(taken) << taken.error().what;
  EXPECT_EQ(taken->rows.size(), 2u);
  EXPECT_THAT(taken->exceptions, ElementsAre("1 servers [S] not responded (error 427)"));
}

TEST(SqlAnswer, WithoutTheWordOfAServerIsAnError) {
  const auto error = error_of(changed("numServersQueried", 3));
  const auto taken = parse_sql_answer(changed("numServersQueried", 3), Exceptions::are_in_answer);

  EXPECT_EQ(error.code, Errc::refused);
  EXPECT_THAT(error.what, HasSubstr("1 of 3 servers answered"));
  ASSERT_TRUE(taken);
  EXPECT_THAT(taken->exceptions, ElementsAre("1 of 3 servers answered"));
}

TEST(SqlAnswer, OfExceptionsAloneHasNoRows) {
  const auto taken = parse_sql_answer(failed(190, "gone"), Exceptions::are_in_answer);

  ASSERT_TRUE(taken) << taken.error().what;
  EXPECT_THAT(taken->rows, IsEmpty());
  EXPECT_THAT(taken->columns, IsEmpty());
}

TEST(SqlAnswer, ThatIsNoneIsTheServersFault) {
  const json::value row_of_another_width = {
      {"dataSchema", json::parse(whole).at("resultTable").at("dataSchema")},
      {"rows", json::array{json::array{1}}}};
  const json::value fewer_types = {
      {"dataSchema", {{"columnNames", {"a", "b"}}, {"columnDataTypes", json::array{"INT"}}}},
      {"rows", json::array{}}};
  const json::value answers[] = {
      nullptr,
      json::array{},
      "text",
      json::object{},
      changed("resultTable", nullptr),
      changed("resultTable", json::array{}),
      changed("resultTable", json::object{}),
      changed("resultTable", {{"dataSchema", nullptr}, {"rows", json::array{}}}),
      changed("resultTable", row_of_another_width),
      changed("resultTable", fewer_types),
      changed("exceptions", "none"),
      changed("exceptions", json::object{}),
      changed("timeUsedMs", "12"),
      changed("timeUsedMs", 1.5),
      changed("totalDocs", json::parse("18446744073709551615")),
      changed("totalDocs", json::parse("1e300")),
      changed("minConsumingFreshnessTimeMs", json::parse("9223372036854775808")),
      changed("numServersQueried", nullptr),
  };
  for (const auto& answer : answers) {
    const auto error = error_of(answer);
    EXPECT_EQ(error.code, Errc::protocol) << json::serialize(answer) << ": " << error.what;
    EXPECT_THAT(error.what, StartsWith("pinot")) << json::serialize(answer);
  }
}

TEST(SqlAnswer, SurvivesOddExceptions) {
  for (const json::value& odd :
       {json::value("text"), json::value(nullptr), json::value(7), json::value(json::object{}),
        json::value(json::object{{"errorCode", "x"}, {"message", 5}})}) {
    const auto error = error_of(changed("exceptions", json::array{odd}));

    EXPECT_EQ(error.code, Errc::refused) << json::serialize(odd);
    EXPECT_THAT(error.what, Not(IsEmpty()));
  }
}

TEST(SqlText, DoublesQuotes) {
  EXPECT_EQ(sql_text("it's"), "'it''s'");
  EXPECT_EQ(sql_text(""), "''");
  EXPECT_EQ(sql_text("'; DROP"), "'''; DROP'");
}

}  // namespace
}  // namespace flow::analytics

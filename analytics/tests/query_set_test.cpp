// SPDX-License-Identifier: Apache-2.0
#include "analytics/query_set.hpp"

#include <gmock/gmock.h>

namespace flow::analytics {
namespace {

using base::Errc;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string error_of(std::string_view text) {
  const auto set = parse_query_set(text, "q.yaml");
  EXPECT_FALSE(set) << text;
  if (set) return "";
  EXPECT_EQ(set.error().code, Errc::config);
  return set.error().what;
}

TEST(QuerySet, IsReadInTheOrderOfTheFile) {
  const auto set = parse_query_set(
      "queries:\n"
      "  - name: orders_by_status\n"
      "    title: Orders by status\n"
      "    sql: SELECT COUNT(*) FROM {orders}\n"
      "  - {name: b2, title: B, sql: SELECT 1}\n",
      "q.yaml");

  ASSERT_TRUE(set) << set.error().what;
  ASSERT_EQ(set->queries.size(), 2u);
  EXPECT_EQ(set->queries[0].name, "orders_by_status");
  EXPECT_EQ(set->queries[0].title, "Orders by status");
  EXPECT_EQ(set->queries[0].sql, "SELECT COUNT(*) FROM {orders}");
  EXPECT_EQ(set->queries[1].name, "b2");
}

TEST(QuerySet, FillsInTablesAndTheTime) {
  EXPECT_EQ(fill_in("SELECT * FROM {orders}, {users}, {products} WHERE t > {now_ms} - 60000",
                    "kafka_", 1795550046245),
            "SELECT * FROM kafka_orders, kafka_users, kafka_products WHERE t > 1795550046245 - "
            "60000");
  EXPECT_EQ(fill_in("{orders}", "", 0), "orders");
  EXPECT_EQ(fill_in("SELECT 1", "kafka_", 0), "SELECT 1");
}

TEST(QuerySet, NamesFileAndLineOfAnUnknownPlaceholder) {
  EXPECT_THAT(
      error_of("queries:\n  - name: a\n    title: A\n    sql: SELECT {order} FROM {orders}\n"),
      AllOf(StartsWith("q.yaml:4: /queries/0/sql"), HasSubstr("found 'order'")));
}

TEST(QuerySet, RefusesABraceWithoutItsPartner) {
  for (const char* sql : {"'SELECT {orders'", "'SELECT }'", "'SELECT } {orders}'", "'{{orders}}'",
                          "'SELECT {}'", "'{'"}) {
    EXPECT_THAT(error_of(std::string("queries: [{name: a, title: A, sql: ") + sql + "}]\n"),
                StartsWith("q.yaml:1: /queries/0/sql"))
        << sql;
  }
}

TEST(QuerySet, RefusesNamesThatAreNoneOrOccurTwice) {
  EXPECT_THAT(error_of("queries:\n  - {name: a b, title: A, sql: S}\n"), StartsWith("q.yaml:2: "));
  EXPECT_THAT(error_of("queries:\n  - {name: '', title: A, sql: S}\n"), StartsWith("q.yaml:2: "));
  EXPECT_THAT(
      error_of("queries:\n  - {name: a, title: A, sql: S}\n  - {name: a, title: B, sql: S}\n"),
      AllOf(StartsWith("q.yaml:3: "), HasSubstr("'a' occurs twice")));
}

TEST(QuerySet, RefusesAFileThatIsNone) {
  EXPECT_THAT(error_of(""), HasSubstr("expected a map"));
  EXPECT_THAT(error_of("queries: []\n"), HasSubstr("expected one at least"));
  EXPECT_THAT(error_of("querys: []\n"), HasSubstr("queries: this key is missing"));
  EXPECT_THAT(error_of("queries: 5\n"), HasSubstr("a list of maps"));
  EXPECT_THAT(error_of("queries: [{name: a, title: A}]\n"), HasSubstr("sql: this key is missing"));
  EXPECT_THAT(error_of("queries: [{name: a, title: A, sql: ' '}]\n"), HasSubstr("found nothing"));
  EXPECT_THAT(error_of("queries: [{name: a, title: A, sql: S, weight: 2}]\n"),
              HasSubstr("weight: unknown key"));
  EXPECT_FALSE(load_query_set("/nonexistent/q.yaml"));
}

// The statements that Flow ships.
TEST(QuerySet, OfTheDashboardIsRead) {
  const auto set = load_query_set(FLOW_SOURCE_DIR "/experiments/queries/dashboard.yaml");

  ASSERT_TRUE(set) << set.error().what;
  std::vector<std::string> names;
  for (const auto& query : set->queries) names.push_back(query.name);
  EXPECT_THAT(names, testing::ElementsAre("revenue_per_minute", "top_products", "orders_by_status",
                                          "funnel_viewed", "funnel_orders", "distinct_users"));
}

}  // namespace
}  // namespace flow::analytics

// SPDX-License-Identifier: Apache-2.0
#include "analytics/answer_table.hpp"

#include <gmock/gmock.h>

namespace flow::analytics {
namespace {

namespace json = base::json;

TEST(TextTable, LinesUpNumbersToTheRightAndTextsToTheLeft) {
  SqlAnswer answer;
  answer.columns = {"id", "name", "amount"};
  answer.types = {"LONG", "STRING", "DOUBLE"};
  answer.rows = json::parse(R"([[1, "Ärger", 20.2], [1000, "x", 7e20]])").get_array();

  EXPECT_EQ(text_table(answer),
            "  id  name   amount\n"
            "----  -----  ------\n"
            "   1  Ärger    20.2\n"
            "1000  x       7e+20\n");
}

TEST(TextTable, ShowsListsAsJsonAndNullAsNothing) {
  SqlAnswer answer;
  answer.columns = {"items", "a"};
  answer.types = {"LONG_ARRAY", "STRING"};
  answer.rows = json::parse(R"([[[3, 4], null], [[], "b"]])").get_array();

  EXPECT_EQ(text_table(answer),
            "items  a\n"
            "-----  -\n"
            "[3,4]\n"
            "[]     b\n");
}

TEST(TextTable, CannotCommandATerminal) {
  SqlAnswer answer;
  answer.columns = {"a\x1b[2J"};
  answer.types = {"STRING"};
  answer.rows = json::array{json::array{"x\n\t\x07"}};

  EXPECT_EQ(text_table(answer),
            "a\\x1b[2J\n"
            "---------\n"
            "x\\n\\t\\x07\n");
}

TEST(TextTable, OfNoRowsHasItsHeader) {
  SqlAnswer answer;
  answer.columns = {"count(*)"};
  answer.types = {"LONG"};

  EXPECT_EQ(text_table(answer), "count(*)\n--------\n");
}

}  // namespace
}  // namespace flow::analytics

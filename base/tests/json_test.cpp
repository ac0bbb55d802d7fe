// SPDX-License-Identifier: Apache-2.0
#include "base/json.hpp"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>

namespace flow::base {
namespace {

using ::testing::StartsWith;

TEST(Json, NamesFileAndLineOfAMistake) {
  const auto broken = parse_json("{\n  \"a\": 1,\n  \"b\": oops\n}", "trial.json");
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().code, Errc::config);
  EXPECT_THAT(broken.error().what, StartsWith("trial.json: line 3: not JSON"));
}

TEST(Json, TakesOneWholeValue) {
  EXPECT_TRUE(parse_json(" {\"a\": [1, 2]} \n", "x"));
  for (const char* text : {"", " ", "{", "[1,", "{} {}", "1 2", "{\"a\":}", "nul", "\"a"}) {
    EXPECT_FALSE(parse_json(text, "x")) << text;
  }
}

TEST(Json, RefusesNestingThatWouldExhaustTheStack) {
  EXPECT_FALSE(parse_json(std::string(100'000, '['), "x"));
}

TEST(Json, SaysWhichFileCannotBeOpened) {
  const auto missing = read_json_file("/nonexistent/trial.json");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().what, "/nonexistent/trial.json: cannot be opened");
}

TEST(JsonView, ReadsEveryKind) {
  const auto value =
      parse_json(R"({"t":"x","i":-3,"d":1.5,"b":true,"a":[1],"o":{"deep":7}})", "f").value();
  const JsonView view(value, "f: ");

  EXPECT_EQ(*view.at("t")->text(), "x");
  EXPECT_EQ(*view.at("i")->whole_number(), -3);
  EXPECT_EQ(*view.at("i")->number(), -3.0);
  EXPECT_EQ(*view.at("d")->number(), 1.5);
  EXPECT_EQ(*view.at("b")->boolean(), true);
  EXPECT_EQ((*view.at("a")->array())->size(), 1U);
  EXPECT_EQ(*view.at("o")->at("deep")->whole_number(), 7);
  EXPECT_EQ((*view.at("o")->object())->size(), 1U);
}

TEST(JsonView, ReadsWholeNumbersThatWereBuiltUnsigned) {
  const json::value value = {{"small", std::uint64_t{7}}, {"large", UINT64_MAX}};
  const JsonView view(value, "f: ");
  EXPECT_EQ(*view.at("small")->whole_number(), 7);
  EXPECT_FALSE(view.at("large")->whole_number());
}

TEST(JsonView, NamesThePathTheFindingAndTheExpectation) {
  const auto value = parse_json(R"({"hops":{"count":"many"}})", "f").value();
  const JsonView view(value, "trial.json: ");
  const auto count = view.at("hops")->at("count");

  EXPECT_EQ(count->whole_number().error().what,
            "trial.json: /hops/count: expected a whole number below 2^63, found a string");
  EXPECT_EQ(count->number().error().what,
            "trial.json: /hops/count: expected a number, found a string");
  EXPECT_EQ(count->at("x").error().what,
            "trial.json: /hops/count: expected an object, found a string");
  EXPECT_EQ(view.at("hops")->at("sum").error().what, "trial.json: /hops: the key 'sum' is missing");
  EXPECT_EQ(view.at("hops")->text().error().what,
            "trial.json: /hops: expected a string, found an object");
  EXPECT_FALSE(count->boolean());
  EXPECT_FALSE(count->array());
  EXPECT_FALSE(count->object());
}

TEST(PrettyJson, IsReadableAndReadsBack) {
  const auto value = parse_json(R"({"b":0.705,"n":300.0,"l":[1,2.5],"o":{},"e":[],
                                    "deep":[{"x":"a\"b"}],"z":null})",
                                "f")
                         .value();

  const std::string text = pretty_json(value);

  EXPECT_EQ(text,
            "{\n  \"b\": 0.705,\n  \"n\": 300.0,\n  \"l\": [1, 2.5],\n  \"o\": {},\n"
            "  \"e\": [],\n  \"deep\": [\n    {\n      \"x\": \"a\\\"b\"\n    }\n  ],\n"
            "  \"z\": null\n}\n");
  EXPECT_EQ(parse_json(text, "f").value(), value);
}

TEST(PrettyJson, KeepsEveryBitOfADouble) {
  for (const double number : {0.1, 1.0 / 3, 1e300, 5e-324, -0.0, 123456789012345680.0}) {
    const auto back = parse_json(pretty_json(number), "f").value();
    EXPECT_EQ(back.as_double(), number);
  }
  EXPECT_EQ(pretty_json(std::numeric_limits<double>::infinity()), "null\n");
  EXPECT_EQ(pretty_json(std::nan("")), "null\n");
}

}  // namespace
}  // namespace flow::base

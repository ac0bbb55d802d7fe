// SPDX-License-Identifier: Apache-2.0
#include "base/yaml.hpp"

#include <functional>

#include <gmock/gmock.h>

namespace flow::base {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

// The text of the error that reading `text` with `read` ends in; empty for success.
std::string error_of(std::string_view text, const std::function<void(YamlMap&)>& read) {
  auto map = load_yaml(text, "study.yaml");
  if (!map) return map.error().what;
  read(*map);
  const auto done = map->finish();
  if (done) return "";
  EXPECT_EQ(done.error().code, Errc::config);
  return done.error().what;
}

TEST(Yaml, ReadsEveryKind) {
  auto map = load_yaml(
                 "name: one\nusers: 1_000\nbias: 0.705\non: true\nseeds: [1, 2]\n"
                 "names: [a, b]\nlevel: strong\n",
                 "study.yaml")
                 .value();
  std::string name, level;
  std::int64_t users = 0;
  double bias = 0;
  bool on = false;
  std::vector<std::int64_t> seeds = {9};
  std::vector<std::string> names;

  map.text("name", name);
  map.whole_number("users", users, 1, 1'000'000);
  map.number("bias", bias, 0.5, 1);
  map.boolean("on", on);
  map.whole_numbers("seeds", seeds, 0, 10);
  map.texts("names", names);
  map.choice("level", level, {"weak", "strong"});

  ASSERT_TRUE(map.finish());
  EXPECT_EQ(name, "one");
  EXPECT_EQ(users, 1000);
  EXPECT_EQ(bias, 0.705);
  EXPECT_TRUE(on);
  EXPECT_THAT(seeds, ElementsAre(1, 2));
  EXPECT_THAT(names, ElementsAre("a", "b"));
  EXPECT_EQ(level, "strong");
}

TEST(Yaml, LeavesDefaultsAloneWhenAKeyIsAbsent) {
  auto map = load_yaml("a: 1\n", "study.yaml").value();
  std::string text = "default";
  std::int64_t number = 7;
  map.text("t", text);
  map.whole_number("n", number, 0, 9);
  EXPECT_EQ(text, "default");
  EXPECT_EQ(number, 7);
  EXPECT_TRUE(map.has("a"));
  EXPECT_FALSE(map.has("t"));
}

TEST(Yaml, NamesAnUnknownKeyAndTheKnownOnes) {
  std::string out;
  EXPECT_EQ(error_of("name: x\n\nbais: 0.7\n",
                     [&](YamlMap& map) {
                       map.text("name", out);
                       map.text("bias", out);
                     }),
            "study.yaml:3: /bais: unknown key; known here: bias, name");
}

TEST(Yaml, NamesBothLinesOfAKeyThatOccursTwice) {
  std::string out;
  EXPECT_EQ(error_of("name: x\nother: y\nname: z\n", [&](YamlMap& map) { map.text("name", out); }),
            "study.yaml:3: /name: this key occurs twice (first in line 1)");
}

TEST(Yaml, NamesLinePathValueAndExpectationOfAWrongValue) {
  std::int64_t number = 5;
  double real = 5;
  bool flag = false;
  std::string text;
  std::vector<std::int64_t> numbers;
  std::vector<std::string> texts;
  const auto whole = [&](YamlMap& map) { map.whole_number("users", number, 1, 100); };

  EXPECT_EQ(error_of("\nusers: many\n", whole),
            "study.yaml:2: /users: expected a whole number from 1 to 100, found 'many'");
  for (const char* value : {"0", "101", "1.5", "1e2", "''", "0x10", "-5", "99999999999999999999"}) {
    EXPECT_THAT(error_of(fmt::format("users: {}\n", value), whole), HasSubstr("expected a whole"));
  }
  EXPECT_THAT(error_of("users: [1]\n", whole), HasSubstr("found a list"));
  EXPECT_THAT(error_of("users: {a: 1}\n", whole), HasSubstr("found a map"));
  EXPECT_THAT(error_of("users:\n", whole), HasSubstr("found nothing"));
  EXPECT_EQ(number, 5);
  for (const char* value : {"nan", ".nan", "inf", "half", "1.0x", ""}) {
    EXPECT_THAT(error_of(fmt::format("bias: {}\n", value),
                         [&](YamlMap& map) { map.number("bias", real, 0, 1); }),
                HasSubstr("/bias: expected a number from 0 to 1"));
  }
  EXPECT_THAT(error_of("on: yes\n", [&](YamlMap& map) { map.boolean("on", flag); }),
              HasSubstr("/on: expected true or false, found 'yes'"));
  EXPECT_THAT(error_of("t: [x]\n", [&](YamlMap& map) { map.text("t", text); }),
              HasSubstr("/t: expected a text, found a list"));
  EXPECT_THAT(error_of("l: up\n", [&](YamlMap& map) { map.choice("l", text, {"a", "b"}); }),
              HasSubstr("/l: expected one of a, b, found 'up'"));
  EXPECT_THAT(error_of("n: [1, x]\n", [&](YamlMap& map) { map.whole_numbers("n", numbers, 0, 9); }),
              HasSubstr("expected a list of whole numbers from 0 to 9, found 'x'"));
  EXPECT_THAT(error_of("n: x\n", [&](YamlMap& map) { map.texts("n", texts); }),
              HasSubstr("expected a list of texts, found 'x'"));
}

TEST(Yaml, NamesARequiredKeyThatIsMissing) {
  EXPECT_EQ(error_of("{}\n", [](YamlMap& map) { map.require("name"); }),
            "study.yaml: /name: this key is missing");
}

TEST(Yaml, ReportsTheFirstErrorOnly) {
  std::int64_t number = 0;
  EXPECT_THAT(error_of("a: x\nb: y\nc: z\n",
                       [&](YamlMap& map) {
                         map.whole_number("a", number, 0, 1);
                         map.whole_number("b", number, 0, 1);
                       }),
              HasSubstr("study.yaml:1: /a"));
}

TEST(Yaml, NestedMapsReportTheirWholePath) {
  auto map =
      load_yaml("load:\n  rate: 5\n  extra: 1\ncells:\n  - level: a\n  - levl: b\n", "s.yaml")
          .value();
  double rate = 0;
  std::string level;

  auto load = map.map("load");
  ASSERT_TRUE(load);
  load->number("rate", rate, 0, 10);
  EXPECT_EQ(rate, 5);
  EXPECT_EQ(load->finish().error().what, "s.yaml:3: /load/extra: unknown key; known here: rate");
  auto cells = map.maps("cells");
  ASSERT_EQ(cells.size(), 2U);
  cells[0].text("level", level);
  cells[1].text("level", level);
  EXPECT_TRUE(cells[0].finish());
  EXPECT_THAT(cells[1].finish().error().what, HasSubstr("s.yaml:6: /cells/1/levl: unknown key"));
  EXPECT_TRUE(map.finish());
  EXPECT_EQ(map.where("load"), "s.yaml:1: /load");
}

TEST(Yaml, RefusesTheWrongShapeForAMap) {
  EXPECT_THAT(error_of("m: 5\n", [](YamlMap& map) { map.map("m"); }), HasSubstr("expected a map"));
  EXPECT_THAT(error_of("m: {a: 1}\n", [](YamlMap& map) { map.maps("m"); }),
              HasSubstr("expected a list of maps, found a map"));
  EXPECT_THAT(error_of("m: [5]\n", [](YamlMap& map) { map.maps("m"); }),
              HasSubstr("expected a list of maps, found '5'"));
}

TEST(Yaml, HandsOverForeignSettingsInOrderAsWritten) {
  auto map = load_yaml("kafka:\n  linger.ms: 1\n  acks: all\n  ratio: 0.50\n", "s.yaml").value();
  EXPECT_THAT(map.settings("kafka"),
              ElementsAre(Pair("linger.ms", "1"), Pair("acks", "all"), Pair("ratio", "0.50")));
  EXPECT_TRUE(map.finish());
  EXPECT_THAT(error_of("k:\n  a: 1\n  a: 2\n", [](YamlMap& twice) { twice.settings("k"); }),
              HasSubstr("study.yaml:3: /k/a: this key occurs twice (first in line 2)"));
  EXPECT_THAT(error_of("k:\n  a: [1]\n", [](YamlMap& list) { list.settings("k"); }),
              HasSubstr("expected a map of plain values, found a list"));
}

TEST(Yaml, RefusesWhatIsNotOneMap) {
  const auto nothing = [](YamlMap&) {};
  EXPECT_EQ(error_of("", nothing), "study.yaml: expected a map, found nothing");
  EXPECT_EQ(error_of("[1]", nothing), "study.yaml: expected a map, found a list");
  EXPECT_EQ(error_of("a: 1\n---\nb: 2\n", nothing), "study.yaml: expected one document, found 2");
  EXPECT_THAT(error_of("a: 1\nb: [\n", nothing), HasSubstr("not YAML"));
  EXPECT_THAT(error_of("a: 1\n\tb: 2\n", nothing), HasSubstr("study.yaml:2: not YAML"));
  EXPECT_EQ(load_yaml_file("/nonexistent.yaml").error().what,
            "/nonexistent.yaml: cannot be opened");
}

}  // namespace
}  // namespace flow::base

// SPDX-License-Identifier: Apache-2.0
#include "lab/result/default_differences.hpp"

#include <gtest/gtest.h>

#include "lab/tests/scratch_folder.hpp"

namespace flow::lab {
namespace {

using base::json::object;
using base::json::value;

value parsed(std::string_view text) { return base::parse_json(text, "test").value(); }

TEST(DefaultDifferences, AreThoseOfTheFirstTrialOfEachCellThatHasThem) {
  test::ScratchFolder folder;
  folder.write("trials/001-kafka/servers.json", "no JSON");
  folder.write("trials/002-pulsar/servers.json",
               R"({"pulsar": {"differs_from_default": {"broker": [1], "bookie": [2]}},
                   "postgres": {"differs_from_default": {"postgres": [3]}}, "pinot": {}})");
  folder.write("trials/003-kafka/servers.json",
               R"({"kafka": {"differs_from_default": {"k": [4]}}})");
  folder.write("trials/004-kafka/servers.json",
               R"({"kafka": {"differs_from_default": {"k": [5]}}})");
  const auto experiment = parsed(
      R"({"plan": {"order": [{"trial": 1, "cell": "kafka"}, {"trial": 2, "cell": "pulsar"},
          {"trial": 3, "cell": "kafka"}, {"trial": 4, "cell": "kafka"}, {"trial": 5, "cell": "x"}]}})");

  const auto cells = differences_by_cell(folder.path(), experiment);

  EXPECT_EQ(value(cells), parsed(R"({"pulsar": {"broker": [1], "bookie": [2], "postgres": [3]},
                                     "kafka": {"k": [4]}})"));
}

TEST(DefaultDifferences, AreNoneWithoutAPlanOrAFolder) {
  test::ScratchFolder folder;

  EXPECT_EQ(differences_by_cell(folder.path(), object{}), object{});
  EXPECT_EQ(differences_by_cell(folder / "nowhere", parsed(R"({"plan": {"order": [1, {}]}})")),
            object{});
}

}  // namespace
}  // namespace flow::lab

// What a dashboard sees of a folder of results while others write, crash, rename and delete in it.
// SPDX-License-Identifier: Apache-2.0
#include "lab/dashboard/dashboard.hpp"

#include <chrono>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lab/result/running_mark.hpp"
#include "lab/tests/scratch_folder.hpp"

namespace flow::lab {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using base::json::value;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::string_view experiment =
    R"({"name": "demo", "question": "Which?", "created_unix_ns": 1795000000000000000,
        "plan": {"blocks": 1, "cells": [{"id": "kafka-a"}, {"id": "pulsar-a"}],
                 "order": [{"trial": 1, "cell": "kafka-a"}, {"trial": 2, "cell": "pulsar-a"}]},
        "levels": {"a": {"promises": "p", "like_for_like": false, "kafka": {"secret": 1}}},
        "effective": {"much": 1}})";
constexpr std::string_view trial_document =
    R"({"trial": 1, "cell": "kafka-a", "state": "complete", "valid": false,
        "gates": [{"name": "steal", "holds": false, "words": "stolen: 3 %"},
                  {"name": "x", "holds": true}],
        "sums": [{"phase": "measured", "name": "a = b", "holds": false}],
        "hops": {"response_time": {"count": 3, "p50_ns": 1, "p99_ns": 2, "hdr_v2": "HIST"}}})";

class DashboardTest : public testing::Test {
 protected:
  // A result as a coordinator makes it.
  void make_result(const std::string& name) {
    folder_.write(name + "/experiment.json", experiment);
    fs::create_directories(folder_ / name / "trials");
  }
  void run(const std::string& name) {
    auto mark = RunningMark::create(folder_ / name, 60s);
    ASSERT_TRUE(mark) << mark.error().what;
    marks_[name] = std::move(*mark);
  }
  void line(const std::string& result, const std::string& trial, std::string_view text) {
    folder_.append(result + "/trials/" + trial + "/intervals.jsonl", text);
  }

  std::vector<Event> poll() { return dashboard_.poll(now_ += 2s); }
  std::vector<std::string> types_of(const std::vector<Event>& events) {
    std::vector<std::string> types;
    for (const auto& event : events) types.push_back(event.type);
    return types;
  }
  std::vector<std::string> poll_types() { return types_of(poll()); }
  static value parsed(const Event& event) { return *base::parse_json(event.data, event.type); }
  value state() { return parsed(dashboard_.snapshot(7)); }
  // Of the results in the list, "name: state done/planned".
  std::vector<std::string> results() {
    std::vector<std::string> rows;
    const value snapshot = state();
    for (const auto& row : snapshot.at("results").as_array()) {
      rows.push_back(fmt::format("{}: {} {}/{}", std::string_view(row.at("name").as_string()),
                                 std::string_view(row.at("state").as_string()),
                                 row.at("trials_done").to_number<int>(),
                                 row.at("trials_planned").to_number<int>()));
    }
    return rows;
  }

  test::ScratchFolder folder_;
  std::map<std::string, std::unique_ptr<RunningMark>> marks_;
  Dashboard dashboard_{{.folder = folder_.path(), .epoch = "e", .flow_facts = {{"version", "1"}}}};
  base::TimePoint now_{};
};

TEST_F(DashboardTest, ListsResultsTheNewestFirstAndWatchesNoneWhenNothingRuns) {
  make_result("1-sealed");
  folder_.append("1-sealed/trials/001/trial.json", trial_document);
  folder_.append("1-sealed/SHA256SUMS", "");
  make_result("2-killed");
  folder_.append("3-no-result/notes.txt", "");
  folder_.append("a-file", "");

  EXPECT_THAT(poll_types(), ElementsAre("results"));

  EXPECT_THAT(results(), ElementsAre("2-killed: interrupted 0/2", "1-sealed: sealed 1/2"));
  EXPECT_TRUE(state().at("current").is_null());
  EXPECT_THAT(poll_types(), IsEmpty());  // Nothing changed.
}

TEST_F(DashboardTest, TellsARunFromItsBeginningToItsEnd) {
  poll();
  make_result("run");
  run("run");
  const auto begun = poll();
  ASSERT_THAT(types_of(begun), ElementsAre("results", "current"));
  EXPECT_EQ(parsed(begun[1]).at("state").as_string(), "running");
  EXPECT_EQ(parsed(begun[1]).at("estimated_seconds").to_number<double>(), 60);
  EXPECT_TRUE(parsed(begun[1]).at("trial").is_null());

  line("run", "001-kafka-a", "{\"kind\":\"step\",\"step\":\"starting\"}\n");
  const auto first = poll();
  ASSERT_THAT(types_of(first), ElementsAre("progress", "trial"));
  EXPECT_EQ(parsed(first[1]).at("id").as_string(), "001-kafka-a");
  EXPECT_EQ(parsed(first[1]).at("steps").as_array().size(), 1u);

  line("run", "001-kafka-a", "{\"kind\":\"live\",\"unix_s\":1}\n{\"kind\":\"resources\"}\n");
  const auto second = poll();
  ASSERT_THAT(types_of(second), ElementsAre("lines"));
  EXPECT_EQ(parsed(second[0]).at("lines").as_array().size(), 2u);

  folder_.append("run/trials/001-kafka-a/trial.json", trial_document);
  const auto sealed = poll();
  ASSERT_THAT(types_of(sealed), ElementsAre("results", "progress"));
  EXPECT_EQ(parsed(sealed[1]).at("trials").as_array().size(), 1u);

  line("run", "002-pulsar-a", "{\"kind\":\"step\",\"step\":\"starting\"}\n");
  EXPECT_THAT(poll_types(), ElementsAre("progress", "trial"));

  folder_.append("run/SHA256SUMS", "");
  marks_.clear();
  const auto ended = poll();
  ASSERT_THAT(types_of(ended), ElementsAre("results", "progress"));
  EXPECT_EQ(parsed(ended[1]).at("state").as_string(), "sealed");
  EXPECT_FALSE(state().at("current").is_null());  // Its numbers stay in sight.
}

// Whoever comes later must see what somebody saw who looked on all the time.
TEST_F(DashboardTest, ShowsALateComerTheWholeTrial) {
  make_result("run");
  run("run");
  line("run", "001-kafka-a", "{\"kind\":\"step\",\"step\":\"measuring\"}\n");
  poll();
  for (int i = 0; i < 5; ++i) {
    line("run", "001-kafka-a", fmt::format("{{\"kind\":\"live\",\"unix_s\":{}}}\n", i));
    line("run", "001-kafka-a", "{\"kind\":\"gates\",\"gates\":[]}\n");
    poll();
  }

  Dashboard late({.folder = folder_.path(), .epoch = "late"});
  late.poll(now_);

  EXPECT_EQ(parsed(late.snapshot(7)).at("current"), state().at("current"));
  EXPECT_EQ(state().at("current").at("trial").at("seconds").as_array().size(), 5u);
}

TEST_F(DashboardTest, GivesEveryChangeANumberThatAClientCanComeBackTo) {
  make_result("run");
  run("run");
  poll();
  const auto seen = dashboard_.snapshot(7);
  line("run", "001-kafka-a", "{\"kind\":\"live\"}\n");
  const auto events = poll();

  const auto missed = dashboard_.events_after(seen.id);

  ASSERT_TRUE(missed);
  EXPECT_EQ(types_of(*missed), types_of(events));
  EXPECT_FALSE(dashboard_.events_after("other-1"));
}

TEST_F(DashboardTest, SeesACoordinatorDieAndGoOn) {
  make_result("run");
  run("run");
  line("run", "001-kafka-a", "{\"kind\":\"live\",\"unix_s\":1}\n");
  poll();

  marks_.clear();  // The kernel takes the lock back.
  EXPECT_THAT(poll_types(), ElementsAre("results", "progress"));
  EXPECT_THAT(results(), ElementsAre("run: interrupted 0/2"));
  EXPECT_EQ(state().at("current").at("state").as_string(), "interrupted");

  // --resume: the interrupted try is set aside, the trial begins again.
  fs::create_directories(folder_ / "run/interrupted");
  fs::rename(folder_ / "run/trials/001-kafka-a", folder_ / "run/interrupted/001-kafka-a-1");
  run("run");
  line("run", "001-kafka-a", "{\"kind\":\"live\",\"unix_s\":2}\n");
  const auto again = poll();

  ASSERT_THAT(types_of(again), ElementsAre("results", "progress", "trial"));
  const value told = parsed(again[2]);
  ASSERT_EQ(told.at("seconds").as_array().size(), 1u);
  EXPECT_EQ(told.at("seconds").at(0).at("unix_s").to_number<int>(), 2);
}

TEST_F(DashboardTest, TurnsToTheExperimentThatRuns) {
  make_result("1");
  run("1");
  poll();
  marks_.clear();
  make_result("2");
  run("2");

  EXPECT_THAT(poll_types(), ElementsAre("results", "current"));
  EXPECT_EQ(state().at("current").at("name").as_string(), "2");
}

TEST_F(DashboardTest, SurvivesTheEndOfWhatItWatches) {
  make_result("run");
  run("run");
  line("run", "001-kafka-a", "{\"kind\":\"live\"}\n");
  poll();

  fs::remove_all(folder_ / "run");
  EXPECT_THAT(poll_types(), ElementsAre("results", "current"));
  EXPECT_TRUE(state().at("current").is_null());

  fs::remove_all(folder_.path());
  poll();
  EXPECT_FALSE(state().at("is_folder_there").as_bool());
  make_result("new");
  poll();
  EXPECT_THAT(results(), ElementsAre("new: interrupted 0/2"));
}

TEST_F(DashboardTest, SaysOfAFinishedTrialWhatARowNeeds) {
  make_result("run");
  run("run");
  folder_.append("run/trials/001-kafka-a/trial.json", trial_document);
  folder_.append("run/trials/002-pulsar-a/trial.json", "{cut");
  poll();

  const value current = state().at("current");
  const value& rows = current.at("trials");
  ASSERT_EQ(rows.as_array().size(), 2u);
  const auto& row = rows.at(0);
  EXPECT_EQ(row.at("id").as_string(), "001-kafka-a");
  EXPECT_EQ(row.at("broken").at(0).as_string(), "stolen: 3 %");
  EXPECT_EQ(row.at("broken").at(1).as_string(), "measured: a = b");
  EXPECT_EQ(row.at("hops").at("response_time").at("p99_ns").to_number<int>(), 2);
  EXPECT_FALSE(row.at("hops").at("response_time").as_object().contains("hdr_v2"));
  EXPECT_EQ(rows.at(1).at("state").as_string(), "unreadable");
  EXPECT_THAT(std::string(rows.at(1).at("state_words").as_string()), HasSubstr("trial.json"));
  const auto& told = current.at("experiment").as_object();
  EXPECT_FALSE(told.contains("effective"));
  EXPECT_FALSE(told.at("levels").at("a").as_object().contains("kafka"));
}

TEST_F(DashboardTest, LeavesOutLinesThatAreNoneAndCountsThem) {
  make_result("run");
  run("run");
  line("run", "001",
       "garbage\n[1]\n{\"kind\":\"by_intended\"}\n{\"kind\":\"live\"}\n{\"kind\":\"li");
  poll();

  const value trial = state().at("current").at("trial");
  EXPECT_EQ(trial.at("seconds").as_array().size(), 1u);
  EXPECT_EQ(trial.at("lines_left_out").to_number<int>(), 1);
}

TEST_F(DashboardTest, SaysWhatIsWrongWithAResultThatCannotBeRead) {
  folder_.append("broken/experiment.json", "{");
  fs::create_directories(folder_ / "odd");
  fs::create_symlink("/etc/passwd", folder_ / "odd/experiment.json");
  poll();

  EXPECT_THAT(results(), ElementsAre("broken: unreadable 0/0"));
  EXPECT_THAT(std::string(state().at("results").at(0).at("words").as_string()),
              HasSubstr("experiment.json"));
}

TEST_F(DashboardTest, LeavesOutFoldersWhoseNamesCannotBeShown) {
  make_result("good ünd 'odd' <name>");
  make_result("bad\xff");
  make_result("bad\n");
  poll();

  EXPECT_THAT(results(), ElementsAre("good ünd 'odd' <name>: interrupted 0/2"));
  EXPECT_EQ(state().at("results_left_out").to_number<int>(), 2);
}

TEST_F(DashboardTest, FindsFoldersByTheNamesInItsListOnly) {
  make_result("run");
  folder_.append("no-result/file", "");
  poll();

  EXPECT_EQ(dashboard_.folder_of("run"), folder_ / "run");
  for (const auto* name :
       {"", ".", "..", "../run", "run/", "run/trials", "/etc", "no-result", "%2e"}) {
    EXPECT_EQ(dashboard_.folder_of(name), std::nullopt) << name;
  }
}

TEST_F(DashboardTest, ShowsOneResultAloneWhenItIsGivenThatFolder) {
  make_result("one");
  make_result("other");
  for (const auto* ending : {"one", "one/", "./one", "other/../one"}) {
    Dashboard alone({.folder = folder_ / ending, .epoch = "e"});
    alone.poll(now_);

    const value snapshot = parsed(alone.snapshot(7));
    ASSERT_EQ(snapshot.at("results").as_array().size(), 1u) << ending;
    EXPECT_EQ(snapshot.at("current").at("name").as_string(), "one");
  }
}

// Parsing a file for each of many results must not hold up the one that runs.
TEST_F(DashboardTest, ReadsManyResultsAFewAtATime) {
  for (int i = 0; i < 120; ++i) make_result(fmt::format("{:03}", i));
  make_result("run");
  run("run");

  poll();
  EXPECT_EQ(results().size(), 50u);
  EXPECT_EQ(state().at("current").at("name").as_string(), "run");
  dashboard_.poll(now_);
  dashboard_.poll(now_);

  EXPECT_EQ(results().size(), 121u);
}

TEST_F(DashboardTest, KeepsABoundedNumberOfSeconds) {
  make_result("run");
  run("run");
  std::string lines;
  for (int i = 0; i < 2000; ++i) lines += fmt::format("{{\"kind\":\"live\",\"unix_s\":{}}}\n", i);
  line("run", "001", lines);
  poll();

  const value trial = state().at("current").at("trial");
  const auto& seconds = trial.at("seconds").as_array();
  EXPECT_EQ(seconds.size(), 1800u);
  EXPECT_EQ(seconds.back().at("unix_s").to_number<int>(), 1999);
}

}  // namespace
}  // namespace flow::lab

// What the controller of Pinot 0.11.0 answers, word for word, and what it should not.
// SPDX-License-Identifier: Apache-2.0
#include "analytics/controller_answers.hpp"

#include <gmock/gmock.h>

#include "analytics/table_status.hpp"

namespace flow::analytics {
namespace {

using base::Errc;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
namespace json = base::json;

constexpr const char* segment_0 = "kafka_orders__0__0__20261124T1951Z";
constexpr const char* segment_1 = "kafka_orders__0__1__20261124T2004Z";

Segment segment(int partition, std::int64_t number, std::string start, std::int64_t created,
                std::optional<std::int64_t> rows = std::nullopt) {
  Segment made;
  made.partition = partition;
  made.number = number;
  made.start_offset = std::move(start);
  made.created_unix_ms = created;
  made.is_committed = rows.has_value();
  made.rows = rows;
  return made;
}

Consuming consuming(int partition, std::string offset, std::string state = "CONSUMING") {
  Consuming made;
  made.partition = partition;
  made.offset = std::move(offset);
  made.state = std::move(state);
  return made;
}

TEST(SegmentName, HasTablePartitionAndNumber) {
  const auto name = parse_segment_name(segment_1);

  ASSERT_TRUE(name);
  EXPECT_EQ(name->table, "kafka_orders");
  EXPECT_EQ(name->partition, 0);
  EXPECT_EQ(name->number, 1);
}

TEST(SegmentName, RefusesWhatIsNone) {
  for (const char* text :
       {"", "a", "a__0", "a__0__1", "a__0__1__", "__0__1__t", "a__x__1__t", "a__0__-1__t",
        "a__-1__0__t", "a__0__1__t__u", "a__99999999999__0__t", "a__0__99999999999999999999__t"}) {
    EXPECT_EQ(parse_segment_name(text), std::nullopt) << text;
  }
}

TEST(ConsumingSegments, AreReadWithTheirOffsets) {
  const auto answer = json::parse(R"({"_segmentToConsumingInfoMap":{
    "kafka_orders__1__0__20261124T1951Z":[{"serverName":"Server_127.0.0.1_48098",
      "consumerState":"CONSUMING","lastConsumedTimestamp":0,"partitionToOffsetMap":{"1":"4"}}],
    "kafka_orders__0__0__20261124T1951Z":[
      {"serverName":"S2","consumerState":"NOT_CONSUMING","partitionToOffsetMap":{"0":7}},
      {"serverName":"S1","consumerState":"CONSUMING","partitionToOffsetMap":{"0":"7:12:-1"}}]}})");

  const auto read = consuming_in(answer);

  ASSERT_TRUE(read) << read.error().what;
  ASSERT_EQ(read->size(), 3u);
  EXPECT_EQ((*read)[0].server, "S1");
  EXPECT_EQ((*read)[0].offset, "7:12:-1");
  EXPECT_EQ((*read)[1].state, "NOT_CONSUMING");
  EXPECT_EQ((*read)[1].offset, "7");
  EXPECT_EQ((*read)[2].partition, 1);
  EXPECT_EQ((*read)[2].segment, "kafka_orders__1__0__20261124T1951Z");
}

TEST(ConsumingSegments, MayHaveNoOffsetYet) {
  const auto read = consuming_in(json::parse(
      R"({"_segmentToConsumingInfoMap":{"a__0__0__t":[{"serverName":"S"}],"a__1__0__t":[]}})"));

  ASSERT_TRUE(read) << read.error().what;
  ASSERT_EQ(read->size(), 1u);
  EXPECT_EQ((*read)[0].offset, "");
}

TEST(ConsumingSegments, ThatAreOddAreTheServersFault) {
  for (const char* text :
       {"null", "{}", R"({"_segmentToConsumingInfoMap":null})",
        R"({"_segmentToConsumingInfoMap":{"a__0__0__t":{}}})",
        R"({"_segmentToConsumingInfoMap":{"a__0__0__t":[7]}})",
        R"({"_segmentToConsumingInfoMap":{"nonsense":[{"serverName":"S"}]}})",
        R"({"_segmentToConsumingInfoMap":{"a__0__0__t":[{"partitionToOffsetMap":{"0":[]}}]}})"}) {
    const auto read = consuming_in(json::parse(text));
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().code, Errc::protocol) << text << read.error().what;
  }
}

TEST(SegmentMetadata, OfASegmentThatConsumes) {
  const auto read = segment_in(json::parse(R"({"segment.realtime.numReplicas":"1",
      "segment.creation.time":"1795549890701","segment.flush.threshold.size":"16666666",
      "segment.realtime.startOffset":"0","segment.realtime.status":"IN_PROGRESS"})"),
                               segment_0);

  ASSERT_TRUE(read) << read.error().what;
  EXPECT_FALSE(read->is_committed);
  EXPECT_EQ(read->start_offset, "0");
  EXPECT_EQ(read->end_offset, "");
  EXPECT_EQ(read->rows, std::nullopt);
  EXPECT_EQ(read->created_unix_ms, 1795549890701);
  EXPECT_EQ(read->flush_rows, 16666666);
}

TEST(SegmentMetadata, OfACommittedSegment) {
  const auto read = segment_in(json::parse(R"({"segment.realtime.endOffset":"108",
      "segment.total.docs":"104","segment.creation.time":1795549890701,
      "segment.realtime.startOffset":"4","segment.realtime.status":"DONE"})"),
                               segment_0);

  ASSERT_TRUE(read) << read.error().what;
  EXPECT_TRUE(read->is_committed);
  EXPECT_EQ(read->end_offset, "108");
  EXPECT_EQ(read->rows, 104);
}

TEST(SegmentMetadata, ThatIsOddIsTheServersFault) {
  for (const char* text :
       {"null", "[]", R"({"segment.total.docs":"many"})", R"({"segment.total.docs":{}})",
        R"({"segment.creation.time":"99999999999999999999"})",
        R"({"segment.creation.time":18446744073709551615})",
        R"({"segment.realtime.startOffset":[]})"}) {
    const auto read = segment_in(json::parse(text), segment_0);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().code, Errc::protocol) << text << read.error().what;
  }
  EXPECT_FALSE(segment_in(json::parse("{}"), "nonsense"));
}

TEST(Commits, AreAtTheBirthOfTheNextSegment) {
  const auto commits = commits_of({segment(0, 0, "0", 1000, 104), segment(0, 1, "104", 5000, 90),
                                   segment(0, 2, "194", 9000), segment(1, 0, "0", 1000, 98),
                                   segment(1, 1, "98", 4000)});

  ASSERT_EQ(commits.size(), 3u);
  EXPECT_EQ(commits[0].partition, 1);
  EXPECT_EQ(commits[0].unix_ms, 4000);
  EXPECT_EQ(commits[0].rows, 98);
  EXPECT_EQ(commits[1].unix_ms, 5000);
  EXPECT_EQ(commits[1].rows, 104);
  EXPECT_EQ(commits[2].unix_ms, 9000);
}

TEST(EventsConsumed, GoFromTheOldestSegmentToTheReplicaThatIsAhead) {
  const std::vector<Segment> segments = {segment(0, 3, "100", 1, 50), segment(0, 4, "150", 2),
                                         segment(1, 0, "0", 1)};

  EXPECT_EQ(
      events_consumed(segments, {consuming(0, "170"), consuming(0, "175"), consuming(1, "9")}),
      75 + 9);
}

TEST(EventsConsumed, AreUnknownWhereOffsetsAreNoNumbersOrAreMissing) {
  EXPECT_EQ(events_consumed({segment(0, 0, "7:1:-1", 1)}, {consuming(0, "7:12:-1")}), std::nullopt);
  EXPECT_EQ(events_consumed({segment(0, 0, "0", 1)}, {}), std::nullopt);
  EXPECT_EQ(events_consumed({segment(0, 0, "0", 1)}, {consuming(0, "")}), std::nullopt);
  EXPECT_EQ(events_consumed({}, {consuming(0, "5")}), std::nullopt);
}

TEST(EventsConsumed, OfNothingAreNone) { EXPECT_EQ(events_consumed({}, {}), 0); }

TEST(Partitions, CountSegmentsCommitsAndRows) {
  const auto partitions =
      partitions_of({segment(1, 0, "0", 1, 98), segment(1, 1, "98", 2), segment(0, 0, "0", 1)},
                    {consuming(1, "100"), consuming(0, "5", "NOT_CONSUMING")});

  ASSERT_EQ(partitions.size(), 2u);
  EXPECT_EQ(partitions[0].partition, 0);
  EXPECT_FALSE(partitions[0].is_consuming());
  EXPECT_EQ(partitions[0].commits, 0);
  EXPECT_TRUE(partitions[1].is_consuming());
  EXPECT_EQ(partitions[1].segments, 2);
  EXPECT_EQ(partitions[1].commits, 1);
  EXPECT_EQ(partitions[1].rows_committed, 98);
}

TEST(TableStatus, IsHealthyWhenEveryPartitionIsConsumed) {
  TableStatus status;
  EXPECT_FALSE(status.is_healthy()) << "there is no partition";
  status.partitions = partitions_of({segment(0, 0, "0", 1)}, {consuming(0, "5")});
  EXPECT_TRUE(status.is_healthy());
  status.partitions =
      partitions_of({segment(0, 0, "0", 1), segment(1, 0, "0", 1)}, {consuming(0, "5")});
  EXPECT_FALSE(status.is_healthy()) << "nothing consumes partition 1";
}

TEST(TableStatus, IsWrittenWithoutWhatIsNotKnown) {
  TableStatus status;
  status.table = "pulsar_orders";
  status.rows = 7;

  const json::object object = to_json(status);

  EXPECT_FALSE(object.contains("events"));
  EXPECT_FALSE(object.contains("dropped"));
  EXPECT_EQ(object.at("rows"), 7);
  EXPECT_EQ(object.at("healthy"), false);
}

TEST(Brokers, GiveTheirFirstAddress) {
  const auto url = broker_in(json::parse(
      R"({"Empty":[],"DefaultTenant":[{"host":"127.0.0.1","port":48099,"instanceName":"B"}]})"));

  ASSERT_TRUE(url) << url.error().what;
  EXPECT_EQ(url->authority(), "127.0.0.1:48099");
}

TEST(Brokers, ThatAreNotThereAreSaid) {
  EXPECT_EQ(broker_in(json::parse("{}")).error().code, Errc::refused);
  EXPECT_EQ(broker_in(json::parse(R"({"T":[]})")).error().code, Errc::refused);
  for (const char* text :
       {"[]", R"({"T":[7]})", R"({"T":[{}]})", R"({"T":[{"host":"a"}]})",
        R"({"T":[{"host":"a","port":0}]})", R"({"T":[{"host":"a","port":70000}]})",
        R"({"T":[{"host":7,"port":1}]})", R"({"T":[{"host":"a","port":"x"}]})"}) {
    const auto url = broker_in(json::parse(text));
    ASSERT_FALSE(url) << text;
    EXPECT_EQ(url.error().code, Errc::protocol) << text;
  }
}

TEST(Instances, HaveTheirRoleInTheirName) {
  EXPECT_EQ(role_of("Server_127.0.0.1_48098"), "server");
  EXPECT_EQ(role_of("Broker_h_1"), "broker");
  EXPECT_EQ(role_of("Controller_h_1"), "controller");
  EXPECT_EQ(role_of("Minion_h_1"), "minion");
  EXPECT_EQ(role_of("x"), "");
}

TEST(Lists, AreReadSortedOrNotAtAll) {
  EXPECT_THAT(tables_in(json::parse(R"({"tables":["b","a"]})")).value(), ElementsAre("a", "b"));
  EXPECT_THAT(segments_in(json::parse(R"([{"OFFLINE":["x"]},{"REALTIME":["b","a"]}])")).value(),
              ElementsAre("b", "a"));
  EXPECT_THAT(segments_in(json::parse("[]")).value(), IsEmpty());
  EXPECT_EQ(tables_in(json::parse(R"({"tables":[7]})")).error().code, Errc::protocol);
  EXPECT_EQ(tables_in(json::parse("[]")).error().code, Errc::protocol);
  EXPECT_EQ(segments_in(json::parse("{}")).error().code, Errc::protocol);
  EXPECT_EQ(segments_in(json::parse(R"([{"REALTIME":7}])")).error().code, Errc::protocol);
}

TEST(Size, IsOfRealtimeSegments) {
  const auto size = size_in(json::parse(R"({"tableName":"a","offlineSegments":null,
    "realtimeSegments":{"reportedSizeInBytes":213519,"missingSegments":1,"segments":{}}})"));

  ASSERT_TRUE(size) << size.error().what;
  EXPECT_EQ(size->bytes, 213519);
  EXPECT_EQ(size->segments_missing, 1);
  EXPECT_EQ(size_in(json::parse(R"({"realtimeSegments":null})"))->bytes, 0);
  EXPECT_EQ(size_in(json::parse(R"({"realtimeSegments":{"missingSegments":[]}})")).error().code,
            Errc::protocol);
}

TEST(Complaints, NameTheCause) {
  const auto complaints = complaints_in(json::parse(R"([{"tableName":"t_REALTIME",
    "segmentDebugInfos":[{"segmentName":"t__0__0__x","serverState":{"S":{"errorInfo":{
      "timestamp":"2026-11-24 19:51:33 UTC","errorMessage":"Caught exception: {\n \"id\": 5\n}",
      "stackTrace":"a.B: while transforming\n\tat c.d(E.java:98)\nCaused by: f.G: Invalid timestamp\n"}}}},
    {"segmentName":"t__1__0__x","serverState":{"S":{"errorInfo":null}}},
    {"segmentName":"t__2__0__x"}, 7]}])"));

  ASSERT_TRUE(complaints) << complaints.error().what;
  ASSERT_EQ(complaints->size(), 1u);
  EXPECT_EQ((*complaints)[0].segment, "t__0__0__x");
  EXPECT_EQ((*complaints)[0].server, "S");
  EXPECT_EQ((*complaints)[0].words, "while transforming; Invalid timestamp");
  EXPECT_EQ(complaints_in(json::parse("{}")).error().code, Errc::protocol);
}

TEST(SegmentStates, CountOnlySegmentsWhoseEveryReplicaIsInTheState) {
  const auto answer = json::parse(
      R"({"OFFLINE":null,"REALTIME":{"a":{"S1":"CONSUMING","S2":"CONSUMING"},
                                     "b":{"S1":"CONSUMING","S2":"OFFLINE"},"c":{"S1":"ONLINE"}}})");

  EXPECT_THAT(segments_in_state(answer, "CONSUMING").value(), ElementsAre("a"));
  EXPECT_THAT(segments_in_state(answer, "").value(), ElementsAre("a", "b", "c"));
  EXPECT_THAT(segments_in_state(json::parse(R"({"REALTIME":null})"), "").value(), IsEmpty());
  EXPECT_EQ(segments_in_state(json::parse("{}"), "").error().code, Errc::protocol);
  EXPECT_EQ(segments_in_state(json::parse(R"({"REALTIME":{"a":7}})"), "").error().code,
            Errc::protocol);
}

}  // namespace
}  // namespace flow::analytics

// SPDX-License-Identifier: Apache-2.0
#include "ecommerce/events/recorder.hpp"

#include <cstdlib>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace flow::ecommerce {
namespace {

using streaming::audit::AttemptEnd;
using streaming::audit::AttemptRecord;
using ::testing::HasSubstr;

constexpr std::int64_t second = 1'000'000'000;
constexpr auto anchor = base::ClockAnchor::from_offset(base::Nanos{0});

AttemptRecord attempt(AttemptEnd end, std::int64_t published, std::int64_t decided,
                      std::int64_t intended = 0, std::uint64_t trial = 7) {
  AttemptRecord record{};
  record.trial = trial;
  record.request = 1;
  record.published = published;
  record.decided = decided;
  record.intended = intended;
  record.topic = 2;
  record.event = static_cast<std::uint8_t>(EventName::place_order);
  record.end = end;
  return record;
}

struct Fixture {
  std::vector<SecondRow> rows;
  std::unique_ptr<Recorder> recorder;

  explicit Fixture(const std::string& path = {}) {
    Recorder::Options options;
    options.records_path = path;
    options.anchor = anchor;
    options.trial = 7;
    options.strategy = "KafkaPublishingStrategy";
    options.topics = {"users", "products", "orders"};
    options.on_second = [this](const SecondRow& row) { rows.push_back(row); };
    recorder = std::move(Recorder::create(std::move(options)).value());
  }
  void add(std::initializer_list<AttemptRecord> attempts) {
    Observations batch;
    batch.attempts = attempts;
    recorder->add(batch);
  }
};

TEST(Recorder, CountsEveryAttemptInExactlyOneRowAndOneEnd) {
  Fixture fixture;

  fixture.add({attempt(AttemptEnd::acked, 10 * second, 10 * second + 5000, 10 * second - 1000),
               attempt(AttemptEnd::rejected, 10 * second, 11 * second),
               attempt(AttemptEnd::timed_out, 10 * second, 11 * second),
               attempt(AttemptEnd::queue_full, 0, 12 * second)});
  ASSERT_TRUE(fixture.recorder->tick(base::TimePoint{base::Nanos{14 * second}}));
  fixture.add({attempt(AttemptEnd::lost, 10 * second, 11 * second)});  // Late for its own row.
  ASSERT_TRUE(fixture.recorder->finish());

  ASSERT_EQ(fixture.rows.size(), 4U);
  std::uint64_t attempts = 0;
  for (std::size_t i = 0; i < fixture.rows.size(); ++i) {
    EXPECT_EQ(fixture.rows[i].unix_s, static_cast<std::int64_t>(10 + i));
    attempts += fixture.rows[i].attempts.attempts;
  }
  const AttemptTotals& totals = fixture.recorder->totals();
  EXPECT_EQ(attempts, totals.attempts);
  EXPECT_EQ(totals.attempts, 5U);
  EXPECT_EQ(totals.attempts,
            totals.acked + totals.rejected + totals.timed_out + totals.lost + totals.queue_full);
  EXPECT_EQ(fixture.rows[3].attempts.lost, 1U);
}

TEST(Recorder, MeasuresResponseOnlyOfItsTrialAndWithAnIntendedTime) {
  Fixture fixture;

  fixture.add({attempt(AttemptEnd::acked, 10 * second, 10 * second + 5000, 10 * second - 1000),
               attempt(AttemptEnd::acked, 10 * second, 10 * second + 5000, 0),
               attempt(AttemptEnd::acked, 10 * second, 10 * second + 5000, 1, /*trial=*/8)});
  ASSERT_TRUE(fixture.recorder->finish());

  ASSERT_EQ(fixture.rows.size(), 1U);
  EXPECT_EQ(fixture.rows[0].publish_latency.count(), 3U);
  EXPECT_EQ(fixture.rows[0].publish_response.count(), 1U);
  EXPECT_EQ(fixture.rows[0].publish_response.max().count(), 6000);
}

TEST(Recorder, SpeaksPrometheusWithTheStudysTagsAndBuckets) {
  Fixture fixture;
  fixture.add({attempt(AttemptEnd::acked, 10 * second, 10 * second + 3'000'000),
               attempt(AttemptEnd::lost, 10 * second, 10 * second + 3'000'000),
               attempt(AttemptEnd::queue_full, 0, 10 * second)});
  RequestObservation request;
  request.method = "GET";
  request.uri = "/api/v1/products/{id}";
  request.status = 404;
  request.service = base::Nanos{1'000'000};
  Observations batch;
  batch.requests.push_back(request);
  fixture.recorder->add(batch);

  const std::string text = fixture.recorder->prometheus_text();

  const std::string tags =
      R"({eventName="PlaceOrder",outcome="success",strategy="KafkaPublishingStrategy",topic="orders")";
  EXPECT_THAT(text, HasSubstr("messaging_publish_latency_seconds_count" + tags + "} 1"));
  EXPECT_THAT(text,
              HasSubstr("messaging_publish_latency_seconds_bucket" + tags + ",le=\"0.001\"} 0"));
  EXPECT_THAT(text,
              HasSubstr("messaging_publish_latency_seconds_bucket" + tags + ",le=\"0.005\"} 1"));
  for (const char* bucket :
       {"0.001", "0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "+Inf"}) {
    EXPECT_THAT(text, HasSubstr(tags + ",le=\"" + bucket + "\"}")) << bucket;
  }
  EXPECT_THAT(text, HasSubstr("outcome=\"failure\""));
  EXPECT_THAT(text, HasSubstr("messaging_publish_refused_total{eventName=\"PlaceOrder\""));
  EXPECT_THAT(text,
              HasSubstr("http_server_requests_seconds_count{error=\"none\",exception=\"none\","
                        "method=\"GET\",outcome=\"CLIENT_ERROR\",status=\"404\",uri=\"/api/v1/"
                        "products/{id}\"} 1"));
}

TEST(Recorder, WritesOneRecordPerAttempt) {
  std::string directory = "/tmp/flow-recorder-XXXXXX";
  ASSERT_NE(mkdtemp(directory.data()), nullptr);
  const std::string path = directory + "/attempts.records";
  const AttemptRecord first = attempt(AttemptEnd::acked, 1, 2);
  const AttemptRecord second_one = attempt(AttemptEnd::queue_full, 0, 3);
  {
    Fixture fixture(path);
    fixture.add({first, second_one});
    ASSERT_TRUE(fixture.recorder->finish());
  }

  const auto records = streaming::audit::read_records<AttemptRecord>(path);

  std::filesystem::remove_all(directory);
  ASSERT_TRUE(records) << records.error().what;
  EXPECT_EQ(*records, (std::vector<AttemptRecord>{first, second_one}));
}

}  // namespace
}  // namespace flow::ecommerce

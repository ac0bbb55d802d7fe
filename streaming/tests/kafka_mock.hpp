// librdkafka's mock cluster: real sockets on loopback, a broker that does what a test tells it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include "base/check.hpp"

namespace flow::streaming::testing {

inline constexpr std::int16_t produce_request = 0;  // Kafka's ApiKeys.
inline constexpr std::int16_t fetch_request = 1;

class MockKafka {
 public:
  explicit MockKafka(int brokers = 1) {
    char error[256];
    rd_kafka_conf_t* conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "log_level", "0", error, sizeof error);
    owner_ = rd_kafka_new(RD_KAFKA_PRODUCER, conf, error, sizeof error);
    FLOW_CHECK(owner_ != nullptr);
    cluster_ = rd_kafka_mock_cluster_new(owner_, brokers);
  }
  ~MockKafka() {
    rd_kafka_mock_cluster_destroy(cluster_);
    rd_kafka_destroy(owner_);
  }
  MockKafka(const MockKafka&) = delete;
  MockKafka& operator=(const MockKafka&) = delete;

  std::string bootstrap() const { return rd_kafka_mock_cluster_bootstraps(cluster_); }
  void create(const std::string& topic, int partitions) {
    rd_kafka_mock_topic_create(cluster_, topic.c_str(), partitions, 1);
  }
  void fail_next(std::int16_t request, const std::vector<rd_kafka_resp_err_t>& errors) {
    rd_kafka_mock_push_request_errors_array(cluster_, request, errors.size(), errors.data());
  }
  void set_topic_error(const std::string& topic, rd_kafka_resp_err_t error) {
    rd_kafka_mock_topic_set_error(cluster_, topic.c_str(), error);
  }
  void set_answer_delay(int milliseconds) {
    rd_kafka_mock_broker_set_rtt(cluster_, -1, milliseconds);
  }
  void set_down() { rd_kafka_mock_broker_set_down(cluster_, -1); }
  void set_up() { rd_kafka_mock_broker_set_up(cluster_, -1); }

 private:
  rd_kafka_t* owner_ = nullptr;
  rd_kafka_mock_cluster_t* cluster_ = nullptr;
};

}  // namespace flow::streaming::testing

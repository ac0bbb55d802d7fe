// SPDX-License-Identifier: Apache-2.0
#include "streaming/kafka/outcome.hpp"

#include <librdkafka/rdkafka.h>

namespace flow::streaming::kafka {

Outcome outcome_of(int error, int status) {
  switch (error) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
      return Outcome::acked;
    case RD_KAFKA_RESP_ERR__MSG_TIMED_OUT:
      return Outcome::timed_out;
    case RD_KAFKA_RESP_ERR__PURGE_QUEUE:
    case RD_KAFKA_RESP_ERR__PURGE_INFLIGHT:
    case RD_KAFKA_RESP_ERR__DESTROY:
      return Outcome::lost;
    case RD_KAFKA_RESP_ERR_INVALID_MSG:
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_INVALID_REQUIRED_ACKS:
    case RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP:
    case RD_KAFKA_RESP_ERR_INVALID_RECORD:
    case RD_KAFKA_RESP_ERR_UNSUPPORTED_FOR_MESSAGE_FORMAT:
    case RD_KAFKA_RESP_ERR_UNSUPPORTED_COMPRESSION_TYPE:
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_POLICY_VIOLATION:
      return Outcome::rejected;
    default:
      return status == RD_KAFKA_MSG_STATUS_NOT_PERSISTED ? Outcome::rejected : Outcome::lost;
  }
}

}  // namespace flow::streaming::kafka

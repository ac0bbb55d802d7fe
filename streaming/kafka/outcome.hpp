// What librdkafka's verdict on a record means in our words.
// Thread: any; pure.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "streaming/driver.hpp"

namespace flow::streaming::kafka {

// `error`: rd_kafka_resp_err_t of the record; `status`: rd_kafka_msg_status_t, librdkafka's own
// account of whether it may be in the log.
//   no error                          -> acked
//   delivery.timeout.ms passed        -> timed_out
//   purged (the producer stops)       -> lost
//   refused for what the record is    -> rejected (too large, invalid, not authorised)
//   surely not written, by status     -> rejected
//   anything else                     -> lost: it was sent and nobody knows
// A broker's "no" to a retry says nothing about the first attempt, hence the status decides there.
Outcome outcome_of(int error, int status);

}  // namespace flow::streaming::kafka

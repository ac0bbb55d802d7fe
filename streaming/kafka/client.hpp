// One librdkafka instance with what hangs on it, taken down in the one order that works. The vendor
// header stays in the .cpp files: here its types are only named.
// Thread: see each function; construction starts librdkafka's threads, destruction joins them and
// may block, so owners on the IoThread hand the last reference to a helper thread.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "streaming/driver.hpp"

// librdkafka's own names for its opaque types (rdkafka.h).
struct rd_kafka_s;
struct rd_kafka_topic_s;
struct rd_kafka_queue_s;
struct rd_kafka_op_s;

namespace flow::streaming::kafka {

enum class ClientKind : bool { producer, consumer };

struct OpenTopic {
  std::string name;
  int partitions = 0;
  rd_kafka_topic_s* handle = nullptr;
};

class Client {
 public:
  // Errc::config when librdkafka refuses a property, with its own words.
  static base::Result<std::shared_ptr<Client>> create(ClientKind kind, const Settings& properties,
                                                      std::string bootstrap);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  rd_kafka_s* handle() const { return handle_; }
  rd_kafka_queue_s* events() const { return events_; }    // Deliveries, errors, log lines.
  rd_kafka_queue_s* records() const { return records_; }  // Consumer only.
  const std::vector<OpenTopic>& topics() const { return topics_; }
  const std::string& subject() const { return subject_; }  // "kafka 127.0.0.1:9092"

  // Looks the topics up, waiting for a broker and for topics that were just created. Blocks.
  base::Result<void> look_up(const std::vector<std::string>& names, base::TimePoint deadline);

  // From now on both queues write to `fd` when they stop being empty.
  void write_wakes_to(int fd);
  void stop_wakes();

  // Starts reading every partition from its earliest record into records(). Does not block.
  base::Result<void> start_reading();

  // An event that is not a delivery: log lines (warnings, bounded, to standard error) and errors
  // (the last one is kept for messages). The caller destroys the event. One thread at a time.
  void note(rd_kafka_op_s* event);
  void note_all();  // All that wait, for clients without an IoThread.
  const std::string& last_error() const { return last_error_; }

 private:
  explicit Client(std::string bootstrap) : subject_("kafka " + std::move(bootstrap)) {}
  base::Result<int> partitions_of(rd_kafka_topic_s* topic, const std::string& name,
                                  base::TimePoint deadline);
  void note_log(int level, const char* text);

  std::string subject_;
  rd_kafka_s* handle_ = nullptr;
  rd_kafka_queue_s* events_ = nullptr;
  rd_kafka_queue_s* records_ = nullptr;
  std::vector<OpenTopic> topics_;
  bool reading_ = false;
  int logged_ = 0;
  std::string last_error_;
};

// Milliseconds left until `deadline`, at least 1: a time-out for librdkafka.
int milliseconds_until(base::TimePoint deadline);

// Errc::config when librdkafka does not know a property or refuses its value.
base::Result<void> check_properties(const Settings& properties);

// Every property in force, by librdkafka's names; secrets are blotted out.
Settings properties_in_force(const Settings& properties);

std::string librdkafka_version();

}  // namespace flow::streaming::kafka

// SPDX-License-Identifier: Apache-2.0
#include "streaming/kafka/admin.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <thread>
#include <utility>

#include <librdkafka/rdkafka.h>

namespace flow::streaming::kafka {
namespace {

using base::Errc;
using base::fail;
using base::Result;
using base::TimePoint;

template <auto destroy>
struct FreeWith {
  template <class T>
  void operator()(T* object) const {
    destroy(object);
  }
};
template <class T, auto destroy>
using Owned = std::unique_ptr<T, FreeWith<destroy>>;
using Queue = Owned<rd_kafka_queue_t, rd_kafka_queue_destroy>;
using Event = Owned<rd_kafka_event_t, rd_kafka_event_destroy>;
using Options = Owned<rd_kafka_AdminOptions_t, rd_kafka_AdminOptions_destroy>;
using NewTopic = Owned<rd_kafka_NewTopic_t, rd_kafka_NewTopic_destroy>;
using DeleteTopic = Owned<rd_kafka_DeleteTopic_t, rd_kafka_DeleteTopic_destroy>;
using Resource = Owned<rd_kafka_ConfigResource_t, rd_kafka_ConfigResource_destroy>;

struct FreeMetadata {
  void operator()(const rd_kafka_metadata_t* metadata) const {
    rd_kafka_metadata_destroy(metadata);
  }
};
using Metadata = std::unique_ptr<const rd_kafka_metadata_t, FreeMetadata>;

Errc code_of(rd_kafka_resp_err_t error) {
  switch (error) {
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT:
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
      return Errc::timed_out;
    default:
      return Errc::refused;
  }
}

Result<Metadata> ask_for_metadata(Client& client, rd_kafka_topic_t* topic, TimePoint deadline) {
  const rd_kafka_metadata_t* metadata = nullptr;
  const auto error =
      rd_kafka_metadata(client.handle(), 0, topic, &metadata, milliseconds_until(deadline));
  client.note_all();
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
    const std::string& last = client.last_error();
    return fail(code_of(error), "{}: no answer to a metadata request: {}", client.subject(),
                last.empty() ? rd_kafka_err2str(error) : last);
  }
  return Metadata(metadata);
}

Result<int> count_brokers(Client& client, TimePoint deadline) {
  auto metadata = ask_for_metadata(client, nullptr, deadline);
  if (!metadata) return std::unexpected(metadata.error());
  return (*metadata)->broker_cnt;
}

Options options_until(Client& client, rd_kafka_admin_op_t operation, TimePoint deadline) {
  Options options(rd_kafka_AdminOptions_new(client.handle(), operation));
  std::array<char, 256> ignored{};
  const int left_ms = milliseconds_until(deadline);
  rd_kafka_AdminOptions_set_request_timeout(options.get(), left_ms, ignored.data(), ignored.size());
  if (operation != RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS) {
    rd_kafka_AdminOptions_set_operation_timeout(options.get(), left_ms, ignored.data(),
                                                ignored.size());
  }
  return options;
}

// The result event of a request that `send` puts on the queue, or why there is none.
Result<Event> result_of(Client& client, std::string_view what, TimePoint deadline,
                        const std::function<void(rd_kafka_queue_t*)>& send) {
  const Queue queue(rd_kafka_queue_new(client.handle()));
  send(queue.get());
  Event event(rd_kafka_queue_poll(queue.get(), milliseconds_until(deadline) + 1000));
  client.note_all();
  const auto error = event ? rd_kafka_event_error(event.get()) : RD_KAFKA_RESP_ERR__TIMED_OUT;
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return fail(code_of(error), "{}: {}: {}", client.subject(), what,
                event ? rd_kafka_event_error_string(event.get()) : "no answer");
  }
  return event;
}

// The first topic that was refused, in the broker's words.
Result<void> check_topics(Client& client, std::string_view what,
                          const rd_kafka_topic_result_t** results, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    const auto error = rd_kafka_topic_result_error(results[i]);
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) continue;
    const char* text = rd_kafka_topic_result_error_string(results[i]);
    return fail(code_of(error), "{}: {} topic {}: {}", client.subject(), what,
                rd_kafka_topic_result_name(results[i]), text ? text : rd_kafka_err2str(error));
  }
  return {};
}

Result<NewTopic> new_topic(Client& client, const TopicSpec& spec, int replication_factor,
                           const Settings& properties) {
  std::array<char, 512> text{};
  NewTopic topic(rd_kafka_NewTopic_new(spec.name.c_str(), spec.partitions, replication_factor,
                                       text.data(), text.size()));
  if (!topic) {
    return fail(Errc::config, "{}: topic {} with {} partitions: {}", client.subject(), spec.name,
                spec.partitions, text.data());
  }
  for (const auto& [name, value] : properties) {
    rd_kafka_NewTopic_set_config(topic.get(), name.c_str(), value.c_str());
  }
  return topic;
}

// Ready: every partition has a leader and all its replicas are in sync.
Result<bool> is_ready(Client& client, rd_kafka_topic_t* topic, const TopicSpec& spec,
                      int replication_factor, TimePoint deadline) {
  auto metadata = ask_for_metadata(client, topic, deadline);
  if (!metadata) return std::unexpected(metadata.error());
  if ((*metadata)->topic_cnt != 1) return false;
  const rd_kafka_metadata_topic_t& found = (*metadata)->topics[0];
  if (found.err != RD_KAFKA_RESP_ERR_NO_ERROR || found.partition_cnt != spec.partitions) {
    return false;
  }
  return std::all_of(found.partitions, found.partitions + found.partition_cnt,
                     [&](const rd_kafka_metadata_partition_t& partition) {
                       return partition.leader >= 0 && partition.isr_cnt == replication_factor &&
                              partition.replica_cnt == replication_factor;
                     });
}

Result<void> wait_until_ready(Client& client, const TopicSpec& spec, int replication_factor,
                              TimePoint deadline) {
  const Owned<rd_kafka_topic_t, rd_kafka_topic_destroy> topic(
      rd_kafka_topic_new(client.handle(), spec.name.c_str(), nullptr));
  while (true) {
    auto ready = is_ready(client, topic.get(), spec, replication_factor, deadline);
    if (!ready) return std::unexpected(ready.error());
    if (*ready) return {};
    if (base::now() >= deadline) {
      return fail(Errc::timed_out,
                  "{}: topic {}: not every partition has a leader and {} replicas "
                  "in sync",
                  client.subject(), spec.name, replication_factor);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

Result<void> create(Client& client, const std::vector<TopicSpec>& specs, int replication_factor,
                    const Settings& properties, TimePoint deadline) {
  std::vector<NewTopic> topics;
  std::vector<rd_kafka_NewTopic_t*> pointers;
  for (const TopicSpec& spec : specs) {
    auto topic = new_topic(client, spec, replication_factor, properties);
    if (!topic) return std::unexpected(topic.error());
    pointers.push_back(topic->get());
    topics.push_back(std::move(*topic));
  }
  const Options options = options_until(client, RD_KAFKA_ADMIN_OP_CREATETOPICS, deadline);
  auto event = result_of(client, "create topics", deadline, [&](rd_kafka_queue_t* queue) {
    rd_kafka_CreateTopics(client.handle(), pointers.data(), pointers.size(), options.get(), queue);
  });
  if (!event) return std::unexpected(event.error());
  std::size_t count = 0;
  const auto** results =
      rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event->get()), &count);
  if (auto made = check_topics(client, "create", results, count); !made) return made;
  for (const TopicSpec& spec : specs) {
    if (auto ready = wait_until_ready(client, spec, replication_factor, deadline); !ready) {
      return ready;
    }
  }
  return {};
}

Result<void> remove(Client& client, const std::vector<std::string>& names, TimePoint deadline) {
  std::vector<DeleteTopic> topics;
  std::vector<rd_kafka_DeleteTopic_t*> pointers;
  for (const std::string& name : names) {
    topics.emplace_back(rd_kafka_DeleteTopic_new(name.c_str()));
    pointers.push_back(topics.back().get());
  }
  const Options options = options_until(client, RD_KAFKA_ADMIN_OP_DELETETOPICS, deadline);
  auto event = result_of(client, "delete topics", deadline, [&](rd_kafka_queue_t* queue) {
    rd_kafka_DeleteTopics(client.handle(), pointers.data(), pointers.size(), options.get(), queue);
  });
  if (!event) return std::unexpected(event.error());
  std::size_t count = 0;
  const auto** results =
      rd_kafka_DeleteTopics_result_topics(rd_kafka_event_DeleteTopics_result(event->get()), &count);
  return check_topics(client, "delete", results, count);
}

Result<Settings> describe_partitions(Client& client, const std::string& name, TimePoint deadline) {
  const Owned<rd_kafka_topic_t, rd_kafka_topic_destroy> topic(
      rd_kafka_topic_new(client.handle(), name.c_str(), nullptr));
  auto metadata = ask_for_metadata(client, topic.get(), deadline);
  if (!metadata) return std::unexpected(metadata.error());
  const rd_kafka_metadata_topic_t& found = (*metadata)->topics[0];
  if (found.err != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return fail(Errc::refused, "{}: topic {}: {}", client.subject(), name,
                rd_kafka_err2str(found.err));
  }
  return Settings{{"partitions", std::to_string(found.partition_cnt)},
                  {"replication_factor", std::to_string(found.partitions[0].replica_cnt)}};
}

Result<Settings> describe(Client& client, const std::string& name, TimePoint deadline) {
  auto settings = describe_partitions(client, name, deadline);
  if (!settings) return settings;
  const Resource resource(rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, name.c_str()));
  const Options options = options_until(client, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, deadline);
  auto event = result_of(client, "describe topic " + name, deadline, [&](rd_kafka_queue_t* queue) {
    rd_kafka_ConfigResource_t* pointer = resource.get();
    rd_kafka_DescribeConfigs(client.handle(), &pointer, 1, options.get(), queue);
  });
  if (!event) return std::unexpected(event.error());
  std::size_t count = 0;
  const auto** resources = rd_kafka_DescribeConfigs_result_resources(
      rd_kafka_event_DescribeConfigs_result(event->get()), &count);
  if (count != 1 || rd_kafka_ConfigResource_error(resources[0]) != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return fail(Errc::refused, "{}: describe topic {}: {}", client.subject(), name,
                count == 1 ? rd_kafka_ConfigResource_error_string(resources[0]) : "no answer");
  }
  std::size_t entries = 0;
  const auto** list = rd_kafka_ConfigResource_configs(resources[0], &entries);
  for (std::size_t i = 0; i < entries; ++i) {
    const char* value = rd_kafka_ConfigEntry_value(list[i]);
    settings->emplace_back(rd_kafka_ConfigEntry_name(list[i]), value ? value : "");
  }
  return settings;
}

}  // namespace

KafkaAdmin::KafkaAdmin(std::shared_ptr<Blocking> blocking, std::shared_ptr<Client> client,
                       const ParsedConfig& config)
    : blocking_(std::move(blocking)),
      client_(std::move(client)),
      replication_factor_(static_cast<int>(config.topic.replication_factor)),
      topic_properties_(topic_properties(config)) {}

KafkaAdmin::~KafkaAdmin() {
  blocking_->run_later([client = std::move(client_)]() mutable { client.reset(); });
}

net::Task<Result<int>> KafkaAdmin::broker_count(TimePoint deadline) {
  auto work = [client = client_, deadline] { return count_brokers(*client, deadline); };
  co_return co_await blocking_->call(std::move(work));
}

net::Task<Result<void>> KafkaAdmin::create_topics(std::vector<TopicSpec> topics,
                                                  TimePoint deadline) {
  auto work = [client = client_, topics = std::move(topics), copies = replication_factor_,
               properties = topic_properties_,
               deadline] { return create(*client, topics, copies, properties, deadline); };
  co_return co_await blocking_->call(std::move(work));
}

net::Task<Result<void>> KafkaAdmin::delete_topics(std::vector<std::string> names,
                                                  TimePoint deadline) {
  auto work = [client = client_, names = std::move(names), deadline] {
    return remove(*client, names, deadline);
  };
  co_return co_await blocking_->call(std::move(work));
}

net::Task<Result<Settings>> KafkaAdmin::describe_topic(std::string name, TimePoint deadline) {
  auto work = [client = client_, name = std::move(name), deadline] {
    return describe(*client, name, deadline);
  };
  co_return co_await blocking_->call(std::move(work));
}

}  // namespace flow::streaming::kafka

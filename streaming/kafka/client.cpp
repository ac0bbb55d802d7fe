// SPDX-License-Identifier: Apache-2.0
#include "streaming/kafka/client.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <thread>

#include <librdkafka/rdkafka.h>

namespace flow::streaming::kafka {
namespace {

using base::Errc;
using base::fail;
using base::Result;

constexpr int log_lines_max = 20;  // For one client; a broker that is gone would fill the terminal.

struct FreeConf {
  void operator()(rd_kafka_conf_t* conf) const { rd_kafka_conf_destroy(conf); }
};
using Conf = std::unique_ptr<rd_kafka_conf_t, FreeConf>;

Result<Conf> make_conf(const Settings& properties) {
  Conf conf(rd_kafka_conf_new());
  std::array<char, 512> text{};
  for (const auto& [name, value] : properties) {
    if (rd_kafka_conf_set(conf.get(), name.c_str(), value.c_str(), text.data(), text.size()) !=
        RD_KAFKA_CONF_OK) {
      return fail(Errc::config, "kafka: {}={}: {}", name, value, text.data());
    }
  }
  return conf;
}

}  // namespace

int milliseconds_until(base::TimePoint deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - base::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 1, 600'000));
}

std::string librdkafka_version() { return fmt::format("librdkafka {}", rd_kafka_version_str()); }

Result<void> check_properties(const Settings& properties) {
  if (auto conf = make_conf(properties); !conf) return std::unexpected(conf.error());
  return {};
}

Settings properties_in_force(const Settings& properties) {
  Settings in_force;
  const auto conf = make_conf(properties);
  if (!conf) return in_force;
  const auto add = [&](const char** dump, std::size_t count) {
    for (std::size_t i = 0; i + 1 < count; i += 2) {
      const std::string name = dump[i];
      const bool is_secret = name.find("password") != std::string::npos ||
                             name.find("secret") != std::string::npos ||
                             name.find("pem") != std::string::npos || name == "sasl.jaas.config" ||
                             name == "sasl.oauthbearer.config";
      in_force.emplace_back(name, is_secret ? "(not shown)" : dump[i + 1]);
    }
    rd_kafka_conf_dump_free(dump, count);
  };
  std::size_t count = 0;
  const char** dump = rd_kafka_conf_dump(conf->get(), &count);
  add(dump, count);
  if (rd_kafka_topic_conf_t* topic = rd_kafka_conf_get_default_topic_conf(conf->get())) {
    dump = rd_kafka_topic_conf_dump(topic, &count);
    add(dump, count);
  }
  return in_force;
}

Result<std::shared_ptr<Client>> Client::create(ClientKind kind, const Settings& properties,
                                               std::string bootstrap) {
  auto conf = make_conf(properties);
  if (!conf) return std::unexpected(conf.error());
  rd_kafka_conf_set_events(conf->get(),
                           RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR | RD_KAFKA_EVENT_LOG);
  std::shared_ptr<Client> client(new Client(std::move(bootstrap)));
  std::array<char, 512> text{};
  const auto type = kind == ClientKind::producer ? RD_KAFKA_PRODUCER : RD_KAFKA_CONSUMER;
  client->handle_ = rd_kafka_new(type, conf->get(), text.data(), text.size());
  if (!client->handle_) return fail(Errc::config, "{}: {}", client->subject_, text.data());
  static_cast<void>(conf->release());  // rd_kafka_new() owns it now.
  client->events_ = rd_kafka_queue_get_main(client->handle_);
  rd_kafka_set_log_queue(client->handle_, nullptr);  // To the main queue, with the events.
  if (kind == ClientKind::consumer) client->records_ = rd_kafka_queue_new(client->handle_);
  return client;
}

// Queues first (they hold references that rd_kafka_destroy() would wait for), then the readers,
// then the topics, then the instance.
Client::~Client() {
  if (!handle_) return;
  stop_wakes();
  if (reading_) {
    for (const OpenTopic& topic : topics_) {
      for (int p = 0; p < topic.partitions; ++p) rd_kafka_consume_stop(topic.handle, p);
    }
  }
  if (records_) rd_kafka_queue_destroy(records_);
  rd_kafka_queue_destroy(events_);
  rd_kafka_purge(
      handle_, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT | RD_KAFKA_PURGE_F_NON_BLOCKING);
  for (const OpenTopic& topic : topics_) rd_kafka_topic_destroy(topic.handle);
  rd_kafka_destroy(handle_);
}

void Client::write_wakes_to(int fd) {
  const std::uint64_t one = 1;
  rd_kafka_queue_io_event_enable(events_, fd, &one, sizeof one);
  if (records_) rd_kafka_queue_io_event_enable(records_, fd, &one, sizeof one);
}

void Client::stop_wakes() {
  rd_kafka_queue_io_event_enable(events_, -1, nullptr, 0);
  if (records_) rd_kafka_queue_io_event_enable(records_, -1, nullptr, 0);
}

Result<void> Client::look_up(const std::vector<std::string>& names, base::TimePoint deadline) {
  topics_.reserve(names.size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    // The consumer finds a record's TopicId here, without a lookup.
    rd_kafka_topic_conf_t* conf = rd_kafka_default_topic_conf_dup(handle_);
    rd_kafka_topic_conf_set_opaque(conf, reinterpret_cast<void*>(i));
    rd_kafka_topic_t* topic = rd_kafka_topic_new(handle_, names[i].c_str(), conf);
    if (!topic) {
      return fail(Errc::config, "{}: topic {}: {}", subject_, names[i],
                  rd_kafka_err2str(rd_kafka_last_error()));
    }
    topics_.push_back({names[i], 0, topic});
    auto partitions = partitions_of(topic, names[i], deadline);
    if (!partitions) return std::unexpected(partitions.error());
    topics_.back().partitions = *partitions;
  }
  return {};
}

// A topic that was created a moment ago is not in every broker's metadata at once: "unknown" is
// believed after three seconds.
Result<int> Client::partitions_of(rd_kafka_topic_t* topic, const std::string& name,
                                  base::TimePoint deadline) {
  const base::TimePoint unknown_until = std::min(deadline, base::now() + std::chrono::seconds(3));
  while (true) {
    const rd_kafka_metadata_t* metadata = nullptr;
    const auto error =
        rd_kafka_metadata(handle_, 0, topic, &metadata, milliseconds_until(deadline));
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
      note_all();
      return fail(Errc::timed_out, "{}: no answer to a metadata request for topic {}: {}", subject_,
                  name, last_error_.empty() ? rd_kafka_err2str(error) : last_error_);
    }
    const auto topic_error = metadata->topic_cnt == 1 ? metadata->topics[0].err
                                                      : RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
    const int partitions = metadata->topic_cnt == 1 ? metadata->topics[0].partition_cnt : 0;
    bool has_leaders = partitions > 0;
    for (int p = 0; p < partitions; ++p) {
      has_leaders = has_leaders && metadata->topics[0].partitions[p].leader >= 0;
    }
    rd_kafka_metadata_destroy(metadata);
    if (topic_error == RD_KAFKA_RESP_ERR_NO_ERROR && has_leaders) return partitions;
    if (base::now() >= (partitions > 0 ? deadline : unknown_until)) {
      return fail(Errc::refused, "{}: topic {}: {}", subject_, name,
                  partitions > 0 ? "a partition has no leader" : rd_kafka_err2str(topic_error));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

Result<void> Client::start_reading() {
  reading_ = true;
  for (const OpenTopic& topic : topics_) {
    for (int p = 0; p < topic.partitions; ++p) {
      if (rd_kafka_consume_start_queue(topic.handle, p, RD_KAFKA_OFFSET_BEGINNING, records_) != 0) {
        return fail(Errc::refused, "{}: topic {}, partition {}: {}", subject_, topic.name, p,
                    rd_kafka_err2str(rd_kafka_last_error()));
      }
    }
  }
  return {};
}

void Client::note(rd_kafka_event_t* event) {
  switch (rd_kafka_event_type(event)) {
    case RD_KAFKA_EVENT_LOG: {
      const char* facility = nullptr;
      const char* text = nullptr;
      int level = 0;
      if (rd_kafka_event_log(event, &facility, &text, &level) == 0) note_log(level, text);
      break;
    }
    case RD_KAFKA_EVENT_ERROR:
      last_error_ = rd_kafka_event_error_string(event);
      if (rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR__FATAL) {
        std::array<char, 512> text{};
        rd_kafka_fatal_error(handle_, text.data(), text.size());
        last_error_ = text.data();
        note_log(3, text.data());
      }
      break;
    default:
      break;
  }
}

void Client::note_all() {
  while (rd_kafka_event_t* event = rd_kafka_queue_poll(events_, 0)) {
    note(event);
    rd_kafka_event_destroy(event);
  }
}

void Client::note_log(int level, const char* text) {
  constexpr int warning = 4;  // As in syslog: smaller is worse.
  if (level > warning || logged_ > log_lines_max) return;
  if (++logged_ > log_lines_max) {
    std::fprintf(stderr, "flow: warning: %s: further lines are left out\n", subject_.c_str());
    return;
  }
  std::fprintf(stderr, "flow: warning: %s: %s\n", subject_.c_str(), text);
}

}  // namespace flow::streaming::kafka

// SPDX-License-Identifier: Apache-2.0
#include "streaming/pulsar/config.hpp"

#include <algorithm>

namespace flow::streaming::pulsar {
namespace {

using base::Errc;
using base::fail;
using base::Result;

bool is_name(std::string_view text) {
  constexpr std::string_view others = "-=:._";
  return !text.empty() && std::ranges::all_of(text, [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           others.find(c) != std::string_view::npos;
  });
}

std::string percent_encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '=' || c == ':') {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace

Result<ProducerConfig> parse_producer_config(const Settings& settings) {
  return read_settings<ProducerConfig>(settings, "pulsar producer");
}

Result<ConsumerConfig> parse_consumer_config(const Settings& settings) {
  return read_settings<ConsumerConfig>(settings, "pulsar consumer");
}

Result<TopicConfig> parse_topic_config(const Settings& settings) {
  auto config = read_settings<TopicConfig>(settings, "pulsar topic");
  if (!config) return config;
  const auto [e, w, a] = std::tuple(config->ensemble, config->write_quorum, config->ack_quorum);
  const bool is_default = e == 0 && w == 0 && a == 0;
  if (!is_default && !(e >= w && w >= a && a > 0)) {
    return fail(Errc::config,
                "pulsar topic settings ensemble {}, write_quorum {}, ack_quorum {}: expected "
                "ensemble >= write_quorum >= ack_quorum > 0, or none of them",
                e, w, a);
  }
  return config;
}

Settings effective_settings(const ProducerConfig& producer, const ConsumerConfig& consumer,
                            const TopicConfig& topic) {
  Settings all;
  const auto put = [&](std::string_view prefix, const Settings& part) {
    for (const auto& [key, value] : part)
      all.emplace_back(fmt::format("{}.{}", prefix, key), value);
  };
  put("producer", write_settings(producer));
  put("consumer", write_settings(consumer));
  put("topic", write_settings(topic));
  return all;
}

Result<std::vector<net::HostPort>> parse_service_url(std::string_view url) {
  constexpr std::string_view scheme = "pulsar://";
  if (url.starts_with("pulsar+ssl://")) {
    return fail(Errc::config, "service URL '{}': TLS is not supported, expected {}host:port", url,
                scheme);
  }
  std::string_view rest = url;
  if (!rest.starts_with(scheme)) {
    return fail(Errc::config, "service URL '{}': expected {}host:port[,host:port…]", url, scheme);
  }
  rest.remove_prefix(scheme.size());
  while (rest.ends_with('/')) rest.remove_suffix(1);
  std::string with_ports;
  for (std::string_view left = rest;;) {
    const std::size_t comma = left.find(',');
    const std::string_view part = left.substr(0, comma);
    with_ports += part;
    const bool has_port = part.rfind(':') != std::string_view::npos && !part.ends_with(']');
    if (!part.empty() && !has_port) with_ports += ":6650";
    if (comma == std::string_view::npos) break;
    with_ports += ',';
    left.remove_prefix(comma + 1);
  }
  auto hosts = net::parse_host_ports(with_ports);
  if (!hosts) return base::with_context(fmt::format("service URL '{}'", url), hosts.error());
  return hosts;
}

std::string TopicName::full() const {
  return fmt::format("persistent://{}/{}/{}", tenant, space, local);
}
std::string TopicName::rest_path() const {
  return fmt::format("persistent/{}/{}", space_path(), percent_encoded(local));
}
std::string TopicName::space_path() const {
  return fmt::format("{}/{}", percent_encoded(tenant), percent_encoded(space));
}

Result<TopicName> parse_topic_name(std::string_view name) {
  constexpr std::string_view domain = "persistent://";
  std::string_view rest = name;
  const bool is_full = rest.starts_with(domain);
  if (is_full) rest.remove_prefix(domain.size());
  const std::size_t first = rest.find('/');
  const std::size_t second = first == std::string_view::npos ? first : rest.find('/', first + 1);
  TopicName topic{"public", "default", std::string(rest)};
  if (second != std::string_view::npos) {
    topic = {std::string(rest.substr(0, first)),
             std::string(rest.substr(first + 1, second - first - 1)),
             std::string(rest.substr(second + 1))};
  } else if (is_full) {
    topic.local.clear();
  }
  if (!is_name(topic.tenant) || !is_name(topic.space) || !is_name(topic.local)) {
    return fail(Errc::config,
                "topic '{}': expected a name of letters, digits and - = : . _, or "
                "persistent://tenant/namespace/name",
                name);
  }
  return topic;
}

std::string partition_topic(const TopicName& topic, int partition) {
  return fmt::format("{}-partition-{}", topic.full(), partition);
}

}  // namespace flow::streaming::pulsar

// SPDX-License-Identifier: Apache-2.0
#include "streaming/pulsar/admin.hpp"

#include <algorithm>
#include <set>

#include "base/json.hpp"
#include "net/http_client.hpp"
#include "streaming/pulsar/topic_producer.hpp"

namespace flow::streaming::pulsar {
namespace {

using base::Errc;
using base::fail;
using base::JsonView;
using base::Result;

constexpr int redirects_max = 5;
constexpr base::Nanos poll_interval = std::chrono::milliseconds(100);
constexpr std::size_t error_text_max = 300;

struct Quorums {
  std::int64_t ensemble = 0, write = 0, ack = 0;
  bool operator==(const Quorums&) const = default;
};

std::string text_of(const Quorums& quorums) {
  return fmt::format("{}/{}/{}", quorums.ensemble, quorums.write, quorums.ack);
}

bool is_good(const net::HttpResponse& response) {
  return response.status >= 200 && response.status < 300;
}

// "ensembleSize=3" out of BookKeeper's LedgerMetadata as text; 0 when it is not there.
std::int64_t number_behind(std::string_view text, std::string_view name) {
  const std::size_t at = text.find(name);
  if (at == std::string_view::npos) return 0;
  std::int64_t number = 0;
  for (std::size_t i = at + name.size(); i < text.size() && text[i] >= '0' && text[i] <= '9'; ++i) {
    number = 10 * number + (text[i] - '0');
    if (number > 1'000'000) return 0;
  }
  return number;
}

// Of the last ledger in an answer of internalStats?metadata=true.
std::optional<Quorums> quorums_in_stats(const base::json::value& stats) {
  const auto ledgers = JsonView(stats, "internalStats").at("ledgers");
  if (!ledgers) return std::nullopt;
  const auto list = ledgers->array();
  if (!list || (*list)->empty()) return std::nullopt;
  const auto metadata = JsonView((*list)->back(), "ledger").at("metadata");
  if (!metadata) return std::nullopt;
  const auto text = metadata->text();
  if (!text) return std::nullopt;
  const Quorums found{.ensemble = number_behind(*text, "ensembleSize="),
                      .write = number_behind(*text, "writeQuorumSize="),
                      .ack = number_behind(*text, "ackQuorumSize=")};
  if (found.ensemble == 0) return std::nullopt;
  return found;
}

// Nothing is published through the producers that prove a topic ready.
struct NoDeliveries final : DeliverySink {
  void on_delivery(Ticket, const Delivery&) override {}
};

// What every call needs; a value, so that a coroutine outlives the Admin that started it.
struct Rest {
  std::shared_ptr<Shell> shell;
  net::HttpUrl url;
  std::string token;

  net::HttpRequest request(std::string method, std::string target, std::string body) const {
    net::HttpRequest made{.method = std::move(method),
                          .target = std::move(target),
                          .headers = {},
                          .body = std::move(body)};
    made.headers.add("Accept", "application/json");
    made.headers.add("Content-Type", "application/json");
    if (!token.empty()) made.headers.add("Authorization", "Bearer " + token);
    return made;
  }
};

// Where a 307 points to: the broker that owns the topic.
Result<std::pair<net::HttpUrl, std::string>> redirect_of(const net::HttpResponse& response) {
  const std::string_view location = response.headers.get("Location");
  const std::size_t query = location.find('?');
  auto url = net::parse_http_url(location.substr(0, query));
  if (!url) return base::with_context("redirect", url.error());
  std::string target = std::exchange(url->path, {});
  if (query != std::string_view::npos) target += location.substr(query);
  return std::pair(*url, target);
}

// Any status but a redirect; `target` begins behind the URL's path.
net::Task<Result<net::HttpResponse>> call(Rest rest, std::string method, std::string target,
                                          std::string body, base::TimePoint deadline) {
  net::HttpUrl url = rest.url;
  for (int hop = 0; hop <= redirects_max; ++hop) {
    net::HttpRequest request = rest.request(method, target, body);
    Result<net::HttpResponse> response =
        co_await net::http_request(url, std::move(request), deadline);
    if (!response || (response->status != 307 && response->status != 302)) co_return response;
    const auto to = redirect_of(*response);
    if (!to) co_return std::unexpected(to.error());
    url = to->first;
    target = to->second;
  }
  co_return fail(Errc::protocol, "{} {}: more than {} redirects", method, target, redirects_max);
}

std::unexpected<base::Error> refused(std::string_view what, const net::HttpResponse& response) {
  return fail(Errc::refused, "pulsar: {}: HTTP {}: {}", what, response.status,
              std::string_view(response.body).substr(0, error_text_max));
}

// A write: anything but 2xx is an error.
net::Task<Result<void>> put(Rest rest, std::string method, std::string target, std::string body,
                            base::TimePoint deadline) {
  const Result<net::HttpResponse> response =
      co_await call(rest, method, target, std::move(body), deadline);
  if (!response) co_return std::unexpected(response.error());
  if (!is_good(*response)) {
    co_return refused(fmt::format("{} {}", method, target), *response);
  }
  co_return Result<void>{};
}

net::Task<Result<base::json::value>> get(Rest rest, std::string target, base::TimePoint deadline) {
  const Result<net::HttpResponse> response = co_await call(rest, "GET", target, "", deadline);
  if (!response) co_return std::unexpected(response.error());
  if (!is_good(*response)) co_return refused("GET " + target, *response);
  if (response->body.empty()) co_return base::json::value{};
  co_return base::parse_json(response->body, target);
}

// The quorums that the namespace's policy names; nullopt when it leaves them to the broker.
net::Task<Result<std::optional<Quorums>>> policy_of(Rest rest, std::string space,
                                                    base::TimePoint deadline) {
  const std::string target = "/admin/v2/namespaces/" + space + "/persistence";
  const Result<base::json::value> answer = co_await get(rest, target, deadline);
  if (!answer) co_return std::unexpected(answer.error());
  std::optional<Quorums> none;
  if (!answer->is_object()) co_return none;
  const JsonView view(*answer, target);
  Quorums quorums;
  for (const auto& [key, into] : {std::pair("bookkeeperEnsemble", &quorums.ensemble),
                                  std::pair("bookkeeperWriteQuorum", &quorums.write),
                                  std::pair("bookkeeperAckQuorum", &quorums.ack)}) {
    const auto member = view.at(key);
    if (!member) co_return std::unexpected(member.error());
    const auto number = member->whole_number();
    if (!number) co_return std::unexpected(number.error());
    *into = *number;
  }
  std::optional<Quorums> found = quorums;
  co_return found;
}

// The broker reads policies from a cache that follows the write: wait until it shows them.
net::Task<Result<void>> wait_for_policy(Rest rest, std::string space, Quorums wanted,
                                        base::TimePoint deadline) {
  for (;;) {
    const Result<std::optional<Quorums>> found = co_await policy_of(rest, space, deadline);
    if (!found) co_return std::unexpected(found.error());
    if (*found == wanted) co_return Result<void>{};
    if (base::now() >= deadline) {
      co_return fail(Errc::timed_out, "pulsar namespace {}: quorums {} are not in force", space,
                     text_of(wanted));
    }
    co_await net::sleep_until(base::now() + poll_interval);
  }
}

net::Task<Result<void>> set_policies(Rest rest, TopicConfig config, std::string space,
                                     base::TimePoint deadline) {
  const std::string target = "/admin/v2/namespaces/" + space;
  const std::string retention =
      fmt::format(R"({{"retentionTimeInMinutes":{},"retentionSizeInMB":{}}})",
                  config.retention_minutes, config.retention_mib);
  Result<void> done = co_await put(rest, "POST", target + "/retention", retention, deadline);
  if (!done) co_return done;
  const std::string quota =
      fmt::format(R"({{"limitSize":{},"limitTime":-1,"policy":"producer_exception"}})",
                  config.backlog_quota_bytes);
  const std::string quota_target = target + "/backlogQuota?backlogQuotaType=destination_storage";
  done = co_await put(rest, "POST", quota_target, quota, deadline);
  if (!done || config.ensemble == 0) co_return done;
  const std::string persistence = fmt::format(
      R"({{"bookkeeperEnsemble":{},"bookkeeperWriteQuorum":{},"bookkeeperAckQuorum":{},)"
      R"("managedLedgerMaxMarkDeleteRate":0.0}})",
      config.ensemble, config.write_quorum, config.ack_quorum);
  done = co_await put(rest, "POST", target + "/persistence", persistence, deadline);
  if (!done) co_return done;
  const Quorums wanted{config.ensemble, config.write_quorum, config.ack_quorum};
  done = co_await wait_for_policy(rest, space, wanted, deadline);
  co_return done;
}

// Ready means: every partition has a producer, which loads it and opens its ledger.
net::Task<Result<void>> wait_until_ready(Rest rest, std::vector<std::string> topics,
                                         base::TimePoint deadline) {
  NoDeliveries sink;
  const auto shell = rest.shell;
  const auto machine = std::make_shared<TopicProducer>(shell->client(), ProducerConfig{}, sink);
  const auto opened = std::make_shared<Event>(shell->io());
  const auto error = std::make_shared<std::optional<base::Error>>();
  machine->open(topics, [opened, error](const std::optional<base::Error>& failure) {
    *error = failure;
    opened->set();
  });
  const bool in_time = co_await Event::wait(opened, deadline);
  const std::optional<base::Error> told = *error;
  const std::optional<Failure> last = machine->last_failure();
  machine->stop();
  if (!in_time) {
    co_return fail(Errc::timed_out, "pulsar: new topics are not ready at the deadline; last: {}",
                   last ? last->error.what : std::string("nothing was answered"));
  }
  if (told) co_return std::unexpected(*told);
  co_return Result<void>{};
}

// The quorums of the ledger that a partition writes to now.
net::Task<Result<std::optional<Quorums>>> ledger_quorums(Rest rest, std::string partition_path,
                                                         base::TimePoint deadline) {
  const Result<base::json::value> stats =
      co_await get(rest, "/admin/v2/" + partition_path + "/internalStats?metadata=true", deadline);
  if (!stats) co_return std::unexpected(stats.error());
  co_return quorums_in_stats(*stats);
}

// A ledger keeps the quorums that it was made with: a policy that a broker learned too late would
// silently weaken the level.
net::Task<Result<void>> check_quorums(Rest rest, TopicName topic, int partitions, Quorums wanted,
                                      base::TimePoint deadline) {
  for (int i = 0; i < partitions; ++i) {
    const std::string path = fmt::format("{}-partition-{}", topic.rest_path(), i);
    const Result<std::optional<Quorums>> found = co_await ledger_quorums(rest, path, deadline);
    if (!found) co_return std::unexpected(found.error());
    if (!*found || **found != wanted) {
      co_return fail(Errc::refused,
                     "pulsar topic {} partition {}: its ledger has quorums {}, not {}",
                     topic.full(), i, *found ? text_of(**found) : "unknown", text_of(wanted));
    }
  }
  co_return Result<void>{};
}

net::Task<Result<void>> create_topics_of(Rest rest, TopicConfig config,
                                         std::vector<TopicSpec> topics, base::TimePoint deadline) {
  std::vector<TopicName> names;
  std::vector<std::string> full_names;
  std::set<std::string> spaces;
  for (const TopicSpec& spec : topics) {
    const auto name = parse_topic_name(spec.name);
    if (!name) co_return std::unexpected(name.error());
    if (spec.partitions < 1) {
      co_return fail(Errc::config, "topic '{}': {} partitions, expected 1 or more", spec.name,
                     spec.partitions);
    }
    names.push_back(*name);
    full_names.push_back(name->full());
    spaces.insert(name->space_path());
  }
  for (const std::string& space : spaces) {
    const Result<void> set = co_await set_policies(rest, config, space, deadline);
    if (!set) co_return set;
  }
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string target = "/admin/v2/" + names[i].rest_path() + "/partitions";
    const std::string count = fmt::to_string(topics[i].partitions);
    const Result<void> made = co_await put(rest, "PUT", target, count, deadline);
    if (!made) co_return base::with_context("topic " + full_names[i], made.error());
  }
  const Result<void> ready = co_await wait_until_ready(rest, full_names, deadline);
  if (!ready || config.ensemble == 0) co_return ready;
  const Quorums wanted{config.ensemble, config.write_quorum, config.ack_quorum};
  for (std::size_t i = 0; i < names.size(); ++i) {
    const Result<void> checked =
        co_await check_quorums(rest, names[i], topics[i].partitions, wanted, deadline);
    if (!checked) co_return checked;
  }
  co_return Result<void>{};
}

net::Task<Result<void>> delete_topics_of(Rest rest, std::vector<std::string> topics,
                                         base::TimePoint deadline) {
  for (const std::string& topic : topics) {
    const auto name = parse_topic_name(topic);
    if (!name) co_return std::unexpected(name.error());
    const std::string target = "/admin/v2/" + name->rest_path() + "/partitions?force=true";
    const Result<void> gone = co_await put(rest, "DELETE", target, "", deadline);
    if (!gone) co_return base::with_context("topic " + name->full(), gone.error());
  }
  co_return Result<void>{};
}

net::Task<Result<int>> broker_count_of(Rest rest, base::TimePoint deadline) {
  const Result<base::json::value> clusters = co_await get(rest, "/admin/v2/clusters", deadline);
  if (!clusters) co_return std::unexpected(clusters.error());
  const auto list = JsonView(*clusters, "clusters").array();
  if (!list) co_return std::unexpected(list.error());
  for (const auto& cluster : **list) {
    const auto name = JsonView(cluster, "cluster").text();
    if (!name) co_return std::unexpected(name.error());
    const std::string target = "/admin/v2/brokers/" + std::string(*name);
    const Result<base::json::value> brokers = co_await get(rest, target, deadline);
    if (!brokers) co_return std::unexpected(brokers.error());
    const auto all = JsonView(*brokers, "brokers").array();
    if (!all) co_return std::unexpected(all.error());
    co_return static_cast<int>((*all)->size());
  }
  co_return fail(Errc::refused, "pulsar: the broker knows no cluster");
}

net::Task<Result<Settings>> describe_topic_of(Rest rest, std::string topic,
                                              base::TimePoint deadline) {
  const auto name = parse_topic_name(topic);
  if (!name) co_return std::unexpected(name.error());
  Settings told;
  const std::string partitions_target = "/admin/v2/" + name->rest_path() + "/partitions";
  const Result<base::json::value> metadata = co_await get(rest, partitions_target, deadline);
  if (!metadata) co_return std::unexpected(metadata.error());
  const auto count = JsonView(*metadata, partitions_target).at("partitions");
  if (!count) co_return std::unexpected(count.error());
  const auto partitions = count->whole_number();
  if (!partitions) co_return std::unexpected(partitions.error());
  told.emplace_back("partitions", fmt::to_string(*partitions));

  const Result<std::optional<Quorums>> policy =
      co_await policy_of(rest, name->space_path(), deadline);
  if (!policy) co_return std::unexpected(policy.error());
  if (*policy) {
    told.emplace_back("ensemble", fmt::to_string((*policy)->ensemble));
    told.emplace_back("write_quorum", fmt::to_string((*policy)->write));
    told.emplace_back("ack_quorum", fmt::to_string((*policy)->ack));
  }
  const std::string space = "/admin/v2/namespaces/" + name->space_path();
  for (const std::string key : {"retention", "backlogQuotaMap"}) {
    const Result<base::json::value> value = co_await get(rest, space + "/" + key, deadline);
    if (!value) co_return std::unexpected(value.error());
    told.emplace_back("namespace." + key, base::json::serialize(*value));
  }
  for (std::int64_t i = 0; i < std::max<std::int64_t>(*partitions, 1); ++i) {
    const std::string suffix = *partitions == 0 ? "" : fmt::format("-partition-{}", i);
    const Result<std::optional<Quorums>> quorums =
        co_await ledger_quorums(rest, name->rest_path() + suffix, deadline);
    if (!quorums) co_return std::unexpected(quorums.error());
    told.emplace_back(fmt::format("partition.{}.ledger_quorums", i),
                      *quorums ? text_of(**quorums) : "unknown");
  }
  co_return told;
}

class PulsarAdmin final : public Admin {
 public:
  PulsarAdmin(Rest rest, TopicConfig config) : rest_(std::move(rest)), config_(config) {}
  ~PulsarAdmin() override {
    net::IoThread& io = rest_.shell->io();
    if (!io.is_current()) io.post([shell = std::move(rest_.shell)] {});
  }

  net::Task<Result<int>> broker_count(base::TimePoint deadline) override {
    return broker_count_of(rest_, deadline);
  }
  net::Task<Result<void>> create_topics(std::vector<TopicSpec> topics,
                                        base::TimePoint deadline) override {
    return create_topics_of(rest_, config_, std::move(topics), deadline);
  }
  net::Task<Result<void>> delete_topics(std::vector<std::string> names,
                                        base::TimePoint deadline) override {
    return delete_topics_of(rest_, std::move(names), deadline);
  }
  net::Task<Result<Settings>> describe_topic(std::string name, base::TimePoint deadline) override {
    return describe_topic_of(rest_, std::move(name), deadline);
  }

 private:
  Rest rest_;
  TopicConfig config_;
};

}  // namespace

std::unique_ptr<Admin> make_admin(std::shared_ptr<Shell> shell, net::HttpUrl url,
                                  TopicConfig config, std::string token) {
  return std::make_unique<PulsarAdmin>(Rest{std::move(shell), std::move(url), std::move(token)},
                                       config);
}

}  // namespace flow::streaming::pulsar

// SPDX-License-Identifier: Apache-2.0
#include "lab/plan/experiment.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>

#include "base/yaml.hpp"
#include "lab/plan/workload_mode.hpp"
#include "net/url.hpp"

namespace flow::lab {
namespace {

using base::Errc;
using base::fail;
using base::Result;
using base::YamlMap;

template <class Whole>
void read_whole(YamlMap& map, std::string_view key, Whole& out, std::int64_t lowest,
                std::int64_t highest) {
  auto value = static_cast<std::int64_t>(out);
  map.whole_number(key, value, lowest, highest);
  out = static_cast<Whole>(value);
}

Result<Workload> read_workload(YamlMap map) {
  Workload workload;
  std::string placement = "uniform";
  auto tick_ms = std::chrono::duration_cast<std::chrono::milliseconds>(workload.tick).count();
  map.require("name");
  map.text("name", workload.name);
  map.number("bias", workload.bias, 0.5, 0.95);
  read_whole(map, "ticks", workload.ticks, 1, 1 << 20);
  map.whole_number("tick_ms", tick_ms, 1, 3'600'000);
  workload.tick = std::chrono::milliseconds(tick_ms);
  map.number("requests_per_second", workload.requests_per_second, 0.1, 1e6);
  map.choice("placement", placement, {"even", "uniform", "poisson"});
  read_whole(map, "users", workload.users, 1, 100'000);
  read_mode(map, workload);
  read_whole(map, "warm_up_seconds", workload.warm_up_seconds, 0, 3600);
  read_whole(map, "warm_up_seconds_max", workload.warm_up_seconds_max, 0, 3600);
  const std::string max_place =
      map.has("warm_up_seconds_max") ? map.where("warm_up_seconds_max") : "";
  workload.warm_up_requests_per_second = workload.requests_per_second;
  map.number("warm_up_requests_per_second", workload.warm_up_requests_per_second, 0.1, 1e6);
  if (auto done = map.finish(); !done) return std::unexpected(done.error());
  if (workload.warm_up_seconds_max != 0 &&
      (workload.warm_up_seconds_max < workload.warm_up_seconds || workload.warm_up_seconds == 0)) {
    return fail(Errc::config, "{}: expected no less than warm_up_seconds, which is {}, found {}",
                max_place, workload.warm_up_seconds, workload.warm_up_seconds_max);
  }
  if (auto ok = check_mode(map, workload); !ok) return std::unexpected(ok.error());
  workload.placement = traffic::parse_placement(placement).value();  // One of the choices above.
  return workload;
}

Result<void> read_workloads(YamlMap& map, Experiment& experiment) {
  std::set<std::string> names;
  map.require("workloads");
  for (auto& entry : map.maps("workloads")) {
    const std::string where = entry.where("name");
    auto workload = read_workload(std::move(entry));
    if (!workload) return std::unexpected(workload.error());
    if (!names.insert(workload->name).second) {
      return fail(Errc::config, "{}: workload '{}' occurs twice", where, workload->name);
    }
    experiment.workloads.push_back(std::move(*workload));
  }
  return {};
}

// `where`: the list's place, for messages.
Result<void> check_list(const std::string& where, const std::vector<std::string>& values,
                        const std::vector<std::string>& choices) {
  std::set<std::string> seen;
  for (const auto& value : values) {
    if (!choices.empty() && std::ranges::find(choices, value) == choices.end()) {
      return fail(Errc::config, "{}: expected a list of {}, found '{}'", where,
                  fmt::join(choices, ", "), value);
    }
    if (!seen.insert(value).second) {
      return fail(Errc::config, "{}: '{}' occurs twice", where, value);
    }
  }
  if (values.empty()) return fail(Errc::config, "{}: expected at least one", where);
  return {};
}

Result<void> read_seeds(YamlMap& map, Experiment& experiment) {
  std::vector<std::int64_t> seeds;
  map.whole_numbers("seeds", seeds, 0, INT64_MAX);
  for (const auto seed : seeds) experiment.seeds.push_back(static_cast<std::uint64_t>(seed));
  if (seeds.empty()) {
    for (std::uint64_t block = 0; block < experiment.blocks; ++block) {
      experiment.seeds.push_back(42 + block);
    }
  }
  if (experiment.seeds.size() != experiment.blocks) {
    return fail(Errc::config, "{}: {} blocks need {} seeds, found {}", map.where("seeds"),
                experiment.blocks, experiment.blocks, experiment.seeds.size());
  }
  return {};
}

// Hops of every trial, with the quantiles that its result has.
std::vector<std::string> primary_choices() {
  std::vector<std::string> choices;
  for (const auto* hop : {"publish_response", "response_time", "end_to_end", "publish_latency",
                          "service_time", "queryable"}) {
    for (const auto* quantile : {"p50", "p90", "p99", "p99_9"}) {
      choices.push_back(fmt::format("{}_{}", hop, quantile));
    }
  }
  return choices;
}

void read_analytics(YamlMap& map, AnalyticsSettings& analytics) {
  map.boolean("analytics", analytics.is_on);
  map.text("pinot", analytics.pinot);
  map.text("pinot_home", analytics.pinot_home);
  map.text("queries", analytics.queries);
  map.number("queries_per_second", analytics.queries_per_second, 0, 1000);
  map.number("probe_queries_per_second", analytics.probe_queries_per_second, 0, 1000);
  map.whole_number("segment_rows", analytics.segment_rows, 100, 1'000'000'000);
}

// A key that would do nothing is a mistake.
Result<void> check_analytics(const YamlMap& map, const Experiment& experiment) {
  if (experiment.analytics.is_on) return {};
  for (const auto* key : {"pinot", "pinot_home", "queries", "queries_per_second",
                          "probe_queries_per_second", "segment_rows"}) {
    if (map.has(key)) {
      return fail(Errc::config, "{}: only with analytics: true", map.where(key));
    }
  }
  for (const auto& fault : experiment.faults) {
    if (fault.role.starts_with("pinot-")) {
      return fail(Errc::config, "{}: role {}: only with analytics: true", map.where("faults"),
                  fault.role);
    }
  }
  return {};
}

Result<Fault> read_fault(YamlMap map) {
  Fault fault;
  for (const auto* key : {"what", "role", "at_seconds", "for_seconds"}) map.require(key);
  map.choice("what", fault.what, {"kill", "pause"});
  map.choice("role", fault.role,
             {"broker", "pinot-server", "pinot-broker", "pinot-controller", "pinot-zookeeper"});
  map.number("at_seconds", fault.at_seconds, 0, 86'400);
  map.number("for_seconds", fault.for_seconds, 0, 3600);
  const std::string where = map.where("role");
  if (auto done = map.finish(); !done) return std::unexpected(done.error());
  if (fault.what == "kill" && fault.role == "broker") {
    return fail(Errc::config, "{}: kill: expected one of Pinot's roles; a broker can be paused",
                where);
  }
  return fault;
}

Result<void> read_faults(YamlMap& map, Experiment& experiment) {
  for (auto& entry : map.maps("faults")) {
    auto fault = read_fault(std::move(entry));
    if (!fault) return std::unexpected(fault.error());
    experiment.faults.push_back(std::move(*fault));
  }
  return {};
}

// A number of CPUs, 0 for all.
std::optional<double> cpus_of(std::string_view text) {
  double cpus = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), cpus);
  const bool is_number = error == std::errc{} && end == text.data() + text.size();
  if (!is_number || cpus < 0 || cpus > 1024 || (cpus > 0 && cpus < 0.05)) return std::nullopt;
  return cpus;
}

// Values stand in the names of cells and of their folders.
bool is_plain(std::string_view value) {
  return !value.empty() && std::ranges::all_of(value, [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || std::string_view("._-+").contains(c);
  });
}

Result<void> read_variations(YamlMap& map, Experiment& experiment) {
  for (auto& [setting, values] : map.lists("vary")) {
    const std::string where = fmt::format("{}/{}", map.where("vary"), setting);
    if (values.size() < 2) {
      return fail(Errc::config, "{}: expected a list of two values or more, found {}", where,
                  values.size());
    }
    for (const auto& value : values) {
      if (std::ranges::count(values, value) > 1) {
        return fail(Errc::config, "{}: '{}' occurs twice", where, value);
      }
      if (!is_plain(value)) {
        return fail(Errc::config, "{}: expected letters, digits and . _ - +, found '{}'", where,
                    value);
      }
      if (setting == broker_cpus_setting && !cpus_of(value)) {
        return fail(Errc::config, "{}: expected CPUs from 0.05 to 1024, or 0 for all, found '{}'",
                    where, value);
      }
    }
    for (const auto* platform : {"kafka", "pulsar"}) {
      if (setting.starts_with(fmt::format("{}.", platform)) &&
          std::ranges::find(experiment.platforms, platform) == experiment.platforms.end()) {
        return fail(Errc::config, "{}: platform {} is not in this experiment", where, platform);
      }
    }
    experiment.vary.push_back({setting, std::move(values)});
  }
  return {};
}

Result<void> read_questions(YamlMap& map, Experiment& experiment) {
  for (auto& entry : map.maps("questions")) {
    Question question;
    for (const auto* key : {"name", "text", "levels"}) entry.require(key);
    entry.text("name", question.name);
    entry.text("text", question.text);
    entry.texts("levels", question.levels);
    const std::string where = entry.has("levels") ? entry.where("levels") : "";
    if (auto done = entry.finish(); !done) return std::unexpected(done.error());
    if (auto ok = check_list(where, question.levels, experiment.levels); !ok) return ok;
    experiment.questions.push_back(std::move(question));
  }
  return {};
}

Result<Experiment> read_experiment(YamlMap map) {
  Experiment experiment;
  map.require("name");
  map.require("platforms");
  map.require("levels");
  map.text("name", experiment.name);
  map.text("question", experiment.question);
  map.texts("platforms", experiment.platforms);
  map.texts("levels", experiment.levels);
  read_whole(map, "blocks", experiment.blocks, 1, 1000);
  experiment.with_repeats = experiment.blocks >= blocks_for_a_verdict;
  experiment.retries = experiment.blocks >= blocks_for_a_verdict ? 2 : 0;
  experiment.with_null_broker = experiment.blocks >= blocks_for_a_verdict;
  map.boolean("with_repeats", experiment.with_repeats);
  map.boolean("null_broker", experiment.with_null_broker);
  std::string reuse = "none";
  map.choice("reuse", reuse, {"none", "level"});
  experiment.reuses_servers = reuse == "level";
  read_whole(map, "retries", experiment.retries, 0, 10);
  map.number("margin", experiment.margin, 0.001, 10);
  map.choice("primary", experiment.primary, primary_choices());
  read_whole(map, "shards", experiment.shards, 1, 64);
  read_whole(map, "connections_max", experiment.connections_max, 1, 100'000);
  read_whole(map, "drain_seconds", experiment.drain_seconds, 1, 600);
  read_whole(map, "bcrypt_cost", experiment.bcrypt_cost, 4, 15);
  map.boolean("ack_before_answer", experiment.ack_before_answer);
  std::string cpus = "0";
  map.text(broker_cpus_setting, cpus);
  auto variations = read_variations(map, experiment);
  read_analytics(map, experiment.analytics);
  auto questions = read_questions(map, experiment);
  auto faults = read_faults(map, experiment);
  auto workloads = read_workloads(map, experiment);
  auto seeds = read_seeds(map, experiment);
  if (auto done = map.finish(); !done) return std::unexpected(done.error());
  if (!questions) return std::unexpected(questions.error());
  if (!variations) return std::unexpected(variations.error());
  if (!cpus_of(cpus)) {
    return fail(Errc::config, "{}: expected CPUs from 0.05 to 1024, or 0 for all, found '{}'",
                map.where(broker_cpus_setting), cpus);
  }
  experiment.broker_cpus = *cpus_of(cpus);
  if (!faults) return std::unexpected(faults.error());
  if (!workloads) return std::unexpected(workloads.error());
  if (!seeds) return std::unexpected(seeds.error());
  if (experiment.workloads.empty()) {
    return fail(Errc::config, "{}: expected at least one", map.where("workloads"));
  }
  if (auto ok = check_list(map.where("platforms"), experiment.platforms, {"kafka", "pulsar"});
      !ok) {
    return std::unexpected(ok.error());
  }
  if (auto ok = check_list(map.where("levels"), experiment.levels, {}); !ok) {
    return std::unexpected(ok.error());
  }
  if (experiment.reuses_servers && experiment.analytics.is_on) {
    return fail(Errc::config, "{}: level: not with analytics, whose tables belong to one trial",
                map.where("reuse"));
  }
  if (auto ok = check_analytics(map, experiment); !ok) return std::unexpected(ok.error());
  const auto is_name_character = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_';
  };
  if (experiment.name.empty() || !std::ranges::all_of(experiment.name, is_name_character)) {
    return fail(Errc::config, "{}: expected letters, digits, - and _, found '{}'",
                map.where("name"), experiment.name);
  }
  return experiment;
}

base::json::object describe(const Workload& workload) {
  base::json::object object{{"name", workload.name},
                            {"model", "b-model"},
                            {"bias", workload.bias},
                            {"ticks", workload.ticks},
                            {"tick_ns", workload.tick.count()},
                            {"requests_per_second", workload.requests_per_second},
                            {"placement", traffic::name_of(workload.placement)},
                            {"users", workload.users},
                            {"warm_up_seconds", workload.warm_up_seconds},
                            {"warm_up_seconds_max", workload.warm_up_seconds_max},
                            {"warm_up_requests_per_second", workload.warm_up_requests_per_second}};
  for (auto& [key, value] : describe_mode(workload)) object[key] = value;
  return object;
}

// Absent without analytics.
void put_analytics(base::json::object& object, const AnalyticsSettings& analytics) {
  object["analytics"] = analytics.is_on;
  if (!analytics.is_on) return;
  object["pinot"] = analytics.pinot;
  object["pinot_home"] = analytics.pinot_home;
  object["queries"] = analytics.queries;
  object["queries_per_second"] = analytics.queries_per_second;
  object["probe_queries_per_second"] = analytics.probe_queries_per_second;
  object["segment_rows"] = analytics.segment_rows;
}

base::json::array texts(const std::vector<std::string>& values) {
  base::json::array array;
  for (const auto& value : values) array.emplace_back(value);
  return array;
}

base::json::object describe(const std::vector<Variation>& vary) {
  base::json::object object;
  for (const auto& variation : vary) object[variation.setting] = texts(variation.values);
  return object;
}

}  // namespace

Result<Experiment> load_experiment(const std::string& path) {
  auto map = base::load_yaml_file(path);
  if (!map) return std::unexpected(map.error());
  return read_experiment(std::move(*map));
}

Result<Experiment> parse_experiment(std::string_view yaml, const std::string& name) {
  auto map = base::load_yaml(yaml, name);
  if (!map) return std::unexpected(map.error());
  return read_experiment(std::move(*map));
}

Result<void> check_analytics(const Experiment& experiment) {
  const auto& analytics = experiment.analytics;
  if (!analytics.is_on) return {};
  if (!analytics.pinot.empty() && !analytics.pinot_home.empty()) {
    return fail(Errc::config, "pinot {} and pinot_home {}: expected one of them", analytics.pinot,
                analytics.pinot_home);
  }
  if (!analytics.pinot.empty()) {
    if (auto url = net::parse_http_url(analytics.pinot); !url) {
      return base::with_context("pinot", url.error());
    }
    for (const auto& fault : experiment.faults) {
      if (fault.role.starts_with("pinot-")) {
        return fail(Errc::config, "fault of {}: Pinot at {} is not Flow's to {}", fault.role,
                    analytics.pinot, fault.what);
      }
    }
  }
  if (auto queries = load_queries(experiment); !queries) return std::unexpected(queries.error());
  return {};
}

Result<analytics::QuerySet> load_queries(const Experiment& experiment) {
  const std::string& name = experiment.analytics.queries;
  const bool is_path = name.contains('/') || name.ends_with(".yaml");
  return analytics::load_query_set(
      is_path ? name : fmt::format(FLOW_SOURCE_DIR "/experiments/queries/{}.yaml", name));
}

base::json::object describe(const Experiment& experiment) {
  base::json::array workloads;
  for (const auto& workload : experiment.workloads) workloads.push_back(describe(workload));
  base::json::array seeds;
  for (const auto seed : experiment.seeds) seeds.emplace_back(seed);
  base::json::array faults;
  for (const auto& fault : experiment.faults) faults.push_back(describe(fault));
  base::json::array questions;
  for (const auto& question : experiment.questions) {
    questions.push_back(
        {{"name", question.name}, {"text", question.text}, {"levels", texts(question.levels)}});
  }
  base::json::object object{{"name", experiment.name},
                            {"question", experiment.question},
                            {"questions", std::move(questions)},
                            {"platforms", texts(experiment.platforms)},
                            {"levels", texts(experiment.levels)},
                            {"blocks", experiment.blocks},
                            {"seeds", std::move(seeds)},
                            {"workloads", std::move(workloads)},
                            {"null_broker", experiment.with_null_broker},
                            {"pilot", experiment.is_pilot},
                            {"with_repeats", experiment.with_repeats},
                            {"reuse", experiment.reuses_servers ? "level" : "none"},
                            {"retries", experiment.retries},
                            {"margin", experiment.margin},
                            {"primary", experiment.primary},
                            {"shards", experiment.shards},
                            {"connections_max", experiment.connections_max},
                            {"drain_seconds", experiment.drain_seconds},
                            {"bcrypt_cost", experiment.bcrypt_cost},
                            {"ack_before_answer", experiment.ack_before_answer},
                            {"broker_cpus", experiment.broker_cpus},
                            {"vary", describe(experiment.vary)},
                            {"faults", std::move(faults)}};
  put_analytics(object, experiment.analytics);
  return object;
}

traffic::ScheduleSpec schedule_spec(const Workload& workload, std::uint64_t seed) {
  traffic::ScheduleSpec spec;
  spec.bias = workload.bias;
  spec.ticks = workload.ticks;
  spec.tick = workload.tick;
  spec.requests_per_second = workload.requests_per_second;
  spec.placement = workload.placement;
  spec.seed = seed;
  return spec;
}

}  // namespace flow::lab

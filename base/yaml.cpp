// SPDX-License-Identifier: Apache-2.0
#include "base/yaml.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <map>
#include <sstream>

#include <yaml-cpp/yaml.h>

namespace flow::base {
namespace {

std::string kind_name(const YAML::Node& node) {
  if (node.IsScalar()) return fmt::format("'{}'", node.Scalar());
  if (node.IsSequence()) return "a list";
  if (node.IsMap()) return "a map";
  return "nothing";
}

std::optional<std::int64_t> to_whole_number(const YAML::Node& node) {
  if (!node.IsScalar()) return std::nullopt;
  std::string text = node.Scalar();
  std::erase(text, '_');  // 1_000_000, for people.
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || text.empty()) {
    return std::nullopt;
  }
  return value;
}

std::optional<double> to_number(const YAML::Node& node) {
  if (!node.IsScalar()) return std::nullopt;
  const std::string& text = node.Scalar();
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || text.empty()) {
    return std::nullopt;
  }
  return value;
}

}  // namespace

struct YamlMap::Impl {
  std::string file;
  std::string path;
  std::map<std::string, YAML::Node, std::less<>> members;
  std::vector<std::string> order;
  std::map<std::string, int, std::less<>> lines;
  std::set<std::string, std::less<>> known;
  std::optional<Error> error;

  // Marks the key as known and returns its node, or nullptr.
  const YAML::Node* find(std::string_view key) {
    known.emplace(key);
    const auto at = members.find(key);
    return at == members.end() ? nullptr : &at->second;
  }
  std::string where(std::string_view key) const {
    const auto line = lines.find(key);
    return fmt::format("{}:{}: {}/{}", file, line == lines.end() ? 0 : line->second, path, key);
  }
  void wrong(std::string_view key, const std::string& found, std::string_view expected) {
    if (error) return;
    error =
        Error{Errc::config, fmt::format("{}: expected {}, found {}", where(key), expected, found)};
  }
};

YamlMap::YamlMap(std::string file, std::string path, const YAML::Node& node)
    : impl_(std::make_unique<Impl>()) {
  impl_->file = std::move(file);
  impl_->path = std::move(path);
  for (const auto& member : node) {
    const std::string key = member.first.IsScalar() ? member.first.Scalar() : "?";
    const int line = member.first.Mark().line + 1;
    if (!impl_->members.emplace(key, member.second).second && !impl_->error) {
      impl_->error =
          Error{Errc::config, fmt::format("{}:{}: {}/{}: this key occurs twice (first in line {})",
                                          impl_->file, line, impl_->path, key, impl_->lines[key])};
    }
    impl_->lines.emplace(key, line);
    impl_->order.push_back(key);
  }
}

YamlMap::~YamlMap() = default;
YamlMap::YamlMap(YamlMap&&) noexcept = default;
YamlMap& YamlMap::operator=(YamlMap&&) noexcept = default;

bool YamlMap::has(std::string_view key) const { return impl_->members.contains(key); }

void YamlMap::text(std::string_view key, std::string& out) {
  const auto* node = impl_->find(key);
  if (!node) return;
  if (!node->IsScalar()) return impl_->wrong(key, kind_name(*node), "a text");
  out = node->Scalar();
}

void YamlMap::boolean(std::string_view key, bool& out) {
  const auto* node = impl_->find(key);
  if (!node) return;
  const bool is_true = node->IsScalar() && node->Scalar() == "true";
  const bool is_false = node->IsScalar() && node->Scalar() == "false";
  if (!is_true && !is_false) return impl_->wrong(key, kind_name(*node), "true or false");
  out = is_true;
}

void YamlMap::whole_number(std::string_view key, std::int64_t& out, std::int64_t lowest,
                           std::int64_t highest) {
  const auto* node = impl_->find(key);
  if (!node) return;
  const auto value = to_whole_number(*node);
  if (!value || *value < lowest || *value > highest) {
    return impl_->wrong(key, kind_name(*node),
                        fmt::format("a whole number from {} to {}", lowest, highest));
  }
  out = *value;
}

void YamlMap::number(std::string_view key, double& out, double lowest, double highest) {
  const auto* node = impl_->find(key);
  if (!node) return;
  const auto value = to_number(*node);
  if (!value || !(*value >= lowest && *value <= highest)) {
    return impl_->wrong(key, kind_name(*node),
                        fmt::format("a number from {} to {}", lowest, highest));
  }
  out = *value;
}

void YamlMap::texts(std::string_view key, std::vector<std::string>& out) {
  const auto* node = impl_->find(key);
  if (!node) return;
  if (!node->IsSequence()) return impl_->wrong(key, kind_name(*node), "a list of texts");
  out.clear();
  for (const auto& item : *node) {
    if (!item.IsScalar()) return impl_->wrong(key, kind_name(item), "a list of texts");
    out.push_back(item.Scalar());
  }
}

void YamlMap::whole_numbers(std::string_view key, std::vector<std::int64_t>& out,
                            std::int64_t lowest, std::int64_t highest) {
  const auto* node = impl_->find(key);
  if (!node) return;
  const auto expected = fmt::format("a list of whole numbers from {} to {}", lowest, highest);
  if (!node->IsSequence()) return impl_->wrong(key, kind_name(*node), expected);
  out.clear();
  for (const auto& item : *node) {
    const auto value = to_whole_number(item);
    if (!value || *value < lowest || *value > highest) {
      return impl_->wrong(key, kind_name(item), expected);
    }
    out.push_back(*value);
  }
}

void YamlMap::choice(std::string_view key, std::string& out,
                     const std::vector<std::string>& choices) {
  const auto* node = impl_->find(key);
  if (!node) return;
  if (!node->IsScalar() ||
      std::find(choices.begin(), choices.end(), node->Scalar()) == choices.end()) {
    return impl_->wrong(key, kind_name(*node), fmt::format("one of {}", fmt::join(choices, ", ")));
  }
  out = node->Scalar();
}

void YamlMap::require(std::string_view key) {
  if (has(key) || impl_->error) return;
  impl_->error = Error{
      Errc::config, fmt::format("{}: {}/{}: this key is missing", impl_->file, impl_->path, key)};
}

std::optional<YamlMap> YamlMap::map(std::string_view key) {
  const auto* node = impl_->find(key);
  if (!node) return std::nullopt;
  if (!node->IsMap()) {
    impl_->wrong(key, kind_name(*node), "a map");
    return std::nullopt;
  }
  return YamlMap(impl_->file, fmt::format("{}/{}", impl_->path, key), *node);
}

std::vector<YamlMap> YamlMap::maps(std::string_view key) {
  std::vector<YamlMap> maps;
  const auto* node = impl_->find(key);
  if (!node) return maps;
  if (!node->IsSequence()) {
    impl_->wrong(key, kind_name(*node), "a list of maps");
    return maps;
  }
  for (const auto& item : *node) {
    if (!item.IsMap()) {
      impl_->wrong(key, kind_name(item), "a list of maps");
      return maps;
    }
    maps.emplace_back(impl_->file, fmt::format("{}/{}/{}", impl_->path, key, maps.size()), item);
  }
  return maps;
}

std::vector<std::pair<std::string, std::string>> YamlMap::settings(std::string_view key) {
  std::vector<std::pair<std::string, std::string>> settings;
  const auto nested = map(key);
  if (!nested) return settings;
  for (const auto& name : nested->impl_->order) {
    const auto& node = nested->impl_->members.find(name)->second;
    if (!node.IsScalar()) {
      impl_->wrong(key, kind_name(node), "a map of plain values");
      return settings;
    }
    settings.emplace_back(name, node.Scalar());
  }
  if (nested->impl_->error && !impl_->error) impl_->error = nested->impl_->error;
  return settings;
}

std::vector<std::pair<std::string, std::vector<std::string>>> YamlMap::lists(std::string_view key) {
  std::vector<std::pair<std::string, std::vector<std::string>>> lists;
  auto nested = map(key);
  if (!nested) return lists;
  for (const auto& name : nested->impl_->order) {
    nested->texts(name, lists.emplace_back(name, std::vector<std::string>{}).second);
  }
  if (nested->impl_->error && !impl_->error) impl_->error = nested->impl_->error;
  return lists;
}

std::string YamlMap::where(std::string_view key) const { return impl_->where(key); }

Result<void> YamlMap::finish() {
  if (impl_->error) return std::unexpected(*impl_->error);
  for (const auto& key : impl_->order) {
    if (!impl_->known.contains(key)) {
      return fail(Errc::config, "{}: unknown key; known here: {}", impl_->where(key),
                  fmt::join(impl_->known, ", "));
    }
  }
  return {};
}

Result<YamlMap> load_yaml(std::string_view text, const std::string& name) {
  try {
    const std::vector<YAML::Node> documents = YAML::LoadAll(std::string(text));
    if (documents.size() > 1) {
      return fail(Errc::config, "{}: expected one document, found {}", name, documents.size());
    }
    const YAML::Node node = documents.empty() ? YAML::Node() : documents.front();
    if (!node.IsMap()) {
      return fail(Errc::config, "{}: expected a map, found {}", name, kind_name(node));
    }
    return YamlMap(name, "", node);
  } catch (const YAML::Exception& error) {
    return fail(Errc::config, "{}:{}: not YAML: {}", name, error.mark.line + 1, error.msg);
  }
}

Result<YamlMap> load_yaml_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(Errc::config, "{}: cannot be opened", path);
  std::stringstream text;
  text << file.rdbuf();
  return load_yaml(text.str(), path);
}

}  // namespace flow::base

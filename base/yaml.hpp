// Strict YAML for what people write by hand: a key that nobody asked for, a key that occurs twice
// or a value of the wrong kind is an error that names file, line, key, value and what was expected.
//   YamlMap map = ...;                 // from load_yaml()
//   map.text("name", name);            // Reads and marks the key as known.
//   map.whole_number("users", users, 1, 1'000'000);
//   if (auto done = map.finish(); !done) return ...;  // The first error of all the calls above.
// Thread: any; plain values.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace YAML {
class Node;
}

namespace flow::base {

class YamlMap {
 public:
  YamlMap(std::string file, std::string path, const YAML::Node& node);
  ~YamlMap();
  YamlMap(YamlMap&&) noexcept;
  YamlMap& operator=(YamlMap&&) noexcept;

  bool has(std::string_view key) const;

  // Each leaves `out` unchanged when the key is absent; require() makes absence an error.
  void text(std::string_view key, std::string& out);
  void boolean(std::string_view key, bool& out);
  void whole_number(std::string_view key, std::int64_t& out, std::int64_t lowest,
                    std::int64_t highest);
  void number(std::string_view key, double& out, double lowest, double highest);
  void texts(std::string_view key, std::vector<std::string>& out);
  void whole_numbers(std::string_view key, std::vector<std::int64_t>& out, std::int64_t lowest,
                     std::int64_t highest);
  // One of `choices`, in `out`.
  void choice(std::string_view key, std::string& out, const std::vector<std::string>& choices);
  void require(std::string_view key);

  // A nested map, nullopt when absent; it reports its own errors by its own finish().
  std::optional<YamlMap> map(std::string_view key);
  // A list of maps; empty when absent.
  std::vector<YamlMap> maps(std::string_view key);
  // A flat map of scalars as written, in order: settings whose keys belong to someone else.
  std::vector<std::pair<std::string, std::string>> settings(std::string_view key);

  // A flat map of lists of scalars as written, in order.
  std::vector<std::pair<std::string, std::vector<std::string>>> lists(std::string_view key);

  // "file:line: /path/key" of a key that is there, for messages of checks made by the caller.
  std::string where(std::string_view key) const;

  // The first error, or success when every key present was asked for.
  Result<void> finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// The file's one document, which must be a map.
Result<YamlMap> load_yaml_file(const std::string& path);
Result<YamlMap> load_yaml(std::string_view text, const std::string& name);

}  // namespace flow::base

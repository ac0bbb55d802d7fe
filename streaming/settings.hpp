// Settings as text ("linger_ms", "5") into a struct and back. A component lists its keys once, in
// describe(); the reader, the effective settings stored with every result and the reference page
// are visitors over it. An unknown or repeated key, or a value out of its bounds, is Errc::config.
//   struct Config {
//     std::chrono::milliseconds linger{5};
//     static void describe(auto& keys) {
//       keys.add("linger_ms", &Config::linger, {0, 900'000}, "how long a batch waits for company");
//     }
//   };
// Thread: any; plain values.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <charconv>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "streaming/driver.hpp"

namespace flow::streaming {

struct Bounds {
  std::int64_t lowest;
  std::int64_t highest;
};

// An enumeration as text: a list of these, in the order in which help prints them.
template <class Enum>
struct Choice {
  std::string_view name;
  Enum value;
};

// "kafka producer setting linger_ms=abc: expected a whole number from 0 to 900000".
base::Result<std::int64_t> parse_whole_number(std::string_view subject, std::string_view key,
                                              std::string_view text, Bounds bounds);
base::Result<bool> parse_boolean(std::string_view subject, std::string_view key,
                                 std::string_view text);

// Reads one key and value into a struct; a visitor for describe().
template <class Config>
class SettingReader {
 public:
  SettingReader(Config& config, std::string_view subject, std::string_view key,
                std::string_view text)
      : config_(config), subject_(subject), key_(key), text_(text) {}

  template <std::integral T>
    requires(!std::same_as<T, bool>)
  void add(std::string_view key, T Config::* member, Bounds bounds, std::string_view) {
    if (!matches(key)) return;
    const auto value = parse_whole_number(subject_, key_, text_, bounds);
    if (!value) return keep(value.error());
    config_.*member = static_cast<T>(*value);
  }
  void add(std::string_view key, std::chrono::milliseconds Config::* member, Bounds bounds,
           std::string_view) {
    if (!matches(key)) return;
    const auto value = parse_whole_number(subject_, key_, text_, bounds);
    if (!value) return keep(value.error());
    config_.*member = std::chrono::milliseconds(*value);
  }
  void add(std::string_view key, bool Config::* member, std::string_view) {
    if (!matches(key)) return;
    const auto value = parse_boolean(subject_, key_, text_);
    if (!value) return keep(value.error());
    config_.*member = *value;
  }
  template <class Enum>
  void add(std::string_view key, Enum Config::* member,
           std::type_identity_t<std::span<const Choice<Enum>>> choices, std::string_view) {
    if (!matches(key)) return;
    std::string names;
    for (const auto& choice : choices) {
      if (choice.name == text_) {
        config_.*member = choice.value;
        return;
      }
      if (!names.empty()) names += ", ";
      names += choice.name;
    }
    keep(base::Error{base::Errc::config, fmt::format("{} setting {}={}: expected one of {}",
                                                     subject_, key_, text_, names)});
  }

  bool known() const { return known_; }
  const std::string& names() const {
    return names_;
  }  // Every key, for the error of an unknown one.
  base::Result<void> result() const {
    if (failed_) return std::unexpected(error_);
    return {};
  }

 private:
  bool matches(std::string_view key) {
    if (!names_.empty()) names_ += ", ";
    names_ += key;
    if (key != key_) return false;
    known_ = true;
    return true;
  }
  void keep(const base::Error& error) {
    failed_ = true;
    error_ = error;
  }

  Config& config_;
  std::string_view subject_;
  std::string_view key_;
  std::string_view text_;
  std::string names_;
  bool known_ = false;
  bool failed_ = false;
  base::Error error_;
};

// Writes every key of a struct with its value; a visitor for describe().
template <class Config>
class SettingWriter {
 public:
  explicit SettingWriter(const Config& config) : config_(config) {}

  template <std::integral T>
    requires(!std::same_as<T, bool>)
  void add(std::string_view key, T Config::* member, Bounds, std::string_view) {
    settings_.emplace_back(key, fmt::format("{}", config_.*member));
  }
  void add(std::string_view key, std::chrono::milliseconds Config::* member, Bounds,
           std::string_view) {
    settings_.emplace_back(key, fmt::format("{}", (config_.*member).count()));
  }
  void add(std::string_view key, bool Config::* member, std::string_view) {
    settings_.emplace_back(key, config_.*member ? "true" : "false");
  }
  template <class Enum>
  void add(std::string_view key, Enum Config::* member,
           std::type_identity_t<std::span<const Choice<Enum>>> choices, std::string_view) {
    for (const auto& choice : choices) {
      if (choice.value == config_.*member) settings_.emplace_back(key, choice.name);
    }
  }

  Settings take() { return std::move(settings_); }

 private:
  const Config& config_;
  Settings settings_;
};

// `subject` stands first in errors: "kafka producer". A key with one of `free_prefixes` is not the
// struct's: it goes to `free`, with its prefix.
template <class Config>
base::Result<Config> read_settings(const Settings& settings, std::string_view subject,
                                   std::string_view free_prefix = {}, Settings* free = nullptr) {
  Config config;
  std::vector<std::string_view> seen;
  for (const auto& [key, text] : settings) {
    for (const auto& earlier : seen) {
      if (earlier == key) {
        return base::fail(base::Errc::config, "{} setting {}: given twice", subject, key);
      }
    }
    seen.push_back(key);
    if (free && key.starts_with(free_prefix)) {
      free->emplace_back(key, text);
      continue;
    }
    SettingReader<Config> reader(config, subject, key, text);
    Config::describe(reader);
    if (!reader.known()) {
      return base::fail(base::Errc::config, "{} setting {}={}: unknown; expected one of {}",
                        subject, key, text, reader.names());
    }
    if (auto read = reader.result(); !read) return std::unexpected(read.error());
  }
  return config;
}

template <class Config>
Settings write_settings(const Config& config) {
  SettingWriter<Config> writer(config);
  Config::describe(writer);
  return writer.take();
}

}  // namespace flow::streaming

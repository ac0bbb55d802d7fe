// SPDX-License-Identifier: Apache-2.0
#include "lab/plan/contrasts.hpp"

#include <algorithm>
#include <optional>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "lab/plan/experiment.hpp"
#include "servers/level.hpp"

namespace flow::lab {
namespace {

using Settings = std::vector<std::pair<std::string, std::string>>;

std::optional<std::string> value_of(const Settings& settings, const std::string& name) {
  for (const auto& [setting, value] : settings) {
    if (setting == name) return value;
  }
  return std::nullopt;
}

bool agree(const Settings& a, const Settings& b) {
  return std::ranges::all_of(a, [&](const auto& setting) {
    const auto other = value_of(b, setting.first);
    return !other || *other == setting.second;
  });
}

std::string platform_words(std::string name) {
  if (!name.empty() && name[0] >= 'a' && name[0] <= 'z') name[0] = static_cast<char>(name[0] - 32);
  return name;
}

std::string words_of(const Settings& settings) {
  std::vector<std::string> words;
  for (const auto& [setting, value] : settings) {
    const bool is_all = setting == broker_cpus_setting && value == "0";
    words.push_back(fmt::format("{} {}", setting, is_all ? "all" : value));
  }
  return fmt::format("{}", fmt::join(words, ", "));
}

bool can_differ_in_promise(const Settings& a, const Settings& b) {
  const auto is_risky = [](const Settings& from, const Settings& to) {
    return std::ranges::any_of(from, [&](const auto& setting) {
      if (value_of(to, setting.first) == setting.second) return false;
      return servers::can_change_promise(setting.first);
    });
  };
  return is_risky(a, b) || is_risky(b, a);
}

std::string name_of(const PlainCell& cell, bool has_workloads, const Settings& settings) {
  std::string name = cell.level;
  if (has_workloads) name += ", " + cell.workload;
  if (!settings.empty()) name += ", " + words_of(settings);
  return name;
}

Contrast compare(const PlainCell& first, const PlainCell& second) {
  return {.first_cell = first.id,
          .second_cell = second.id,
          .level = first.level,
          .workload = first.workload,
          .name = {},
          .first = platform_words(first.platform),
          .second = platform_words(second.platform),
          .is_one_platform = first.platform == second.platform,
          .differs_in_promise = can_differ_in_promise(first.settings, second.settings)};
}

// The settings of both sides, each once.
Settings united(const Settings& a, const Settings& b) {
  Settings settings = a;
  for (const auto& setting : b) {
    if (!value_of(settings, setting.first)) settings.push_back(setting);
  }
  return settings;
}

bool is_same_place(const PlainCell& a, const PlainCell& b) {
  return a.level == b.level && a.workload == b.workload;
}

// Each cell of the first platform with the cells of the others beside it.
std::vector<Contrast> between_platforms(const std::vector<PlainCell>& cells, bool has_workloads) {
  std::vector<Contrast> contrasts;
  for (const auto& first : cells) {
    if (first.platform != cells.front().platform) continue;
    for (const auto& second : cells) {
      if (second.platform == first.platform || !is_same_place(first, second) ||
          !agree(first.settings, second.settings)) {
        continue;
      }
      contrasts.push_back(compare(first, second));
      contrasts.back().name =
          name_of(first, has_workloads, united(first.settings, second.settings));
    }
  }
  return contrasts;
}

// Each value of what is varied with the first one.
std::vector<Contrast> within_platform(const std::vector<PlainCell>& cells, bool has_workloads) {
  std::vector<Contrast> contrasts;
  for (auto second = cells.begin(); second != cells.end(); ++second) {
    const auto first = std::ranges::find_if(
        cells, [&](const PlainCell& cell) { return is_same_place(cell, *second); });
    if (first == second) continue;
    auto& contrast = contrasts.emplace_back(compare(*first, *second));
    contrast.name = name_of(*first, has_workloads, {});
    contrast.first += fmt::format(" ({})", words_of(first->settings));
    contrast.second += fmt::format(" ({})", words_of(second->settings));
  }
  return contrasts;
}

}  // namespace

std::vector<Contrast> contrasts_of(const std::vector<PlainCell>& cells) {
  std::set<std::string> platforms, workloads;
  for (const auto& cell : cells) {
    platforms.insert(cell.platform);
    workloads.insert(cell.workload);
  }
  const bool has_workloads = workloads.size() > 1;
  return platforms.size() > 1 ? between_platforms(cells, has_workloads)
                              : within_platform(cells, has_workloads);
}

}  // namespace flow::lab

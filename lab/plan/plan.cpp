// SPDX-License-Identifier: Apache-2.0
#include "lab/plan/plan.hpp"

#include <algorithm>
#include <filesystem>
#include <numeric>
#include <ranges>

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "base/random.hpp"
#include "lab/plan/contrasts.hpp"

namespace flow::lab {
namespace {

constexpr std::uint64_t order_purpose = 0x6f72646572;  // "order"
constexpr std::uint64_t pilot_purpose = 0x70696c6f74;  // "pilot"

// "num.io.threads" of "kafka.broker.num.io.threads".
std::string_view short_name(std::string_view setting) {
  for (const std::string_view platform : {"kafka.", "pulsar."}) {
    if (setting.starts_with(platform)) setting.remove_prefix(platform.size());
  }
  const std::size_t group = setting.find('.');
  return group == std::string_view::npos ? setting : setting.substr(group + 1);
}

// Whether a platform has this setting: one that names another platform is not its own.
bool concerns(std::string_view setting, const std::string& platform) {
  for (const std::string_view other : {"kafka", "pulsar"}) {
    if (other != platform && setting.starts_with(fmt::format("{}.", other))) return false;
  }
  return true;
}

// A cell for every combination of values.
std::vector<Cell> varied(Cell cell, const std::vector<Variation>& vary) {
  std::vector<Cell> cells{std::move(cell)};
  for (const auto& [setting, values] : vary) {
    if (!concerns(setting, cells.front().platform)) continue;
    std::vector<Cell> next;
    for (const auto& one : cells) {
      for (const auto& value : values) {
        Cell& made = next.emplace_back(one);
        made.id += fmt::format("-{}={}", short_name(setting), value);
        made.settings.emplace_back(setting, value);
      }
    }
    cells = std::move(next);
  }
  return cells;
}

std::vector<Cell> make_cells(const Experiment& experiment) {
  std::vector<Cell> cells;
  for (std::size_t workload = 0; workload < experiment.workloads.size(); ++workload) {
    for (const auto& level : experiment.levels) {
      for (const auto& platform : experiment.platforms) {
        std::string id = platform + "-" + level_name(level);
        if (experiment.workloads.size() > 1) id += "-" + experiment.workloads[workload].name;
        for (auto& cell : varied({std::move(id), platform, level, workload}, experiment.vary)) {
          cells.push_back(std::move(cell));
        }
      }
    }
  }
  return cells;
}

std::vector<PlainCell> plain(const std::vector<Cell>& cells, const Experiment& experiment) {
  std::vector<PlainCell> plain;
  for (const auto& cell : cells) {
    plain.push_back({cell.id, cell.platform, level_name(cell.level),
                     experiment.workloads[cell.workload].name, cell.settings});
  }
  return plain;
}

// The first cell of each level and workload.
std::vector<Cell> first_cells(const std::vector<Cell>& cells) {
  std::vector<Cell> first;
  for (const auto& cell : cells) {
    const bool is_known = std::ranges::any_of(first, [&](const Cell& one) {
      return one.level == cell.level && one.workload == cell.workload;
    });
    if (!is_known) first.push_back(cell);
  }
  return first;
}

// Cells of a level, those that can share servers beside each other.
std::vector<std::size_t> cells_by_server(const std::vector<Cell>& cells, const std::string& level) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (cells[i].level != level || cells[i].platform == null_platform) continue;
    auto at = std::ranges::find_if(order.rbegin(), order.rend(), [&](std::size_t other) {
      return share_servers(cells[other], cells[i]);
    });
    order.insert(at == order.rend() ? order.end() : at.base(), i);
  }
  return order;
}

std::vector<std::size_t> shuffled(std::size_t count, std::uint64_t seed) {
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  base::SplitMix64 random(seed);
  for (std::size_t i = count; i > 1; --i) std::swap(order[i - 1], order[random.next_below(i)]);
  return order;
}

// Of which cell the A/A trials are: the first platform at the middle level, with the first values.
std::size_t repeated_cell(const std::vector<Cell>& cells, const Experiment& experiment) {
  const std::string& level = experiment.levels[experiment.levels.size() / 2];
  const auto at =
      std::ranges::find_if(cells, [&](const Cell& cell) { return cell.level == level; });
  return static_cast<std::size_t>(at - cells.begin());
}

// One row per block. When there are more blocks than rows, the square begins again, shuffled anew.
std::vector<std::vector<std::size_t>> block_orders(std::size_t cells,
                                                   const Experiment& experiment) {
  const auto square = williams_square(cells);
  const auto names = shuffled(cells, base::derive_seed(experiment.seeds.front(), order_purpose));
  std::vector<std::vector<std::size_t>> orders;
  while (orders.size() < experiment.blocks) {
    const auto rows = shuffled(square.size(), base::derive_seed(experiment.seeds.front(),
                                                                order_purpose + 1 + orders.size()));
    for (const std::size_t row : rows) {
      auto& order = orders.emplace_back();
      for (const std::size_t place : square[row]) order.push_back(names[place]);
    }
  }
  return orders;
}

}  // namespace

std::string level_name(const std::string& level) {
  return std::filesystem::path(level).stem().string();
}

std::vector<std::vector<std::size_t>> williams_square(std::size_t n) {
  // 0 1 n-1 2 n-2 …, and that plus 1, 2, … (mod n).
  std::vector<std::size_t> first;
  for (std::size_t low = 0, high = n; first.size() < n;) {
    first.push_back(low++);
    if (low > 1 && first.size() < n) first.push_back(--high);
  }
  std::vector<std::vector<std::size_t>> rows;
  for (std::size_t shift = 0; shift < n; ++shift) {
    auto& row = rows.emplace_back();
    for (const std::size_t place : first) row.push_back((place + shift) % n);
  }
  if (n % 2 == 0) return rows;
  for (std::size_t i = 0; i < n; ++i) {
    auto mirrored = rows[i];
    std::ranges::reverse(mirrored);
    rows.push_back(std::move(mirrored));
  }
  return rows;
}

Experiment pilot_of(Experiment experiment) {
  const std::uint64_t from = experiment.seeds.front();
  experiment.is_pilot = true;
  experiment.name += "-pilot";
  experiment.blocks = pilot_blocks;
  experiment.with_null_broker = false;
  experiment.seeds.clear();
  for (std::uint64_t block = 0; block < pilot_blocks; ++block) {
    experiment.seeds.push_back(base::derive_seed(from, pilot_purpose + block) >> 1);
  }
  return experiment;
}

Plan make_plan(const Experiment& experiment) {
  FLOW_CHECK(experiment.seeds.size() >= experiment.blocks);
  Plan plan;
  plan.cells = make_cells(experiment);
  plan.primaries = contrasts_of(plain(plan.cells, experiment)).size();
  if (experiment.is_pilot) plan.cells = first_cells(plan.cells);
  const auto orders = block_orders(plan.cells.size(), experiment);
  std::uint32_t block = 0;
  const auto add = [&](std::size_t cell, bool is_repeat) {
    const auto number = static_cast<std::uint32_t>(plan.trials.size() + 1);
    const auto seed = experiment.seeds[std::max(block, 1U) - 1];
    plan.trials.push_back({number, block, seed, cell, is_repeat});
  };
  if (experiment.with_null_broker) {
    plan.cells.push_back(
        {std::string(null_platform), std::string(null_platform), experiment.levels.front(), 0});
    add(plan.cells.size() - 1, false);
  }
  const std::size_t repeated = repeated_cell(plan.cells, experiment);
  const auto add_block = [&](const std::vector<std::size_t>& order) {
    if (experiment.is_pilot) {
      for (const auto cell : order) add(cell, false);
      for (const auto cell : order | std::views::reverse) add(cell, true);
      return;
    }
    const bool is_repeated =
        experiment.with_repeats && std::ranges::find(order, repeated) != order.end();
    if (is_repeated && block % 2 == 0) add(repeated, true);
    for (const auto cell : order) add(cell, false);
    if (is_repeated && block % 2 != 0) add(repeated, true);
  };
  if (!experiment.reuses_servers) {
    for (block = 1; block <= experiment.blocks; ++block) add_block(orders[block - 1]);
    return plan;
  }
  for (const auto& level : experiment.levels) {
    auto order = cells_by_server(plan.cells, level);
    for (block = 1; block <= experiment.blocks; ++block) {
      add_block(order);
      std::ranges::reverse(order);
    }
  }
  return plan;
}

base::Result<servers::Level> level_of(const Cell& cell, servers::Level level) {
  for (const auto& [setting, value] : cell.settings) {
    if (setting == broker_cpus_setting) continue;
    const bool names_platform = setting.starts_with(cell.platform + ".");
    const std::string path = names_platform ? setting : cell.platform + "." + setting;
    if (auto put = servers::put_setting(level, path, value); !put) {
      return base::with_context("vary", put.error());
    }
  }
  return level;
}

double broker_cpus_of(const Cell& cell, const Experiment& experiment) {
  for (const auto& [setting, value] : cell.settings) {
    if (setting == broker_cpus_setting) return std::stod(value);  // Checked as it was read.
  }
  return experiment.broker_cpus;
}

bool share_servers(const Cell& a, const Cell& b) {
  return a.platform == b.platform && a.level == b.level && a.settings == b.settings;
}

std::string trial_id(const Plan& plan, const PlannedTrial& trial) {
  return fmt::format("{:03}-{}{}", trial.number, plan.cells[trial.cell].id,
                     trial.is_repeat ? "-aa" : "");
}

base::json::object describe(const Plan& plan, const Experiment& experiment) {
  base::json::array seeds;
  for (const auto seed : experiment.seeds) seeds.emplace_back(seed);
  base::json::array cells;
  for (const auto& cell : plan.cells) {
    base::json::object described{{"id", cell.id},
                                 {"platform", cell.platform},
                                 {"level", level_name(cell.level)},
                                 {"workload", experiment.workloads[cell.workload].name}};
    if (!cell.settings.empty()) {
      auto& settings = described["settings"].emplace_object();
      for (const auto& [setting, value] : cell.settings) settings[setting] = value;
    }
    cells.push_back(std::move(described));
  }
  base::json::array order;
  for (const auto& trial : plan.trials) {
    order.push_back({{"trial", trial.number},
                     {"block", trial.block},
                     {"cell", plan.cells[trial.cell].id},
                     {"is_repeat", trial.is_repeat},
                     {"seed", trial.seed}});
  }
  return {{"blocks", experiment.blocks},
          {"primaries", plan.primaries},
          {"seeds", std::move(seeds)},
          {"cells", std::move(cells)},
          {"order", std::move(order)}};
}

std::string preregistration_of(const base::json::object& effective,
                               const base::json::object& plan) {
  const std::string text =
      base::pretty_json(base::json::object{{"effective", effective}, {"plan", plan}});
  return base::sha256_hex(base::as_bytes(text));
}

}  // namespace flow::lab

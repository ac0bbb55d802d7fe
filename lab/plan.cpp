// SPDX-License-Identifier: Apache-2.0
#include "lab/plan.hpp"

#include <algorithm>
#include <filesystem>
#include <numeric>

#include "base/bytes.hpp"
#include "base/random.hpp"

namespace flow::lab {
namespace {

constexpr std::uint64_t order_purpose = 0x6f72646572;  // "order"

std::string level_name(const std::string& level) {
  return std::filesystem::path(level).stem().string();
}

std::vector<Cell> make_cells(const Experiment& experiment) {
  std::vector<Cell> cells;
  for (std::size_t workload = 0; workload < experiment.workloads.size(); ++workload) {
    for (const auto& level : experiment.levels) {
      for (const auto& platform : experiment.platforms) {
        std::string id = platform + "-" + level_name(level);
        if (experiment.workloads.size() > 1) id += "-" + experiment.workloads[workload].name;
        cells.push_back({std::move(id), platform, level, workload});
      }
    }
  }
  return cells;
}

std::vector<std::size_t> shuffled(std::size_t count, std::uint64_t seed) {
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  base::SplitMix64 random(seed);
  for (std::size_t i = count; i > 1; --i) std::swap(order[i - 1], order[random.next_below(i)]);
  return order;
}

// Of which cell the A/A trials are: the first platform at the middle level.
std::size_t repeated_cell(const Experiment& experiment) {
  return experiment.levels.size() / 2 * experiment.platforms.size();
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

Plan make_plan(const Experiment& experiment) {
  Plan plan;
  plan.cells = make_cells(experiment);
  const auto orders = block_orders(plan.cells.size(), experiment);
  for (std::uint32_t block = 1; block <= experiment.blocks; ++block) {
    const auto add = [&](std::size_t cell, bool is_repeat) {
      const auto number = static_cast<std::uint32_t>(plan.trials.size() + 1);
      plan.trials.push_back({number, block, experiment.seeds[block - 1], cell, is_repeat});
    };
    const bool repeat_is_first = experiment.with_repeats && block % 2 == 0;
    if (repeat_is_first) add(repeated_cell(experiment), true);
    for (const auto cell : orders[block - 1]) add(cell, false);
    if (experiment.with_repeats && !repeat_is_first) add(repeated_cell(experiment), true);
  }
  return plan;
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
    cells.push_back({{"id", cell.id},
                     {"platform", cell.platform},
                     {"level", cell.level},
                     {"workload", experiment.workloads[cell.workload].name}});
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

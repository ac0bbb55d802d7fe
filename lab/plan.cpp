// SPDX-License-Identifier: Apache-2.0
#include "lab/plan.hpp"

#include <filesystem>
#include <numeric>

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

}  // namespace

Plan make_plan(const Experiment& experiment) {
  Plan plan;
  plan.cells = make_cells(experiment);
  for (std::uint32_t block = 1; block <= experiment.blocks; ++block) {
    const std::uint64_t seed = experiment.seeds[block - 1];
    for (const auto cell :
         shuffled(plan.cells.size(), base::derive_seed(seed, order_purpose + block))) {
      const auto number = static_cast<std::uint32_t>(plan.trials.size() + 1);
      plan.trials.push_back({number, block, seed, cell});
    }
  }
  return plan;
}

std::string trial_id(const Plan& plan, const PlannedTrial& trial) {
  return fmt::format("{:03}-{}", trial.number, plan.cells[trial.cell].id);
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
                     {"seed", trial.seed}});
  }
  return {{"blocks", experiment.blocks},
          {"seeds", std::move(seeds)},
          {"cells", std::move(cells)},
          {"order", std::move(order)}};
}

}  // namespace flow::lab

// SPDX-License-Identifier: Apache-2.0
#include "lab/result/default_differences.hpp"

#include <cstdlib>
#include <map>
#include <string>

#include "lab/result/files.hpp"
#include "lab/result/lenient_json.hpp"

namespace flow::lab {
namespace {

namespace fs = std::filesystem;
using base::json::array;
using base::json::object;
using base::json::value;

// By the number that a trial's folder begins with: "001-kafka-fsync-1" is 1.
std::map<std::int64_t, fs::path> trial_folders(const fs::path& folder) {
  std::map<std::int64_t, fs::path> folders;
  std::error_code error;
  for (fs::directory_iterator at(folder / "trials", error), end; !error && at != end;
       at.increment(error)) {
    const auto number = std::strtoll(at->path().filename().c_str(), nullptr, 10);
    if (number > 0) folders[number] = at->path();
  }
  return folders;
}

object differences_of(const fs::path& trial) {
  object differences;
  const auto text = read_file(trial / "servers.json");
  if (!text) return differences;
  const auto servers = base::parse_json(*text, "servers.json");
  if (!servers || !servers->is_object()) return differences;
  for (const auto& [name, server] : servers->get_object()) {
    const value* roles = find_at(server, "differs_from_default");
    if (!roles || !roles->is_object()) continue;
    for (const auto& [role, rows] : roles->get_object()) differences[role] = rows;
  }
  return differences;
}

}  // namespace

object differences_by_cell(const fs::path& folder, const value& experiment) {
  object cells;
  const auto folders = trial_folders(folder);
  const value* order = find_at(experiment, "plan/order");
  for (const auto& planned : order && order->is_array() ? order->get_array() : array{}) {
    const value* cell = find_at(planned, "cell");
    const value* number = find_at(planned, "trial");
    if (!cell || !cell->is_string() || !number || !number->is_int64()) continue;
    const auto trial = folders.find(number->get_int64());
    if (trial == folders.end() || cells.contains(cell->get_string())) continue;
    auto differences = differences_of(trial->second);
    if (!differences.empty()) cells[cell->get_string()] = std::move(differences);
  }
  return cells;
}

}  // namespace flow::lab

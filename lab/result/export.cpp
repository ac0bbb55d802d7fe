// SPDX-License-Identifier: Apache-2.0
#include "lab/result/export.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "lab/result/files.hpp"

namespace flow::lab {
namespace {

using base::Result;
using base::json::array;
using base::json::object;
using base::json::value;

// What every row begins with: which trial it is of.
constexpr std::array<std::string_view, 10> trial_columns = {
    "trial", "id", "platform", "level", "workload", "block", "seed", "is_repeat", "state", "valid"};
constexpr std::array<std::string_view, 10> hop_columns = {
    "count",  "censored", "overflow", "min_ns",   "mean_ns",
    "p50_ns", "p90_ns",   "p99_ns",   "p99_9_ns", "max_ns"};

value member(const object& from, std::string_view key) {
  const value* at = from.if_contains(key);
  return at && !at->is_object() && !at->is_array() ? *at : value(nullptr);
}

ExportTable table_named(std::string name) {
  ExportTable table{std::move(name), {}, {}};
  for (const auto column : trial_columns) table.columns.emplace_back(column);
  return table;
}

std::vector<value> row_of(const object& trial) {
  std::vector<value> row;
  for (const auto column : trial_columns) row.push_back(member(trial, column));
  return row;
}

void add_hops(ExportTable& table, const object& trial) {
  const value* hops = trial.if_contains("hops");
  if (!hops || !hops->is_object()) return;
  for (const auto& [name, hop] : hops->get_object()) {
    if (!hop.is_object()) continue;
    auto row = row_of(trial);
    row.emplace_back(name);
    for (const auto column : hop_columns) row.push_back(member(hop.get_object(), column));
    table.rows.push_back(std::move(row));
  }
}

// Rows of a list of flat objects; the columns are those that any of them has, in order of sight.
void add_list(ExportTable& table, const object& trial, std::string_view list) {
  const value* entries = trial.if_contains(list);
  if (!entries || !entries->is_array()) return;
  for (const auto& entry : entries->get_array()) {
    if (!entry.is_object()) continue;
    auto row = row_of(trial);
    row.resize(table.columns.size());
    for (const auto& [key, field] : entry.get_object()) {
      if (field.is_object() || field.is_array()) continue;
      auto column = std::ranges::find(table.columns.begin() + trial_columns.size(),
                                      table.columns.end(), std::string_view(key));
      if (column == table.columns.end()) {
        table.columns.emplace_back(key);
        column = std::prev(table.columns.end());
        row.emplace_back(nullptr);
      }
      row[static_cast<std::size_t>(column - table.columns.begin())] = field;
    }
    table.rows.push_back(std::move(row));
  }
}

// RFC 4180: quoted where it must be.
std::string csv_field(const value& field) {
  if (field.is_null()) return {};
  std::string text =
      field.is_string() ? std::string(field.get_string()) : base::json::serialize(field);
  if (text.find_first_of("\",\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted.append(c == '"' ? 2 : 1, c);
  return quoted + '"';
}

}  // namespace

std::vector<ExportTable> tables_of(const object& result) {
  ExportTable hops = table_named("hops");
  hops.columns.emplace_back("hop");
  for (const auto column : hop_columns) hops.columns.emplace_back(column);
  std::vector<ExportTable> lists = {table_named("seconds"), table_named("gates"),
                                    table_named("resources")};
  const value* trials = result.if_contains("trials");
  for (const auto& trial : trials && trials->is_array() ? trials->get_array() : array{}) {
    if (!trial.is_object()) continue;
    add_hops(hops, trial.get_object());
    add_list(lists[0], trial.get_object(), "per_second");
    add_list(lists[1], trial.get_object(), "gates");
    add_list(lists[2], trial.get_object(), "resources");
  }
  for (auto& table : lists) {
    for (auto& row : table.rows) row.resize(table.columns.size());
  }
  lists.insert(lists.begin(), std::move(hops));
  return lists;
}

std::string csv_text(const ExportTable& table) {
  std::string text;
  const auto add_line = [&](const auto& fields) {
    std::string_view comma;
    for (const auto& field : fields) {
      text.append(comma).append(csv_field(value(field)));
      comma = ",";
    }
    text += "\r\n";
  };
  add_line(table.columns);
  for (const auto& row : table.rows) add_line(row);
  return text;
}

std::string json_lines_text(const ExportTable& table) {
  std::string text;
  for (const auto& row : table.rows) {
    object line;
    for (std::size_t i = 0; i < row.size(); ++i) line[table.columns[i]] = row[i];
    text += base::json::serialize(line) + "\n";
  }
  return text;
}

Result<std::vector<std::filesystem::path>> write_export(const object& result, ExportFormat format,
                                                        const std::filesystem::path& folder) {
  if (auto made = make_folder(folder); !made) return std::unexpected(made.error());
  std::vector<std::filesystem::path> files;
  for (const auto& table : tables_of(result)) {
    const bool is_csv = format == ExportFormat::csv;
    const auto file = folder / (table.name + (is_csv ? ".csv" : ".jsonl"));
    auto written = write_file(file, is_csv ? csv_text(table) : json_lines_text(table));
    if (!written) return std::unexpected(written.error());
    files.push_back(file);
  }
  return files;
}

}  // namespace flow::lab

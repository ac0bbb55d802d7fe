// A result as flat tables, for spreadsheets, data frames and Parquet: one row per trial and hop,
// per trial and intended second, per gate, per process. Columns carry units as the result's keys
// do; a value that is not there is empty in CSV and null in JSON lines, and every row of a table
// has the same columns.
// Thread: any; tables_of() is pure.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "base/result.hpp"

namespace flow::lab {

struct ExportTable {
  std::string name;  // "hops", "seconds", "gates", "resources"; of the file as well.
  std::vector<std::string> columns;
  std::vector<std::vector<base::json::value>> rows;  // Scalars, in the order of the columns.
};

// Of load_result()'s object.
std::vector<ExportTable> tables_of(const base::json::object& result);

std::string csv_text(const ExportTable& table);         // RFC 4180, with a header line.
std::string json_lines_text(const ExportTable& table);  // One flat object a line.

enum class ExportFormat { csv, json_lines };
// <folder>/<table>.csv or .jsonl of each table; returns the files. Errc::io.
base::Result<std::vector<std::filesystem::path>> write_export(const base::json::object& result,
                                                              ExportFormat format,
                                                              const std::filesystem::path& folder);

}  // namespace flow::lab

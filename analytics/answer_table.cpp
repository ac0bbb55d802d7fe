// SPDX-License-Identifier: Apache-2.0
#include "analytics/answer_table.hpp"

#include <algorithm>

namespace flow::analytics {
namespace {

namespace json = base::json;

std::string safe(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (byte < 0x20 || byte == 0x7F) {
      out += fmt::format("\\x{:02x}", byte);
    } else {
      out += c;
    }
  }
  return out;
}

// Characters of UTF-8, which is what most terminals need a column for.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string cell_of(const json::value& value) {
  if (value.is_null()) return "";
  if (value.is_string()) return std::string(value.get_string());
  if (const auto* number = value.if_double()) return fmt::format("{}", *number);
  return json::serialize(value);
}

bool is_number_type(std::string_view type) {
  return type == "INT" || type == "LONG" || type == "FLOAT" || type == "DOUBLE" ||
         type == "BIG_DECIMAL";
}

void add_line(std::string& out, const std::vector<TextColumn>& columns,
              const std::vector<std::size_t>& widths, const std::vector<std::string>& cells) {
  std::string line;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const std::string gap(widths[i] - width_of(cells[i]), ' ');
    line += i == 0 ? "" : "  ";
    line += columns[i].is_number ? gap + cells[i] : cells[i] + gap;
  }
  line.erase(line.find_last_not_of(' ') + 1);
  out += line + "\n";
}

}  // namespace

std::string text_table(const std::vector<TextColumn>& columns,
                       const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::string> titles, rules;
  std::vector<std::size_t> widths;
  for (const auto& column : columns) {
    titles.push_back(safe(column.title));
    widths.push_back(width_of(titles.back()));
  }
  std::vector<std::vector<std::string>> cells = rows;
  for (auto& row : cells) {
    for (std::size_t i = 0; i < columns.size(); ++i) {
      row[i] = safe(row[i]);
      widths[i] = std::max(widths[i], width_of(row[i]));
    }
  }
  for (const std::size_t width : widths) rules.emplace_back(width, '-');
  std::string out;
  add_line(out, columns, widths, titles);
  add_line(out, columns, widths, rules);
  for (const auto& row : cells) add_line(out, columns, widths, row);
  return out;
}

std::string text_table(const SqlAnswer& answer) {
  std::vector<TextColumn> columns;
  for (std::size_t i = 0; i < answer.columns.size(); ++i) {
    columns.push_back({answer.columns[i], is_number_type(answer.types[i])});
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& row : answer.rows) {
    std::vector<std::string> cells;
    for (const auto& value : row.get_array()) cells.push_back(cell_of(value));
    rows.push_back(std::move(cells));
  }
  return text_table(columns, rows);
}

}  // namespace flow::analytics

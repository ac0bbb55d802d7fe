// An answer of Pinot for a terminal: a table whose columns line up.
// Thread: any; plain values.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "analytics/sql_client.hpp"

namespace flow::analytics {

struct TextColumn {
  std::string title;
  bool is_number = false;  // Right-aligned.
};

// A header, a rule, one line for each row. Cells are made safe for a terminal: control characters
// become \n, \t or \x1b. `rows` have one cell for each column.
std::string text_table(const std::vector<TextColumn>& columns,
                       const std::vector<std::vector<std::string>>& rows);

// Texts as they are, lists and objects as JSON, null as nothing.
std::string text_table(const SqlAnswer& answer);

}  // namespace flow::analytics

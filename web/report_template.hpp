// The report page as it is built from web/src: one HTML document with script and style inside,
// complete but for its data. It loads nothing, so the finished file can be mailed or archived.
//
// Contract: the page holds the marker `/*FLOW_DATA*/` exactly once, as the whole text of
//   <script type="application/json" id="flow-data">/*FLOW_DATA*/</script>
// Whoever makes a report puts {"experiment": <experiment.json>, "analysis": <analysis.json>,
// "trials": [<trial.json>, …]} in its place (docs/reference/result-format.md): as a zlib stream in
// base64, or as it is, with every `<` inside the JSON written as `\u003c`, so that no value can end
// the script element.
// Thread: any.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace flow::web {

// Valid for the life of the program. About half a mebibyte.
std::string_view report_template();

}  // namespace flow::web

// What every subcommand of `flow` shares: how it is added to the command line and how it ends.
// Exit codes: 0 good, 1 a check or comparison failed, 2 the operator's mistake, 3 a server or the
// machine failed, 4 cannot tell.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <CLI/CLI.hpp>

#include "base/result.hpp"

namespace flow::apps {

// Each file of this folder adds its subcommand(s) to `root`; the subcommand's callback does the
// work and puts the program's exit code into `exit_code`.
void add_demo(CLI::App& root, int& exit_code);       // demo.cpp
void add_diff(CLI::App& root, int& exit_code);       // diff.cpp
void add_run(CLI::App& root, int& exit_code);        // run.cpp: run, report, verify, export
void add_dashboard(CLI::App& root, int& exit_code);  // dashboard.cpp
void add_servers(CLI::App& root, int& exit_code);    // up.cpp: up, status, down
void add_shop(CLI::App& root, int& exit_code);       // shop.cpp
void add_load(CLI::App& root, int& exit_code);       // load.cpp
void add_auditor(CLI::App& root, int& exit_code);    // auditor.cpp
void add_traffic(CLI::App& root, int& exit_code);    // traffic.cpp
void add_pinot(CLI::App& root, int& exit_code);      // pinot.cpp: create, drop, status, sql

// Prints "flow: <what>" on standard error and returns the exit code of the error.
int report_error(const base::Error& error);

}  // namespace flow::apps

// The numbers by which two results are compared at a glance: for each cell the quantiles of three
// hops, from the histograms of all its trials merged, and what a reader must know before comparing
// (levels, workloads, host, version).
// Thread: any.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "base/json.hpp"
#include "base/result.hpp"

namespace flow::lab {

// {"name", "experiment": {…}, "cells": [{"id", "platform", "level", "workload", "trials",
// "trials_complete", "trials_valid", "hops": {NAME: {"count", "censored", "p50_ns", "p99_ns",
// "p99_9_ns", "max_ns"}}}]}. Only complete trials enter the hops; a quantile beyond what was
// measured is null. Errc::io when a file cannot be read or the result is too large for a glance.
base::Result<base::json::object> headlines(const std::filesystem::path& folder);

}  // namespace flow::lab

// One result folder as a line of a list: what it is, whether it is being run, how far it got. Cheap
// to look at again: files are read once and then only when they are other ones.
// Thread: one.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.hpp"
#include "lab/result/bounded_file.hpp"

namespace flow::lab {

enum class ResultState : std::uint8_t {
  running,      // A coordinator works on it.
  sealed,       // Ended, with checksums.
  interrupted,  // Neither: the coordinator was killed, or the machine stopped.
  unreadable,   // experiment.json is no JSON, or too large.
};
std::string_view name_of(ResultState state);

inline constexpr std::size_t experiment_bytes_max = 16U << 20;

class ResultRow {
 public:
  explicit ResultRow(std::filesystem::path folder) : folder_(std::move(folder)) {}

  // Looks at the folder; true when anything is different from the last look.
  bool look();

  bool was_looked_at() const { return was_looked_at_; }
  bool is_result() const { return experiment_.has_value(); }  // It has an experiment.json.
  ResultState state() const { return state_; }
  const std::filesystem::path& folder() const { return folder_; }
  base::json::object describe() const;

 private:
  struct Facts {
    std::string experiment;
    std::string question;
    std::int64_t created_unix_ns = 0;
    std::size_t planned = 0;
    std::string words;  // Why it cannot be read.
  };
  bool look_at_experiment();
  std::size_t count_trials() const;

  std::filesystem::path folder_;
  std::optional<FileIdentity> experiment_;
  std::optional<FileIdentity> seal_;
  Facts facts_;
  ResultState state_ = ResultState::interrupted;
  std::size_t done_ = 0;
  bool has_report_ = false;
  bool was_looked_at_ = false;
};

}  // namespace flow::lab

// Reads one HTTP/1.1 answer at a time from a byte stream that may be cut anywhere (RFC 9112).
// Sans-I/O. The body is counted, not stored, unless somebody asks for it. What a hostile server
// sends ends in `malformed`: a header beyond 64 KiB, a length that is no number, two lengths that
// disagree, a transfer coding other than chunked.
// Thread: one owner. Nothing is allocated unless a line is cut between two reads.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace flow::loadtest {

class ResponseParser {
 public:
  enum class State : std::uint8_t { reading, complete, malformed };

  static constexpr std::size_t header_bytes_max = 64 * 1024;  // With all 1xx answers before it.

  // Makes ready for the next answer; an answer to HEAD has no body whatever it says.
  void expect(bool to_head);

  // Takes bytes up to the end of the answer, returns how many; those after it are the caller's.
  std::size_t push(std::string_view bytes);

  // The server closed the connection: completes a body that has no length, else malformed.
  void push_end();

  State state() const { return state_; }
  int status() const { return status_; }                    // 100..599 once the line is read.
  bool keeps_alive() const { return keeps_alive_; }         // Valid when complete.
  std::uint64_t body_bytes() const { return body_bytes_; }  // After decoding chunks.
  bool has_begun() const { return has_begun_; }             // A byte of the answer has come.

  // Also appends the body to `into`; more than `bytes_max` of it is malformed. nullptr: stop.
  void collect_body(std::string* into, std::size_t bytes_max) {
    collect_ = into;
    collect_bytes_max_ = bytes_max;
  }

 private:
  enum class Phase : std::uint8_t {
    status_line,
    header,
    body_of_length,
    body_until_end,
    chunk_size,
    chunk_data,
    chunk_end,
    trailer
  };

  std::optional<std::string_view> take_line(std::string_view& bytes);
  void on_line(std::string_view line);
  void on_status_line(std::string_view line);
  void on_header(std::string_view line);
  void on_content_length(std::string_view value);
  void on_connection(std::string_view value);
  void on_header_end();
  void on_chunk_size(std::string_view line);
  void take_body(std::string_view& bytes);
  void store_body(std::string_view part);
  void fail() { state_ = State::malformed; }

  State state_ = State::reading;
  Phase phase_ = Phase::status_line;
  bool to_head_ = false;
  bool has_begun_ = false;
  bool keeps_alive_ = true;
  bool is_closing_ = false;
  bool is_chunked_ = false;
  bool is_line_cut_ = false;  // line_ holds the first part of a line.
  int status_ = 0;
  std::optional<std::uint64_t> length_;
  std::uint64_t left_ = 0;  // Of the body or the chunk.
  std::uint64_t body_bytes_ = 0;
  std::size_t line_bytes_left_ = header_bytes_max;
  std::string line_;
  std::string* collect_ = nullptr;
  std::size_t collect_bytes_max_ = 0;
};

}  // namespace flow::loadtest

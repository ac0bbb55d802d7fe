// SPDX-License-Identifier: Apache-2.0
#include "loadtest/response_parser.hpp"

#include <algorithm>
#include <charconv>

namespace flow::loadtest {
namespace {

constexpr std::size_t chunk_line_bytes_max = 1024;  // Size and extensions.

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool is_same(std::string_view text, std::string_view lower_case) {
  return text.size() == lower_case.size() &&
         std::equal(text.begin(), text.end(), lower_case.begin(),
                    [](char a, char b) { return lower(a) == b; });
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// Digits only, at most 15 of them: no sign, no overflow.
std::optional<std::uint64_t> parse_number(std::string_view text, int base) {
  std::uint64_t value = 0;
  if (text.empty() || text.size() > 15) return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

void ResponseParser::expect(bool to_head) {
  state_ = State::reading;
  phase_ = Phase::status_line;
  to_head_ = to_head;
  has_begun_ = false;
  keeps_alive_ = true;
  is_closing_ = false;
  is_chunked_ = false;
  is_line_cut_ = false;
  status_ = 0;
  length_.reset();
  body_bytes_ = 0;
  line_bytes_left_ = header_bytes_max;
}

std::size_t ResponseParser::push(std::string_view bytes) {
  const std::size_t given = bytes.size();
  if (given > 0) has_begun_ = true;
  while (state_ == State::reading && !bytes.empty()) {
    if (phase_ == Phase::body_of_length || phase_ == Phase::body_until_end ||
        phase_ == Phase::chunk_data) {
      take_body(bytes);
    } else if (const auto line = take_line(bytes)) {
      on_line(*line);
    }
  }
  return given - bytes.size();
}

void ResponseParser::push_end() {
  if (state_ != State::reading) return;
  state_ = phase_ == Phase::body_until_end ? State::complete : State::malformed;
}

// A line without its end. RFC 9112 section 2.2 allows to take a lone LF as the end.
std::optional<std::string_view> ResponseParser::take_line(std::string_view& bytes) {
  const std::size_t end = bytes.find('\n');
  const std::size_t taken = end == std::string_view::npos ? bytes.size() : end + 1;
  if (taken > line_bytes_left_) {
    fail();
    return std::nullopt;
  }
  line_bytes_left_ -= taken;
  std::string_view line = bytes.substr(0, taken);
  bytes.remove_prefix(taken);
  if (is_line_cut_) {
    line_.append(line);
    line = line_;
  } else if (end == std::string_view::npos) {
    line_.assign(line);
  }
  is_line_cut_ = end == std::string_view::npos;
  if (is_line_cut_) return std::nullopt;
  line.remove_suffix(line.ends_with("\r\n") ? 2 : 1);
  return line;
}

void ResponseParser::on_line(std::string_view line) {
  switch (phase_) {
    case Phase::status_line:
      return on_status_line(line);
    case Phase::header:
      return line.empty() ? on_header_end() : on_header(line);
    case Phase::chunk_size:
      return on_chunk_size(line);
    case Phase::chunk_end:
      if (!line.empty()) return fail();
      phase_ = Phase::chunk_size;
      line_bytes_left_ = chunk_line_bytes_max;
      return;
    case Phase::trailer:
      if (line.empty()) state_ = State::complete;
      return;
    default:
      return fail();
  }
}

void ResponseParser::on_status_line(std::string_view line) {
  const bool is_http_1 = line.starts_with("HTTP/1.1 ") || line.starts_with("HTTP/1.0 ");
  if (!is_http_1 || line.size() < 12 || (line.size() > 12 && line[12] != ' ')) return fail();
  const auto status = parse_number(line.substr(9, 3), 10);
  if (!status || *status < 100 || *status > 599 || *status == 101) return fail();
  status_ = static_cast<int>(*status);
  keeps_alive_ = line[7] == '1';
  phase_ = Phase::header;
}

void ResponseParser::on_header(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0) return fail();
  const std::string_view name = line.substr(0, colon);
  if (name.find_first_of(" \t") != std::string_view::npos) return fail();  // Folding, smuggling.
  const std::string_view value = trim(line.substr(colon + 1));
  if (is_same(name, "content-length")) {
    on_content_length(value);
  } else if (is_same(name, "transfer-encoding")) {
    if (is_chunked_ || !is_same(value, "chunked")) return fail();
    is_chunked_ = true;
  } else if (is_same(name, "connection")) {
    on_connection(value);
  }
}

void ResponseParser::on_content_length(std::string_view value) {
  const auto length = parse_number(value, 10);
  if (!length || (length_ && *length_ != *length)) return fail();
  length_ = length;
}

void ResponseParser::on_connection(std::string_view value) {
  while (!value.empty()) {
    const std::size_t comma = value.find(',');
    const std::string_view option = trim(value.substr(0, comma));
    if (is_same(option, "keep-alive") && !is_closing_) keeps_alive_ = true;  // HTTP/1.0.
    if (is_same(option, "close")) is_closing_ = true;
    if (is_closing_) keeps_alive_ = false;
    value = comma == std::string_view::npos ? std::string_view{} : value.substr(comma + 1);
  }
}

// Which body follows: RFC 9112 section 6.3.
void ResponseParser::on_header_end() {
  if (status_ < 200) {
    const std::size_t left = line_bytes_left_;
    expect(to_head_);
    has_begun_ = true;
    line_bytes_left_ = left;  // An endless row of 1xx is an oversized header.
    return;
  }
  if (to_head_ || status_ == 204 || status_ == 304) {
    state_ = State::complete;
  } else if (is_chunked_) {
    if (length_) keeps_alive_ = false;  // The two disagree on where the next answer begins.
    phase_ = Phase::chunk_size;
    line_bytes_left_ = chunk_line_bytes_max;
  } else if (length_) {
    phase_ = Phase::body_of_length;
    left_ = *length_;
    if (left_ == 0) state_ = State::complete;
  } else {
    phase_ = Phase::body_until_end;
    keeps_alive_ = false;
  }
}

void ResponseParser::on_chunk_size(std::string_view line) {
  const auto size = parse_number(trim(line.substr(0, line.find(';'))), 16);
  if (!size) return fail();
  left_ = *size;
  phase_ = left_ == 0 ? Phase::trailer : Phase::chunk_data;
  line_bytes_left_ = left_ == 0 ? header_bytes_max : chunk_line_bytes_max;
}

void ResponseParser::take_body(std::string_view& bytes) {
  std::size_t taken = bytes.size();
  if (phase_ != Phase::body_until_end) taken = std::min<std::uint64_t>(taken, left_);
  store_body(bytes.substr(0, taken));
  body_bytes_ += taken;
  bytes.remove_prefix(taken);
  if (phase_ == Phase::body_until_end || state_ == State::malformed) return;
  left_ -= taken;
  if (left_ > 0) return;
  if (phase_ == Phase::chunk_data) {
    phase_ = Phase::chunk_end;
    line_bytes_left_ = 2;
  } else {
    state_ = State::complete;
  }
}

void ResponseParser::store_body(std::string_view part) {
  if (!collect_) return;
  if (collect_->size() + part.size() > collect_bytes_max_) return fail();
  collect_->append(part);
}

}  // namespace flow::loadtest

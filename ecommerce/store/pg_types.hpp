// Values that go to PostgreSQL and come back, without libpq's header.
// Thread: any; plain values.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

extern "C" {
struct pg_conn;
struct pg_result;
}

namespace flow::ecommerce {

struct DbError {
  enum class Kind : std::uint8_t {
    unavailable,  // No connection, or the server said that it cannot serve now.
    timed_out,    // The query's deadline passed; whether it took effect is not known.
    statement,    // The server refused this statement: our defect, or data that no check foresaw.
  };
  Kind kind = Kind::unavailable;
  std::string what;
};

template <class T>
using DbResult = std::expected<T, DbError>;

// One use of a prepared statement with its parameters, which are copied.
class PgQuery {
 public:
  static constexpr std::size_t parameters_max = 8;

  explicit PgQuery(std::size_t statement) : statement_(statement) {}

  PgQuery& number(std::int64_t value);    // bigint, binary
  PgQuery& number32(std::int32_t value);  // integer, binary
  PgQuery& text(std::string_view value);  // Anything that PostgreSQL reads from text.
  PgQuery& optional_text(const std::optional<std::string>& value);

  std::size_t statement() const { return statement_; }
  int parameters() const { return static_cast<int>(count_); }
  bool is_null(int index) const { return parameter(index).is_null; }
  bool is_binary(int index) const { return parameter(index).is_binary; }
  const std::string& bytes(int index) const { return parameter(index).bytes; }

 private:
  struct Parameter {
    std::string bytes;
    bool is_null = false;
    bool is_binary = false;
  };
  const Parameter& parameter(int index) const { return all_[static_cast<std::size_t>(index)]; }
  Parameter& add();

  std::size_t statement_;
  std::size_t count_ = 0;
  std::array<Parameter, parameters_max> all_;
};

// The rows of an answer, in PostgreSQL's binary format. A column of another type than asked for is
// a broken invariant: the statements are ours.
class PgRows {
 public:
  explicit PgRows(pg_result* result) : result_(result) {}

  int count() const;
  bool is_null(int row, int column) const;
  std::string_view bytes(int row, int column) const;  // Valid while this object lives.
  std::string text(int row, int column) const { return std::string(bytes(row, column)); }
  std::optional<std::string> optional_text(int row, int column) const;
  std::int64_t number(int row, int column) const;    // bigint
  std::int32_t number32(int row, int column) const;  // integer
  bool boolean(int row, int column) const;
  std::int64_t epoch_millis(int row, int column) const;  // timestamptz, cut to milliseconds

 private:
  struct Clear {
    void operator()(pg_result* result) const;
  };
  std::unique_ptr<pg_result, Clear> result_;
};

}  // namespace flow::ecommerce

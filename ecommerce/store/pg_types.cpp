// SPDX-License-Identifier: Apache-2.0
#include "ecommerce/store/pg_types.hpp"

#include <libpq-fe.h>

#include "base/bytes.hpp"
#include "base/check.hpp"

namespace flow::ecommerce {

PgQuery::Parameter& PgQuery::add() {
  FLOW_CHECK(count_ < parameters_max);
  return all_[count_++];
}

PgQuery& PgQuery::number(std::int64_t value) {
  Parameter& parameter = add();
  parameter.is_binary = true;
  parameter.bytes.resize(8);
  base::store_be64(reinterpret_cast<std::byte*>(parameter.bytes.data()),
                   static_cast<std::uint64_t>(value));
  return *this;
}

PgQuery& PgQuery::number32(std::int32_t value) {
  Parameter& parameter = add();
  parameter.is_binary = true;
  parameter.bytes.resize(4);
  base::store_be32(reinterpret_cast<std::byte*>(parameter.bytes.data()),
                   static_cast<std::uint32_t>(value));
  return *this;
}

PgQuery& PgQuery::text(std::string_view value) {
  add().bytes = value;
  return *this;
}

PgQuery& PgQuery::optional_text(const std::optional<std::string>& value) {
  Parameter& parameter = add();
  parameter.is_null = !value.has_value();
  if (value) parameter.bytes = *value;
  return *this;
}

void PgRows::Clear::operator()(pg_result* result) const { PQclear(result); }

int PgRows::count() const { return PQntuples(result_.get()); }

bool PgRows::is_null(int row, int column) const {
  return PQgetisnull(result_.get(), row, column) != 0;
}

std::string_view PgRows::bytes(int row, int column) const {
  return {PQgetvalue(result_.get(), row, column),
          static_cast<std::size_t>(PQgetlength(result_.get(), row, column))};
}

std::optional<std::string> PgRows::optional_text(int row, int column) const {
  if (is_null(row, column)) return std::nullopt;
  return text(row, column);
}

std::int64_t PgRows::number(int row, int column) const {
  const auto value = bytes(row, column);
  FLOW_CHECK(value.size() == 8);
  return static_cast<std::int64_t>(base::load_be64(base::as_bytes(value).data()));
}

std::int32_t PgRows::number32(int row, int column) const {
  const auto value = bytes(row, column);
  FLOW_CHECK(value.size() == 4);
  return static_cast<std::int32_t>(base::load_be32(base::as_bytes(value).data()));
}

bool PgRows::boolean(int row, int column) const {
  const auto value = bytes(row, column);
  FLOW_CHECK(value.size() == 1);
  return value[0] != 0;
}

std::int64_t PgRows::epoch_millis(int row, int column) const {
  // Binary timestamptz: microseconds since 2000-01-01 00:00 UTC.
  constexpr std::int64_t year_2000_us = 946'684'800'000'000;
  const std::int64_t micros = number(row, column) + year_2000_us;
  return micros >= 0 ? micros / 1000 : (micros - 999) / 1000;
}

}  // namespace flow::ecommerce
